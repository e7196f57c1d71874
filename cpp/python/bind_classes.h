// bind_classes.h: what module.cc puts together.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "core/engine/group.h"

namespace watchtree::python {

namespace py = pybind11;

// watchtree.Tree.
struct PyTree {
    std::shared_ptr<core::Group> group;
};

void bind_clock(py::module_& module);
void bind_tree(py::module_& module);
void bind_dispatcher(py::module_& module);

}  // namespace watchtree::python
