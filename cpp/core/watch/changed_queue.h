// changed_queue.h: the holders whose keys changed, first in, first out (contract §3).
//
// A ring of handles instead of links through the holders, so that those to come are known some turns ahead and can be asked for
// before their turn: each is a cache miss.
//
// Invariants  1. each queued holder stands at its queue_position, every other place between front and back is vacant.
//             2. the front is not vacant.
// Cost        push, pop, erase: O(1), where the vacant places of erased ones are squeezed out, amortised; no allocation: room is
//             made when holders are. 5 to 6 bytes a holder.
#pragma once

#include <cstdint>
#include <new>
#include <vector>

#include "core/base/check.h"
#include "core/base/slab.h"
#include "core/watch/holder.h"

namespace watchtree::core {

class ChangedQueue {
  public:
    using Holders = Slab<Holder>;

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t memory() const noexcept { return ring_.capacity() * sizeof(Handle); }

    // Room for so many holders, all queued. An eighth of it is left for vacant places, or each push could have to squeeze.
    void reserve(Holders& holders, std::uint32_t count) {
        if (!has_room(count)) move_to_ring_of(holders, places_for(count));
    }
    // Gives memory back when there are far fewer holders than places.
    void trim(Holders& holders, std::uint32_t count) noexcept {
        if (ring_.size() < 64 || std::uint64_t{count} * 4 > ring_.size()) return;
        try {
            move_to_ring_of(holders, places_for(std::uint64_t{count} * 2));
        } catch (const std::bad_alloc&) {  // a ring that is too large still works
        }
    }

    // Requires: room for all holders there are.
    void push_back(Holders& holders, Handle handle) noexcept {
        if (length_ == ring_.size()) squeeze(holders);
        const std::uint32_t position = at(length_);
        ring_[position] = handle;
        holders[handle].queue_position = position;
        ++length_;
        ++size_;
    }

    // Requires: not empty.
    [[nodiscard]] Handle pop_front() noexcept {
        const Handle handle = ring_[begin_];
        ring_[begin_] = none;
        --size_;
        drop_vacant();
        return handle;
    }

    void erase(const Holder& holder) noexcept {
        ring_[holder.queue_position] = none;
        --size_;
        drop_vacant();
    }

    // The holder so many places behind the front, none if that place is vacant or beyond the back.
    [[nodiscard]] Handle ahead(std::uint32_t places) const noexcept {
        return places < length_ ? ring_[at(places)] : none;
    }

    void verify(const Holders& holders) const {
        std::uint32_t seen = 0;
        for (std::uint32_t i = 0; i < length_; ++i) {
            const Handle handle = ring_[at(i)];
            require(handle != none || i != 0, "changed queue 2: the front is vacant");
            if (handle == none) continue;
            ++seen;
            require(holders.live(handle) && holders[handle].queued && holders[handle].queue_position == at(i),
                    "changed queue 1: a queued holder is not at its position");
        }
        require(seen == size_, "changed queue 1: a holder stands twice in the queue");
        require(has_room(holders.size()), "changed queue: room for every holder");
    }

  private:
    // Always of one row of sizes, so that as many holders take as much memory whatever was before.
    [[nodiscard]] static std::size_t places_for(std::uint64_t count) noexcept {
        std::uint64_t places = 0;
        while (places * 7 < count * 8) places += places / 4 + 4;
        return static_cast<std::size_t>(places);
    }
    [[nodiscard]] bool has_room(std::uint32_t count) const noexcept {
        return std::uint64_t{count} * 8 <= std::uint64_t{ring_.size()} * 7;
    }
    [[nodiscard]] std::uint32_t at(std::uint32_t places) const noexcept {
        const std::uint64_t position = std::uint64_t{begin_} + places;
        return static_cast<std::uint32_t>(position < ring_.size() ? position : position - ring_.size());
    }
    void drop_vacant() noexcept {
        while (length_ != 0 && ring_[begin_] == none) {
            begin_ = at(1);
            --length_;
        }
    }

    // In place: a holder never moves backwards past one that was not read yet.
    void squeeze(Holders& holders) noexcept {
        std::uint32_t kept = 0;
        for (std::uint32_t i = 0; i < length_; ++i) {
            const Handle handle = ring_[at(i)];
            if (handle == none) continue;
            ring_[at(kept)] = handle;
            holders[handle].queue_position = at(kept);
            ++kept;
        }
        length_ = kept;
        WATCHTREE_ASSERT(length_ == size_ && length_ < ring_.size());
    }

    void move_to_ring_of(Holders& holders, std::size_t places) {
        std::vector<Handle> fresh(places, none);
        std::uint32_t kept = 0;
        for (std::uint32_t i = 0; i < length_; ++i) {
            const Handle handle = ring_[at(i)];
            if (handle == none) continue;
            fresh[kept] = handle;
            holders[handle].queue_position = kept++;
        }
        ring_.swap(fresh);
        begin_ = 0;
        length_ = kept;
    }

    std::vector<Handle> ring_;
    std::uint32_t begin_ = 0;
    std::uint32_t length_ = 0;  // with the vacant places
    std::uint32_t size_ = 0;
};

}  // namespace watchtree::core
