// intrusive_list.h: a first-in, first-out queue through records of a slab, linked by handle.
//
// Invariants  1. size() records are linked from head to tail, and back.
// Cost        every operation O(1), no allocation. A record may be in one list for each Links it has.
#pragma once

#include <cstdint>

#include "core/base/check.h"
#include "core/base/slab.h"

namespace watchtree::core {

struct Links {
    Handle prev;
    Handle next;
};

// links: a function (Record&) -> Links&, as a template argument so that each list names its own links.
template <typename Record, Links& (*links)(Record&)>
class IntrusiveList {
  public:
    using Records = Slab<Record>;

    [[nodiscard]] bool empty() const noexcept { return head_ == none; }
    [[nodiscard]] Handle front() const noexcept { return head_; }
    [[nodiscard]] Handle back() const noexcept { return tail_; }
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] static Handle next(Records& records, Handle handle) noexcept { return links(records[handle]).next; }

    void push_back(Records& records, Handle handle) noexcept {
        links(records[handle]) = {tail_, none};
        if (tail_ == none) {
            head_ = handle;
        } else {
            links(records[tail_]).next = handle;
        }
        tail_ = handle;
        ++size_;
    }

    void erase(Records& records, Handle handle) noexcept {
        const Links at = links(records[handle]);
        if (at.prev == none) {
            WATCHTREE_ASSERT(head_ == handle);
            head_ = at.next;
        } else {
            links(records[at.prev]).next = at.next;
        }
        if (at.next == none) {
            WATCHTREE_ASSERT(tail_ == handle);
            tail_ = at.prev;
        } else {
            links(records[at.next]).prev = at.prev;
        }
        --size_;
    }

    // Requires: not empty.
    Handle pop_front(Records& records) noexcept {
        const Handle handle = head_;
        drop_front(records, links(records[handle]).next, 1);
        return handle;
    }

    // The first `count` records leave; `next` follows them.
    void drop_front(Records& records, Handle next, std::uint32_t count) noexcept {
        head_ = next;
        (next == none ? tail_ : links(records[next]).prev) = none;
        size_ -= count;
    }

    void move_to_back(Records& records, Handle handle) noexcept {
        if (handle == tail_) return;
        erase(records, handle);
        push_back(records, handle);
    }

    template <typename Visit>
    void verify(Records& records, const char* name, Visit visit) const {
        Handle before = none;
        std::uint32_t count = 0;
        for (Handle h = head_; h != none; h = links(records[h]).next) {
            require(links(records[h]).prev == before && ++count <= size_, name);
            visit(h);
            before = h;
        }
        require(before == tail_ && count == size_, name);
    }

  private:
    Handle head_ = none;
    Handle tail_ = none;
    std::uint32_t size_ = 0;
};

}  // namespace watchtree::core
