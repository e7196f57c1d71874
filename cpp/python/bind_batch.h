// bind_batch.h: watchtree.Batch: what the transport gets.
#pragma once

#include <string>

#include <pybind11/pybind11.h>

#include "core/engine/engine.h"
#include "py_transport.h"

namespace watchtree::python {

namespace py = pybind11;

[[nodiscard]] py::object make_batch(core::Engine& engine, core::BatchRecord& record);

// After an answer: reports a wrong number of results, hands over the next part of a cut batch. Whether the answer counted.
[[nodiscard]] bool finish_answer(core::Engine& engine, const core::Answered& answered, const std::string& culprit,
                                 std::size_t results);

void bind_batch(py::module_& module);

}  // namespace watchtree::python
