// slab.h: records of one type, named by a 32-bit handle that stays the same while the record lives.
//
// Owns        chunks of 1,024 records, of 128 large ones. A chunk that is empty goes back to the allocator when another one has room, so
//             memory follows what is live, not what once was.
// Invariants  1. a handle given out is live until it is freed once.
//             2. every chunk with a free record is in the list of roomy chunks.
// Threads     none.
// Cost        make, free and access: O(1), two loads for an access, no allocation but for a new chunk.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/prefetch.h"

namespace watchtree::core {

using Handle = std::uint32_t;
inline constexpr Handle none = std::numeric_limits<Handle>::max();

template <typename T>
class Slab {
  public:
    static constexpr std::uint32_t chunk_bits = sizeof(T) <= 64 ? 10 : 7;  // at most some 64 KiB
    static constexpr std::uint32_t chunk_size = 1u << chunk_bits;

    // limit: most records; one more throws std::length_error, before anything has changed.
    explicit Slab(Handle limit = none) noexcept : limit_(limit) {}
    Slab(const Slab&) = delete;
    Slab& operator=(const Slab&) = delete;
    Slab(Slab&& other) noexcept { swap(other); }
    Slab& operator=(Slab&& other) noexcept {
        swap(other);
        return *this;
    }
    ~Slab() {
        for_each([](Handle, T& record) { record.~T(); });
        for (Cell* cells : cells_) free_cells(cells);
    }

    void swap(Slab& other) noexcept {
        std::swap(cells_, other.cells_);
        std::swap(chunks_, other.chunks_);
        std::swap(vacant_, other.vacant_);
        std::swap(roomy_, other.roomy_);
        std::swap(size_, other.size_);
        std::swap(allocated_, other.allocated_);
        std::swap(limit_, other.limit_);
    }

    // The caller must reserve first where a failure later would leave a half-done change.
    template <typename... Arguments>
    [[nodiscard]] Handle make(Arguments&&... arguments) {
        if (roomy_ == none) reserve();
        Chunk& chunk = chunks_[roomy_];
        const std::uint32_t position = chunk.free;
        Cell& cell = cells_[roomy_][position];
        const std::uint32_t next = cell.next;
        new (&cell) T{std::forward<Arguments>(arguments)...};
        const Handle handle = roomy_ << chunk_bits | position;
        chunk.free = next;
        ++chunk.live;
        ++size_;
        if constexpr (checked) chunk.alive[position] = true;
        if (next == none) {
            roomy_ = chunk.next_roomy;
            if (roomy_ != none) chunks_[roomy_].prev_roomy = none;
        }
        return handle;
    }

    void free(Handle handle) noexcept {
        WATCHTREE_ASSERT(live(handle));
        const std::uint32_t index = handle >> chunk_bits;
        Chunk& chunk = chunks_[index];
        const std::uint32_t position = handle & (chunk_size - 1);
        Cell& cell = cells_[index][position];
        reinterpret_cast<T*>(&cell)->~T();
        if constexpr (checked) chunk.alive[position] = false;
        const bool was_full = chunk.free == none;
        cell.next = chunk.free;
        chunk.free = position;
        --chunk.live;
        --size_;
        if (was_full) {
            chunk.next_roomy = roomy_;
            chunk.prev_roomy = none;
            if (roomy_ != none) chunks_[roomy_].prev_roomy = index;
            roomy_ = index;
        }
        if (chunk.live == 0 && (roomy_ != index || chunk.next_roomy != none)) give_back(index);
    }

    // Room for `count` more without allocation or exception.
    void reserve(std::uint32_t count = 1) {
        while (static_cast<std::uint64_t>(allocated_) * chunk_size - size_ < count) add_chunk();
        if (roomy_ == none) add_chunk();
    }

    [[nodiscard]] T& operator[](Handle handle) noexcept {
        WATCHTREE_ASSERT(live(handle));
        return *reinterpret_cast<T*>(&cells_[handle >> chunk_bits][handle & (chunk_size - 1)]);
    }
    [[nodiscard]] const T& operator[](Handle handle) const noexcept { return const_cast<Slab&>(*this)[handle]; }

    // Asks the processor for a record that will be read soon, of a large one its first `lines` cache lines.
    void prefetch(Handle handle, std::uint32_t lines = 1) const noexcept {
        if (handle == none) return;
        const auto* record =
            reinterpret_cast<const std::byte*>(&cells_[handle >> chunk_bits][handle & (chunk_size - 1)]);
        for (std::uint32_t line = 0; line < lines; ++line) core::prefetch(record + line * cache_line_bytes);
        if constexpr (sizeof(T) < cache_line_bytes && cache_line_bytes % sizeof(T) != 0)
            core::prefetch(record + sizeof(T) - 1);  // it may lie across two
    }

    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t memory() const noexcept {
        return static_cast<std::size_t>(allocated_) * chunk_size * sizeof(T) +
               cells_.capacity() * (sizeof(Chunk) + sizeof(Cell*));
    }

    // Every live record, by handle. Costs a pass over the free lists; for verify(), reset and destruction.
    template <typename Visit>
    void for_each(Visit visit) {
        std::bitset<chunk_size> vacant;  // not on the heap: this also destroys
        for (std::uint32_t i = 0; i < chunks_.size(); ++i) {
            Chunk& chunk = chunks_[i];
            const Cell* cells = cells_[i];
            if (cells == nullptr) continue;
            vacant.reset();
            for (std::uint32_t p = chunk.free; p != none; p = cells[p].next) vacant.set(p);
            for (std::uint32_t p = 0; p < chunk_size; ++p)
                if (!vacant[p]) visit(i << chunk_bits | p, *reinterpret_cast<T*>(&cells_[i][p]));
        }
    }

    [[nodiscard]] bool live([[maybe_unused]] Handle handle) const noexcept {
        if constexpr (checked) {
            const std::uint32_t index = handle >> chunk_bits;
            return index < chunks_.size() && cells_[index] != nullptr &&
                   chunks_[index].alive[handle & (chunk_size - 1)];
        } else {
            return true;
        }
    }

  private:
    union Cell {
        std::uint32_t next;
        alignas(T) std::byte bytes[sizeof(T)];
    };
    static_assert(sizeof(Cell) == sizeof(T) && std::is_nothrow_destructible_v<T>);
    static_assert(alignof(T) <= cache_line_bytes);
    static constexpr std::align_val_t alignment{cache_line_bytes};
    static void free_cells(Cell* cells) noexcept { ::operator delete(cells, alignment); }

    struct Chunk {
        std::uint32_t free = none;
        std::uint32_t live = 0;
        std::uint32_t prev_roomy = none;
        std::uint32_t next_roomy = none;
        std::bitset<checked ? chunk_size : 0> alive;
    };

    void add_chunk() {
        if (static_cast<std::uint64_t>(allocated_ + 1) * chunk_size > limit_)
            throw std::length_error("watchtree: too many records of one kind");
        std::uint32_t index;
        if (vacant_.empty()) {
            index = static_cast<std::uint32_t>(chunks_.size());
            cells_.resize(chunks_.size() + 1, nullptr);
            chunks_.emplace_back();
            vacant_.reserve(chunks_.size());  // so that give_back cannot fail
        } else {
            index = vacant_.back();
            vacant_.pop_back();
        }
        Chunk& chunk = chunks_[index];
        Cell* const cells = static_cast<Cell*>(::operator new(sizeof(Cell) * chunk_size, alignment, std::nothrow));
        if (cells == nullptr) {
            vacant_.push_back(index);
            throw std::bad_alloc();
        }
        chunk.alive.reset();
        for (std::uint32_t p = 0; p < chunk_size; ++p) cells[p].next = p + 1;
        cells[chunk_size - 1].next = none;
        cells_[index] = cells;
        chunk.free = 0;
        chunk.live = 0;
        chunk.prev_roomy = none;
        chunk.next_roomy = roomy_;
        if (roomy_ != none) chunks_[roomy_].prev_roomy = index;
        roomy_ = index;
        ++allocated_;
    }

    void give_back(std::uint32_t index) noexcept {
        Chunk& chunk = chunks_[index];
        if (chunk.prev_roomy != none) chunks_[chunk.prev_roomy].next_roomy = chunk.next_roomy;
        if (chunk.next_roomy != none) chunks_[chunk.next_roomy].prev_roomy = chunk.prev_roomy;
        if (roomy_ == index) roomy_ = chunk.next_roomy;
        free_cells(cells_[index]);
        cells_[index] = nullptr;
        --allocated_;
        vacant_.push_back(index);
    }

    std::vector<Cell*> cells_;  // by chunk; apart from the rest of it, which an access does not need
    std::vector<Chunk> chunks_;
    std::vector<std::uint32_t> vacant_;
    std::uint32_t roomy_ = none;
    std::uint32_t size_ = 0;
    std::uint32_t allocated_ = 0;
    Handle limit_ = none;
};

}  // namespace watchtree::core
