// bind_errors.h: from the core's codes to Python's exceptions (watchtree/errors.py). The only place that makes them.
#pragma once

#include <cstdint>
#include <string_view>

#include <pybind11/pybind11.h>

#include "watchtree/status.h"
#include "watchtree/words.h"

namespace watchtree::python {

namespace py = pybind11;

// What was asked, for the message and the fields of the exception.
struct Asked {
    const char* call;           // "put"
    std::string_view key = {};  // UTF-8, perhaps with lone surrogates
    std::size_t value_bytes = 0;
    py::handle index = py::none();  // as it was given
    Index tree_index = 0;
    std::uint32_t max_key_bytes = 0;
    std::uint32_t max_value_bytes = 0;
};

// The exception for a status that is not ok. Requires: not ok.
[[nodiscard]] py::object make_error(Status status, const Asked& asked);
[[noreturn]] void raise_error(Status status, const Asked& asked);
[[noreturn]] void raise_unknown_channel(const char* call, std::string_view channel);
// status: unknown_group or unknown_server, of a subscriber.
[[noreturn]] void raise_unknown(Status status, const char* call, std::string_view name);
[[nodiscard]] py::object make_wrong_result_count(std::string_view channel, std::size_t results);

void bind_errors();

}  // namespace watchtree::python
