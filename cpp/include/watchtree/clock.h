// clock.h: where a dispatcher takes the time from. The engine reads it at each call and never takes it backwards.
#pragma once

#include <atomic>
#include <chrono>
#include <limits>

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
        return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count();
    }
};

// Stands still until it is moved, for tests and simulations. Any thread.
class ManualClock final : public Clock {
  public:
    explicit ManualClock(Nanoseconds start = 0) noexcept : now_(start) {}
    [[nodiscard]] Nanoseconds now() noexcept override { return now_.load(std::memory_order_relaxed); }
    // False, and nothing has changed, if the time would not fit. Requires: by >= 0.
    [[nodiscard]] bool advance(Nanoseconds by) noexcept {
        Nanoseconds at = now_.load(std::memory_order_relaxed);
        do {
            if (at > std::numeric_limits<Nanoseconds>::max() - by) return false;
        } while (!now_.compare_exchange_weak(at, at + by, std::memory_order_relaxed));
        return true;
    }

  private:
    std::atomic<Nanoseconds> now_;
};

}  // namespace watchtree
