// changed_queue.h: the holders whose keys changed, first in, first out (contract §3).
//
// A ring of handles instead of links through the holders, so that those to come are known some turns ahead and can be asked for
// before their turn: each is a cache miss. Beside each stands when it was queued, and in the holder once it has left.
//
// Invariants  1. each queued holder stands at its queue_position, every other place between front and back is vacant.
//             2. the front is not vacant.
// Cost        push, pop, erase: O(1), amortised where the ring is made smaller. Room must be made beforehand, amortised O(1).
//             At most 512 bytes, or 32 for each holder that was queued at a time; given back once the queue has emptied
//             many times and was far shorter each time.
#pragma once

#include <algorithm>
#include <bit>
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
    [[nodiscard]] std::size_t memory() const noexcept { return ring_.capacity() * sizeof(Place); }
    // So many can be pushed without allocation.
    [[nodiscard]] std::uint32_t room() const noexcept { return static_cast<std::uint32_t>(ring_.size()) - length(); }

    void reserve(Holders& holders, std::uint32_t count) {
        if (room() >= count) return;
        // Half of the places erased ones left pay for this.
        if (length() >= 2 * size_) squeeze(holders);
        if (room() < count) move_to_ring_of(places_for(std::uint64_t{length()} + count));
    }
    // Gives memory back when there are far fewer holders than places. All that are not queued have room then.
    void trim(Holders& holders) noexcept {
        const std::size_t places = places_for(std::uint64_t{holders.size()} * 2);
        if (places * 2 > ring_.size()) return;
        if (length() > places / 2) squeeze(holders);
        shrink_to(places);
    }

    // Requires: room, and that it is not queued.
    void push_back(Holders& holders, Handle handle, std::uint32_t stamp) noexcept {
        WATCHTREE_ASSERT(room() != 0 && !holders[handle].queued);
        place(end_) = {handle, stamp};
        holders[handle].queued = 1;
        holders[handle].queue_position = end_++;
        most_ = std::max(most_, ++size_);
    }

    // Requires: not empty.
    [[nodiscard]] Handle pop_front(Holders& holders) noexcept {
        const Handle handle = place(begin_).holder;
        erase(holders[handle]);
        return handle;
    }

    // Requires: queued.
    void erase(Holder& holder) noexcept {
        Place& at = place(holder.queue_position);
        holder.queued = 0;
        holder.last_stamp = at.stamp;
        at.holder = none;
        if (--size_ == 0) {
            rest();
        } else {
            while (place(begin_).holder == none) ++begin_;
        }
    }

    // When a holder was queued last; 0: never.
    [[nodiscard]] std::uint32_t stamp_of(const Holder& holder) const noexcept {
        return holder.queued ? place(holder.queue_position).stamp : holder.last_stamp;
    }

    // The holder so many places behind the front, none if that place is vacant or beyond the back.
    [[nodiscard]] Handle ahead(std::uint32_t places) const noexcept {
        return places < length() ? place(begin_ + places).holder : none;
    }

    void verify(const Holders& holders) const {
        std::uint32_t seen = 0;
        for (std::uint32_t position = begin_; position != end_; ++position) {
            const Handle handle = place(position).holder;
            require(handle != none || position != begin_, "changed queue 2: the front is vacant");
            if (handle == none) continue;
            ++seen;
            require(holders.live(handle) && holders[handle].queued && holders[handle].queue_position == position,
                    "changed queue 1: a queued holder is not at its position");
        }
        require(seen == size_, "changed queue 1: a holder stands twice in the queue");
    }

  private:
    struct Place {
        Handle holder;  // none: vacant
        std::uint32_t stamp;
    };
    static constexpr std::size_t fewest_places = 64;
    // What is asked for is a bound, from the length of a key, and mostly far more than is used: a ring that has grown for it
    // must not grow again for each put.
    static constexpr std::uint32_t most_quiet = 256;

    [[nodiscard]] static std::size_t places_for(std::uint64_t count) noexcept {
        return std::bit_ceil(std::max(static_cast<std::size_t>(count), fewest_places));
    }
    // Positions are counted on without end, so that those of the queued stay when the ring gets another size.
    [[nodiscard]] Place& place(std::uint32_t position) noexcept { return ring_[position & (ring_.size() - 1)]; }
    [[nodiscard]] const Place& place(std::uint32_t position) const noexcept {
        return ring_[position & (ring_.size() - 1)];
    }
    [[nodiscard]] std::uint32_t length() const noexcept { return end_ - begin_; }  // with the vacant places

    // The queue has become empty.
    void rest() noexcept {
        begin_ = end_;
        quiet_ = std::size_t{most_} * 4 < ring_.size() ? quiet_ + 1 : 0;
        if (quiet_ == most_quiet) {
            shrink_to(places_for(std::uint64_t{most_} * 2));
            quiet_ = 0;
        }
        most_ = 0;
    }

    // In place: a holder never moves past one that was not read yet.
    void squeeze(Holders& holders) noexcept {
        std::uint32_t kept = begin_;
        for (std::uint32_t position = begin_; position != end_; ++position) {
            const Place at = place(position);
            if (at.holder == none) continue;
            place(kept) = at;
            holders[at.holder].queue_position = kept++;
        }
        end_ = kept;
    }

    void shrink_to(std::size_t places) noexcept {
        if (places >= ring_.size()) return;
        try {
            move_to_ring_of(places);
        } catch (const std::bad_alloc&) {  // a ring that is too large still works
        }
    }
    void move_to_ring_of(std::size_t places) {
        std::vector<Place> fresh(places);
        for (std::uint32_t position = begin_; position != end_; ++position)
            fresh[position & (places - 1)] = place(position);
        ring_.swap(fresh);
    }

    std::vector<Place> ring_;        // of a power of two of places, or none
    std::uint32_t begin_ = 0u - 64;  // so that every use sees the numbers start over
    std::uint32_t end_ = begin_;
    std::uint32_t size_ = 0;
    std::uint32_t most_ = 0;   // queued at a time since the queue was empty
    std::uint32_t quiet_ = 0;  // times in a row that it emptied and had used less than a quarter of the ring
};

}  // namespace watchtree::core
