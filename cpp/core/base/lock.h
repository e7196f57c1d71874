// lock.h: a lock of one word, for what is held for a few hundred instructions and is mostly free.
//
// Threads     any. Fair to nobody. One who finds it taken sleeps in the system, after a short spin of the library's.
// Cost        free: two locked instructions a turn, with nothing called; a std::mutex costs some 90 instructions more, a tenth
//             of what a notification costs.
#pragma once

#include <atomic>
#include <cstdint>

namespace watchtree::core {

class Lock {
  public:
    [[nodiscard]] bool try_lock() noexcept {
        std::uint32_t expected = is_free;
        return state_.compare_exchange_strong(expected, is_taken, std::memory_order_acquire, std::memory_order_relaxed);
    }
    void lock() noexcept {
        if (try_lock()) return;
        // Whoever waited takes it as awaited: others may wait as well.
        while (state_.exchange(is_awaited, std::memory_order_acquire) != is_free)
            state_.wait(is_awaited, std::memory_order_relaxed);
    }
    void unlock() noexcept {
        if (state_.exchange(is_free, std::memory_order_release) == is_awaited) state_.notify_one();
    }

  private:
    static constexpr std::uint32_t is_free = 0;
    static constexpr std::uint32_t is_taken = 1;
    static constexpr std::uint32_t is_awaited = 2;  // taken, and somebody may be waiting

    std::atomic<std::uint32_t> state_{is_free};
};

}  // namespace watchtree::core
