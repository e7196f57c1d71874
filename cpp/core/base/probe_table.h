// probe_table.h: open addressing with linear probing, for handles and pointers to records kept elsewhere.
//
// A slot holds no key: the caller says whether a slot is the one looked for and what its hash is, so that keys are stored
// once. Erasing shifts the cluster back; there are no tombstones. The order of slots is never shown to anyone (G10).
//
// Policy      Slot; static Slot vacant(); static bool is_vacant(const Slot&).
// fill        most percent of the slots that are taken: fewer is faster, more is smaller.
// Invariants  1. between a slot's home and its place there is no vacant slot.
//             2. at most `fill` percent of the slots are taken.
// Cost        O(1) expected; grows by half, is trimmed below a fifth.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <utility>

#include "core/base/check.h"
#include "core/base/prefetch.h"
#include "core/base/slab.h"

namespace watchtree::core {

template <typename Policy, std::uint32_t fill = 75>
class ProbeTable {
  public:
    using Slot = typename Policy::Slot;

    ProbeTable() noexcept = default;
    ProbeTable(const ProbeTable&) = delete;
    ProbeTable& operator=(const ProbeTable&) = delete;
    ProbeTable(ProbeTable&& other) noexcept { swap(other); }
    ProbeTable& operator=(ProbeTable&& other) noexcept {
        swap(other);
        return *this;
    }
    ~ProbeTable() { std::free(slots_); }

    void swap(ProbeTable& other) noexcept {
        std::swap(slots_, other.slots_);
        std::swap(capacity_, other.capacity_);
        std::swap(size_, other.size_);
    }

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t memory() const noexcept { return std::size_t{capacity_} * sizeof(Slot); }

    // The first slot with this hash for which matches(slot) holds; nullptr if there is none.
    template <typename Matches>
    [[nodiscard]] Slot* find(std::uint32_t hash, Matches matches) const noexcept {
        if (capacity_ == 0) return nullptr;
        for (std::uint32_t i = home(hash);; i = after(i)) {
            if (Policy::is_vacant(slots_[i])) return nullptr;
            if (matches(slots_[i])) return &slots_[i];
        }
    }

    // Asks the processor for the slots a find(hash) will read.
    void prefetch(std::uint32_t hash) const noexcept {
        if (capacity_ != 0) core::prefetch(&slots_[home(hash)]);
    }
    [[nodiscard]] const Slot* first_probe(std::uint32_t hash) const noexcept {
        return capacity_ == 0 ? nullptr : &slots_[home(hash)];
    }

    [[nodiscard]] bool has_room(std::uint32_t more = 1) const noexcept {
        return (std::uint64_t{size_} + more) * 100 <= std::uint64_t{capacity_} * fill;
    }

    // Room for more without allocation or exception.
    template <typename HashOf>
    void reserve(HashOf hash_of, std::uint32_t more = 1) {
        if (has_room(more)) return;
        const std::uint64_t wanted = std::uint64_t{size_} + more;
        std::uint64_t capacity = capacity_ == 0 ? 4 : capacity_;
        while (wanted * 100 > capacity * fill) capacity += capacity / 2;
        if (capacity > none) throw std::length_error("watchtree: too many records of one kind");
        rebuild(static_cast<std::uint32_t>(capacity), hash_of);
    }

    // Requires: not there yet.
    template <typename HashOf>
    void insert(std::uint32_t hash, Slot slot, HashOf hash_of) {
        reserve(hash_of);
        place(hash, slot);
        ++size_;
    }

    template <typename HashOf>
    void erase(Slot* slot, HashOf hash_of) noexcept {
        std::uint32_t hole = static_cast<std::uint32_t>(slot - slots_);
        for (std::uint32_t i = after(hole); !Policy::is_vacant(slots_[i]); i = after(i)) {
            // A slot may fill the hole unless its home lies after the hole, on the way to i.
            if (distance(home(hash_of(slots_[i])), i) >= distance(hole, i)) {
                slots_[hole] = slots_[i];
                hole = i;
            }
        }
        slots_[hole] = Policy::vacant();
        --size_;
    }

    // Gives memory back if fewer than a fifth of the slots are taken. Not between reserve() and the inserts it is for.
    template <typename HashOf>
    void trim(HashOf hash_of) noexcept {
        if (size_ == 0) {
            std::free(slots_);
            slots_ = nullptr;
            capacity_ = 0;
            return;
        }
        std::uint32_t capacity = capacity_;
        while (capacity >= 16 && std::uint64_t{size_} * 5 < capacity) capacity /= 2;
        if (capacity == capacity_) return;
        try {
            rebuild(capacity, hash_of);
        } catch (const std::bad_alloc&) {  // a table that is too large still works
        }
    }

    template <typename Visit>
    void for_each(Visit visit) const {
        for (std::uint32_t i = 0; i < capacity_; ++i)
            if (!Policy::is_vacant(slots_[i])) visit(slots_[i]);
    }

    template <typename HashOf>
    void verify(HashOf hash_of, const char* name) const {
        std::uint32_t count = 0;
        for (std::uint32_t i = 0; i < capacity_; ++i) {
            if (Policy::is_vacant(slots_[i])) continue;
            ++count;
            for (std::uint32_t j = home(hash_of(slots_[i])); j != i; j = after(j))
                require(!Policy::is_vacant(slots_[j]), name);
        }
        require(count == size_ && std::uint64_t{size_} * 100 <= std::uint64_t{capacity_} * fill, name);
    }

  private:
    [[nodiscard]] std::uint32_t home(std::uint32_t hash) const noexcept {
        return static_cast<std::uint32_t>(std::uint64_t{hash} * capacity_ >> 32);
    }
    [[nodiscard]] std::uint32_t after(std::uint32_t i) const noexcept { return i + 1 == capacity_ ? 0 : i + 1; }
    [[nodiscard]] std::uint32_t distance(std::uint32_t from, std::uint32_t to) const noexcept {
        return to >= from ? to - from : to + (capacity_ - from);
    }

    void place(std::uint32_t hash, Slot slot) noexcept {
        std::uint32_t i = home(hash);
        while (!Policy::is_vacant(slots_[i])) i = after(i);
        slots_[i] = slot;
    }

    template <typename HashOf>
    void rebuild(std::uint32_t capacity, HashOf hash_of) {
        auto* slots = static_cast<Slot*>(std::malloc(sizeof(Slot) * capacity));
        if (slots == nullptr) throw std::bad_alloc();
        for (std::uint32_t i = 0; i < capacity; ++i) slots[i] = Policy::vacant();
        Slot* old = std::exchange(slots_, slots);
        const std::uint32_t old_capacity = std::exchange(capacity_, capacity);
        for (std::uint32_t i = 0; i < old_capacity; ++i)
            if (!Policy::is_vacant(old[i])) place(hash_of(old[i]), old[i]);
        std::free(old);
    }

    Slot* slots_ = nullptr;
    std::uint32_t capacity_ = 0;
    std::uint32_t size_ = 0;
};

// A slot that remembers the hash of what it names: lookups touch the record only when the hashes are equal.
struct HashedHandle {
    struct Slot {
        std::uint32_t hash;
        Handle handle;
    };
    static Slot vacant() noexcept { return {0, none}; }
    static bool is_vacant(const Slot& slot) noexcept { return slot.handle == none; }
    static std::uint32_t hash_of(const Slot& slot) noexcept { return slot.hash; }
};

// A bare handle, half the size, for records that are at hand anyway.
struct BareHandle {
    using Slot = Handle;
    static Slot vacant() noexcept { return none; }
    static bool is_vacant(Slot slot) noexcept { return slot == none; }
};

}  // namespace watchtree::core
