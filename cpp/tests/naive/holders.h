// holders.h: where watches hang (contract §2), worked out anew after each change, so that nothing can be left behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/naive/tree.h"

namespace watchtree::naive {

// A watch in its holder's order: by registration, over all channels.
struct Place {
    std::string channel;
    std::uint64_t registration;
};

// There is a holder for each watched key, for each missing part between a missing watched key and its nearest existing
// ancestor, and for that ancestor. All that is remembered is the index of each missing key that has one.
class Holders {
  public:
    [[nodiscard]] const std::vector<Place>& watches(const std::string& key) const;
    // The index of a key's state; without a holder, the one that a holder made now would have.
    [[nodiscard]] Index index(const Tree& tree, const std::string& key) const;
    [[nodiscard]] std::size_t size() const { return holders_.size(); }

    void add(const Tree& tree, const std::string& key, const Place& place);
    void move_last(const std::string& key, const Place& place);
    void remove(const Tree& tree, const std::string& key, const std::string& channel);
    // After a change of the tree.
    void mount(const Tree& tree);

  private:
    void take_out(const std::string& key, const std::string& channel);

    std::map<std::string, std::vector<Place>> watches_;
    std::map<std::string, Index> missing_index_;
    std::set<std::string> holders_;
};

}  // namespace watchtree::naive
