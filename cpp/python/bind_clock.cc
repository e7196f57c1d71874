#include <cmath>
#include <string>

#include <pybind11/pybind11.h>

#include "arguments.h"
#include "bind_classes.h"
#include "docs.h"
#include "watchtree/clock.h"

namespace watchtree::python {

namespace {

PyManualClock make(const py::object& start_ns) {
    constexpr std::int64_t beyond = -1;
    const std::int64_t start = as_int64(start_ns, "start_ns", beyond, beyond);
    if (start < 0) throw py::value_error("start_ns is " + std::string(py::str(start_ns)) + "; give 0 to 2^63 - 1");
    return PyManualClock(start);
}

void advance(const PyManualClock& self, const py::object& seconds) {
    ManualClock& clock = self.clock();
    if (!PyFloat_Check(seconds.ptr()) && !PyLong_Check(seconds.ptr()))
        raise_type_error("seconds", seconds, "a number of seconds");
    const double by = PyFloat_AsDouble(seconds.ptr());
    if (by == -1.0 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    if (!std::isfinite(by) || by < 0)
        throw py::value_error("seconds is " + std::string(py::str(seconds)) + "; give 0 or more, and not infinite");
    // Whole seconds apart, so that large numbers keep their nanoseconds.
    const double whole = std::floor(by);
    constexpr double most = 9'223'372'036.0;
    const bool fits = whole < most &&
                      clock.advance(static_cast<Nanoseconds>(whole) * 1'000'000'000 + std::llround((by - whole) * 1e9));
    if (!fits) throw py::value_error("seconds is " + std::string(py::str(seconds)) + "; the time stays below 2^63 ns");
}

}  // namespace

void bind_clock(py::module_& module) {
    py::class_<PyManualClock>(module, "ManualClock", docs::manual_clock, py::is_final())
        .def(py::init(&make), py::arg("start_ns") = 0)
        .def(
            "__call__", [](const PyManualClock& self) { return self.clock().now(); }, docs::manual_clock_call)
        .def("advance", advance, py::arg("seconds"), docs::manual_clock_advance);
}

}  // namespace watchtree::python
