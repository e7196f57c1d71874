// deadlines.h: moments at which something is to happen: earliest first, equal ones in the order they were set (§3).
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "watchtree/words.h"

namespace watchtree::naive {

// At most one moment for an item.
template <typename Item>
class Deadlines {
  public:
    struct Entry {
        Nanoseconds at;
        Item item;
    };

    // A moment that the item had before is forgotten, with its place.
    void set(const Item& item, Nanoseconds at) {
        forget(item);
        entries_.push_back({at, item});
    }
    void forget(const Item& item) {
        std::erase_if(entries_, [&](const Entry& entry) { return entry.item == item; });
    }
    // The first that has come. It stays.
    [[nodiscard]] std::optional<Item> come(Nanoseconds now) const {
        const auto first = std::min_element(entries_.begin(), entries_.end(), is_earlier);
        if (first == entries_.end() || first->at > now) return std::nullopt;
        return first->item;
    }
    [[nodiscard]] std::vector<Entry> in_order() const {
        std::vector<Entry> entries = entries_;
        std::stable_sort(entries.begin(), entries.end(), is_earlier);
        return entries;
    }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

  private:
    static bool is_earlier(const Entry& left, const Entry& right) { return left.at < right.at; }

    std::vector<Entry> entries_;  // in the order they were set
};

}  // namespace watchtree::naive
