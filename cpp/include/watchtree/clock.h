// clock.h: where a dispatcher takes the time from. The engine reads it at each call and never takes it backwards.
#pragma once

#include <atomic>
#include <chrono>

#include "watchtree/words.h"

namespace watchtree {

class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Nanoseconds now() noexcept = 0;
};

// The machine's steady clock.
class SteadyClock final : public Clock {
  public:
    [[nodiscard]] Nanoseconds now() noexcept override {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(
                   std::chrono::steady_clock::now().time_since_epoch())
            .count();
    }
};

// Stands still until it is moved, for tests and simulations. Any thread.
class ManualClock final : public Clock {
  public:
    explicit ManualClock(Nanoseconds start = 0) noexcept : now_(start) {}
    [[nodiscard]] Nanoseconds now() noexcept override { return now_.load(std::memory_order_relaxed); }
    // Requires: by >= 0. The time stops at the greatest number there is.
    void advance(Nanoseconds by) noexcept {
        Nanoseconds at = now_.load(std::memory_order_relaxed);
        while (!now_.compare_exchange_weak(at, at > INT64_MAX - by ? INT64_MAX : at + by, std::memory_order_relaxed)) {
        }
    }

  private:
    std::atomic<Nanoseconds> now_;
};

}  // namespace watchtree
