// bind_batch.h: watchtree.Batch: what the transport gets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <pybind11/pybind11.h>

#include "arguments.h"
#include "core/engine/engine.h"
#include "py_transport.h"

namespace watchtree::python {

namespace py = pybind11;

[[nodiscard]] py::object make_batch(core::Engine& engine, core::BatchRecord& record);

// After an answer: reports a wrong number of results, hands over the next part of a cut batch. Whether the answer counted.
[[nodiscard]] bool finish_answer(core::Engine& engine, const core::Answered& answered, const std::string& culprit,
                                 std::size_t results);

// sending: a ticket, or a record. results: None for all ok.
template <typename Sending>
[[nodiscard]] bool acknowledge_sending(core::Engine& engine, Sending& sending, py::handle results) {
    if (results.is_none()) {
        transport_of(engine).refresh_clock();
        return finish_answer(engine, engine.acknowledge(sending), {}, 0);
    }
    const std::vector<std::int64_t> codes = as_results(results);
    transport_of(engine).refresh_clock();
    std::string culprit;
    const core::Answered answered = engine.acknowledge(sending, codes, culprit);
    return finish_answer(engine, answered, culprit, codes.size());
}

void bind_batch(py::module_& module);

}  // namespace watchtree::python
