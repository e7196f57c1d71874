// The measured workloads of cpp/bench, for `watchtree bench`.
#include <exception>
#include <string>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "arguments.h"
#include "bench/workloads.h"
#include "bind_classes.h"
#include "docs.h"
#include "gil.h"

namespace watchtree::python {

namespace {

struct Stopped {};

py::tuple make_figure(const bench::Figure& figure) {
    return py::make_tuple(figure.workload, figure.config, figure.rate, figure.unit, figure.bytes_per_watch, figure.min,
                          figure.max, figure.rounds);
}

void measure(const py::str& name, int rounds, const py::function& tell) {
    const std::string wanted = name;
    const bench::Workload* chosen = nullptr;
    for (const bench::Workload& workload : bench::workloads())
        if (workload.name == wanted) chosen = &workload;
    if (chosen == nullptr) throw py::value_error("there is no workload " + wanted + "; choose one of workloads()");
    if (rounds < 1) throw py::value_error("rounds is " + std::to_string(rounds) + "; give 1 or more");

    std::exception_ptr raised;
    const auto in_python = [&](auto&& work) {
        with_gil([&] {
            try {
                stay_if_interpreter_ends(work);
            } catch (...) {
                raised = std::current_exception();
            }
        });
        if (raised != nullptr) throw Stopped();
    };
    const bench::Run run{rounds, [&](const bench::Figure& figure) { in_python([&] { tell(*make_figure(figure)); }); },
                         [&] {
                             in_python([] {
                                 if (PyErr_CheckSignals() != 0) throw py::error_already_set();
                             });
                         }};
    try {
        without_gil([&] { chosen->run(run); });
    } catch (const Stopped&) {
        std::rethrow_exception(raised);
    }
}

py::tuple workloads() {
    const auto all = bench::workloads();
    py::tuple names(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) names[i] = py::str(all[i].name.data(), all[i].name.size());
    return names;
}

}  // namespace

void bind_bench(py::module_& module) {
    module.def("workloads", workloads, docs::workloads);
    module.def("measure", measure, py::arg("workload"), py::arg("rounds"), py::arg("tell"), docs::measure);
}

}  // namespace watchtree::python
