// The Python module watchtree._core: a table of contents.
#include <pybind11/pybind11.h>

#include "bind_batch.h"
#include "bind_classes.h"
#include "bind_errors.h"
#include "core/base/check.h"
#include "core/engine/patient_lock.h"
#include "docs.h"
#include "gil.h"

namespace py = pybind11;

PYBIND11_MODULE(_core, module, py::mod_gil_not_used()) {
    namespace wt = watchtree::python;
    py::options options;
    options.disable_function_signatures();  // the stub has them
    module.doc() = watchtree::docs::module;
    watchtree::core::set_wait_for_lock(wt::wait_for_engine);
    wt::bind_errors();
    wt::bind_clock(module);
    wt::bind_tree(module);
    wt::bind_batch(module);
    wt::bind_dispatcher(module);
    wt::bind_subscriber(module);
    wt::bind_trace(module);
    wt::bind_bench(module);
    module.attr("build_type") = watchtree::core::checked ? "checked" : "release";
}
