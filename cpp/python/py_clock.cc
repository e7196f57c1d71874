#include "py_clock.h"

#include "arguments.h"
#include "bind_classes.h"
#include "gil.h"

namespace watchtree::python {

void PyClock::refresh() {
    const py::object callable = link_.get();
    if (callable.is_none()) return;
    const py::object answer = stay_if_interpreter_ends([&] { return callable(); });
    constexpr std::int64_t beyond = -1;
    if (!PyLong_Check(answer.ptr())) raise_type_error("the clock's answer", answer, "nanoseconds as an int");
    const std::int64_t time = as_int64(answer, "the clock's answer", 0, beyond);
    if (time == beyond && answer.attr("bit_length")().cast<int>() > 63) {
        PyErr_Format(PyExc_ValueError, "the clock's answer is %S; give nanoseconds below 2^63", answer.ptr());
        throw py::error_already_set();
    }
    now_.store(time, std::memory_order_relaxed);
}

ChosenClock choose_clock(py::handle clock) {
    if (clock.is_none()) return {std::make_shared<SteadyClock>(), nullptr};
    if (py::isinstance<PyManualClock>(clock)) {
        const auto& manual = clock.cast<const PyManualClock&>();
        (void)manual.clock();
        return {manual.shared, nullptr};
    }
    // The same clock, read without a call into Python.
    if (clock.is(py::module_::import("time").attr("monotonic_ns"))) return {std::make_shared<SteadyClock>(), nullptr};
    if (PyCallable_Check(clock.ptr()) == 0)
        raise_type_error("clock", clock, "a callable that answers nanoseconds, or None");
    auto python = std::make_shared<PyClock>();
    python->link().set(clock);
    python->refresh();
    return {python, python};
}

}  // namespace watchtree::python
