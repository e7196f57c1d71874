// bind_classes.h: what module.cc puts together.
#pragma once

#include <memory>
#include <utility>

#include <pybind11/pybind11.h>

#include "core/engine/engine.h"
#include "core/engine/group.h"
#include "initialised.h"
#include "watchtree/clock.h"

namespace watchtree::python {

namespace py = pybind11;

// watchtree.Tree.
struct PyTree : ZeroedStorage {
    explicit PyTree(std::shared_ptr<core::Group> made) : shared(std::move(made)) {}

    [[nodiscard]] core::Group& group() const { return initialised(shared, "Tree"); }
    std::shared_ptr<core::Group> shared;
};

// watchtree.ManualClock.
struct PyManualClock : ZeroedStorage {
    explicit PyManualClock(Nanoseconds start) : shared(std::make_shared<ManualClock>(start)) {}

    [[nodiscard]] ManualClock& clock() const { return initialised(shared, "ManualClock"); }
    std::shared_ptr<ManualClock> shared;
};

// The engine of a watchtree.Dispatcher; a TypeError for anything else.
[[nodiscard]] core::Engine& engine_of_dispatcher(py::handle dispatcher);

void bind_bench(py::module_& module);
void bind_clock(py::module_& module);
void bind_tree(py::module_& module);
void bind_dispatcher(py::module_& module);
void bind_subscriber(py::module_& module);
void bind_trace(py::module_& module);

}  // namespace watchtree::python
