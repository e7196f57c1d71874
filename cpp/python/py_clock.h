// py_clock.h: time from a Python callable.
#pragma once

#include <atomic>
#include <memory>

#include <pybind11/pybind11.h>

#include "callable_link.h"
#include "watchtree/clock.h"

namespace watchtree::python {

namespace py = pybind11;

// The engine reads the clock while it holds its lock, when no Python code may run. So each call of a dispatcher asks the
// callable first, and the engine sees what it answered.
class PyClock final : public Clock {
  public:
    [[nodiscard]] Nanoseconds now() noexcept override { return now_.load(std::memory_order_relaxed); }

    // Raises what the callable raises, TypeError if it answers no int, ValueError if no time can be that long.
    void refresh();
    [[nodiscard]] CallableLink& link() noexcept { return link_; }

  private:
    CallableLink link_;
    std::atomic<Nanoseconds> now_{0};
};

// The clock that an argument stands for, and the PyClock if it is one.
struct ChosenClock {
    std::shared_ptr<Clock> clock;
    std::shared_ptr<PyClock> python;
};
// clock: a ManualClock, another callable, or None.
[[nodiscard]] ChosenClock choose_clock(py::handle clock);

}  // namespace watchtree::python
