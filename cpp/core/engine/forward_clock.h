// forward_clock.h: the user's clock, which never goes backwards here, nor below zero.
//
// Threads     none; read under the lock of its owner.
#pragma once

#include <memory>
#include <utility>

#include "watchtree/clock.h"

namespace watchtree::core {

class ForwardClock final : public Clock {
  public:
    explicit ForwardClock(std::shared_ptr<Clock> clock) : clock_(std::move(clock)) {}
    [[nodiscard]] Nanoseconds now() noexcept override {
        const Nanoseconds time = clock_->now();
        if (time > last_) last_ = time;
        return last_;
    }

  private:
    std::shared_ptr<Clock> clock_;
    Nanoseconds last_ = 0;
};

}  // namespace watchtree::core
