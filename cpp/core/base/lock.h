// lock.h: a lock of one word, for what is held for a few hundred instructions and is mostly free.
//
// Threads     any. Fair to nobody. One who finds it taken sleeps in the system, after a short spin of the library's.
// Cost        free: two locked instructions a turn, with nothing called; a std::mutex costs some 90 instructions more, a tenth
//             of what a notification costs. In a process of one thread, where the system's library knows it: none locked.
#pragma once

#include <atomic>
#include <cstdint>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define WATCHTREE_KNOWS_SINGLE_THREADED 1
#endif

namespace watchtree::core {

// Whether there is no other thread, so that none can come but through this one, which orders what it did before.
[[nodiscard]] inline bool is_only_thread() noexcept {
#ifdef WATCHTREE_KNOWS_SINGLE_THREADED
    return __libc_single_threaded != 0;
#else
    return false;
#endif
}

class Lock {
  public:
    [[nodiscard]] bool try_lock() noexcept {
        if (is_only_thread()) {
            if (state_.load(std::memory_order_relaxed) != is_free) return false;
            state_.store(is_taken, std::memory_order_relaxed);
            return true;
        }
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
        if (is_only_thread()) {
            state_.store(is_free, std::memory_order_relaxed);
            return;
        }
        if (state_.exchange(is_free, std::memory_order_release) == is_awaited) state_.notify_one();
    }

  private:
    static constexpr std::uint32_t is_free = 0;
    static constexpr std::uint32_t is_taken = 1;
    static constexpr std::uint32_t is_awaited = 2;  // taken, and somebody may be waiting

    std::atomic<std::uint32_t> state_{is_free};
};

}  // namespace watchtree::core
