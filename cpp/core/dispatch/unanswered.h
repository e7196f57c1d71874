// unanswered.h: the batches that wait for an answer, found by their ticket and by their age.
//
// Most batches are answered soon, and tickets are counted: so the newest ones each have a place in a small ring, by their
// ticket. One that still waits when a newer ticket needs its place moves to a table and a list, which are for the slow.
//
// Invariants  1. every batch is in its place of the ring or in both, the table and the list; the latter are all older.
//             2. no ticket before first_ is in the ring.
// Cost        add, remove, find: O(1); in the ring one store or load. oldest: O(1) amortised over the tickets.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/intrusive_list.h"
#include "core/base/probe_table.h"
#include "core/base/slab.h"
#include "core/dispatch/batch_record.h"

namespace watchtree::core {

class Unanswered {
  public:
    using Records = Slab<BatchRecord>;

    explicit Unanswered(Records& records) noexcept : records_(records) {}

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t memory() const noexcept { return ring_.capacity() * sizeof(Handle) + table_.memory(); }

    // Room for one more without exception, with the next ticket.
    void reserve() {
        if (ring_.empty()) ring_.assign(places, none);
        table_.reserve(hash_of());
    }
    [[nodiscard]] bool has_room(std::uint64_t ticket) const noexcept {
        return !ring_.empty() && (ring_[ticket % places] == none || table_.has_room());
    }

    // Requires: room; a ticket greater than all before it.
    void add(BatchRecord& record) noexcept {
        Handle& place = ring_[record.ticket % places];
        if (place != none) move_to_the_slow(place);
        place = record.self;
        ++size_;
    }

    // Requires: it is there.
    void remove(BatchRecord& record) noexcept {
        Handle& place = ring_[record.ticket % places];
        if (place == record.self) {
            place = none;
        } else {
            table_.erase(table_.find(hash_ticket(record.ticket), [&](Handle slot) { return slot == record.self; }),
                         hash_of());
            table_.trim(hash_of());
            slow_.erase(records_, record.self);
        }
        --size_;
    }

    [[nodiscard]] BatchRecord* find(std::uint64_t ticket) const noexcept {
        if (size_ == 0) return nullptr;
        const Handle place = ring_[ticket % places];
        if (place != none && records_[place].ticket == ticket) return &records_[place];
        const Handle* slot =
            table_.find(hash_ticket(ticket), [&](Handle handle) { return records_[handle].ticket == ticket; });
        return slot == nullptr ? nullptr : &records_[*slot];
    }

    // Null if there is none. last_ticket: the greatest one ever given out.
    [[nodiscard]] BatchRecord* oldest(std::uint64_t last_ticket) noexcept {
        if (size_ == 0) return nullptr;
        if (!slow_.empty()) return &records_[slow_.front()];
        first_ = std::max(first_, last_ticket < places ? 1 : last_ticket - places + 1);
        while (ring_[first_ % places] == none) ++first_;
        return &records_[ring_[first_ % places]];
    }

    void give_memory_back() noexcept {
        if (size_ == 0) std::vector<Handle>().swap(ring_);
    }

    // visit(handle) for each, oldest first.
    template <typename Visit>
    void verify(std::uint64_t last_ticket, Visit visit) {
        std::uint32_t seen = 0;
        std::uint64_t before = 0;
        const auto check = [&](Handle handle) {
            require(records_[handle].ticket > before, "unanswered 1: batches stand in the order they were sent");
            before = records_[handle].ticket;
            require(find(before) == &records_[handle], "unanswered 1: a batch is found by its ticket");
            ++seen;
            visit(handle);
        };
        slow_.verify(records_, "unanswered 1: the list of slow answers is broken", check);
        require(slow_.size() == table_.size(), "unanswered 1: the slow ones are in the table and in the list");
        for (std::uint64_t back = std::min<std::uint64_t>(places, last_ticket); !ring_.empty() && back > 0; --back) {
            const std::uint64_t ticket = last_ticket - back + 1;
            const Handle place = ring_[ticket % places];
            if (place == none) continue;
            require(records_[place].ticket == ticket && ticket >= first_, "unanswered 2: a place is for one ticket");
            check(place);
        }
        require(seen == size_, "unanswered 1: every batch is in its place");
        table_.verify(hash_of(), "unanswered: the probes of the table");
    }

  private:
    static constexpr std::uint64_t places = 1024;

    static Links& links_of(BatchRecord& record) noexcept { return record.links; }
    [[nodiscard]] static std::uint32_t hash_ticket(std::uint64_t ticket) noexcept {
        return static_cast<std::uint32_t>(ticket * 0x9E3779B97F4A7C15u >> 32);
    }
    struct HashOf {
        const Records& records;
        std::uint32_t operator()(Handle handle) const noexcept { return hash_ticket(records[handle].ticket); }
    };
    [[nodiscard]] HashOf hash_of() const noexcept { return {records_}; }

    void move_to_the_slow(Handle handle) noexcept {
        table_.insert(hash_ticket(records_[handle].ticket), handle, hash_of());
        slow_.push_back(records_, handle);
    }

    Records& records_;
    std::vector<Handle> ring_;  // by ticket, modulo its size
    ProbeTable<BareHandle> table_;
    IntrusiveList<BatchRecord, links_of> slow_;
    std::uint64_t first_ = 1;
    std::uint32_t size_ = 0;
};

}  // namespace watchtree::core
