// forward_clock.h: the user's clock, which never goes backwards here, nor below zero.
//
// Threads     none; read under the lock of its owner.
// Cost        what the user's clock costs. Of the machine's own, which takes some 25 ns, a reading less than half a
//             microsecond to two old (by the processor's counter, where it has one that user programs read) is good enough.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "watchtree/clock.h"

namespace watchtree::core {

class ForwardClock final : public Clock {
  public:
    explicit ForwardClock(std::shared_ptr<Clock> clock)
        : clock_(std::move(clock)), is_steady_(dynamic_cast<SteadyClock*>(clock_.get()) != nullptr) {}

    [[nodiscard]] Nanoseconds now() noexcept override {
#if defined(__x86_64__) && defined(__GNUC__)
        if (is_steady_) {
            // A counter that jumps, as from one processor to another, only makes a reading older or younger than that.
            const std::uint64_t ticks = __builtin_ia32_rdtsc();
            if (ticks - read_at_ < ticks_of_a_reading) return last_;
            read_at_ = ticks;
        }
#endif
        const Nanoseconds time = clock_->now();
        if (time > last_) last_ = time;
        return last_;
    }

  private:
    static constexpr std::uint64_t ticks_of_a_reading = 2048;

    std::shared_ptr<Clock> clock_;
    [[maybe_unused]] bool is_steady_;
    [[maybe_unused]] std::uint64_t read_at_ = 0;
    Nanoseconds last_ = 0;
};

}  // namespace watchtree::core
