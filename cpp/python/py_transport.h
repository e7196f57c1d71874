// py_transport.h: carries batches to the Python callable that a Dispatcher sends with.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include <pybind11/pybind11.h>

#include "callable_link.h"
#include "core/engine/engine.h"
#include "py_clock.h"

namespace watchtree::python {

namespace py = pybind11;

class PyTransport final : public core::Courier {
  public:
    // Requires: Python's lock, held by whoever delivers.
    [[nodiscard]] bool hand_over(core::BatchRecord& record) override;

    void connect(core::Engine& engine) noexcept { engine_ = &engine; }
    // For a clock that is a Python callable: asks it. Before each call of the engine that reads the time.
    void refresh_clock() const {
        if (clock_ != nullptr) clock_->refresh();
    }
    void set_clock(std::shared_ptr<PyClock> clock) noexcept { clock_ = std::move(clock); }
    [[nodiscard]] CallableLink& send() noexcept { return send_; }
    [[nodiscard]] CallableLink& on_error() noexcept { return on_error_; }

    // Tells the user of an error, as watchtree.report.report does.
    void report(py::handle error, std::string_view channel) const;

  private:
    void ask_clock_for_failure(const core::BatchRecord& record) const;

    core::Engine* engine_ = nullptr;
    std::shared_ptr<PyClock> clock_;
    CallableLink send_;
    CallableLink on_error_;
};

// The transport of an engine of ours.
[[nodiscard]] inline PyTransport& transport_of(core::Engine& engine) noexcept {
    return static_cast<PyTransport&>(engine.courier());
}

// Wakes a Runner, or whatever the user has set as on_work.
class PyWaker final : public core::Waker {
  public:
    void wake() noexcept override;

    [[nodiscard]] CallableLink& on_work() noexcept { return on_work_; }
    [[nodiscard]] CallableLink& on_error() noexcept { return on_error_; }

  private:
    CallableLink on_work_;
    CallableLink on_error_;
};

// Reports the Python exception just caught; raises it again if it is no Exception, such as KeyboardInterrupt.
void report_exception(py::error_already_set& error, const py::object& on_error, std::string_view channel);

}  // namespace watchtree::python
