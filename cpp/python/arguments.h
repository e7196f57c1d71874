// arguments.h: from Python's arguments to the core's. A wrong type is a TypeError before anything has happened.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pybind11/pybind11.h>

#include "watchtree/config.h"
#include "watchtree/known.h"
#include "watchtree/operation.h"

namespace watchtree::python {

namespace py = pybind11;

[[noreturn]] void raise_type_error(const char* what, py::handle value, const char* wanted);

// The UTF-8 of a str, kept alive. Lone surrogates are kept as they are, so that the core refuses them as any bad key.
class Text {
  public:
    // what: the argument's name, for the TypeError.
    Text(py::handle text, const char* what);
    [[nodiscard]] std::string_view view() const noexcept { return view_; }
    [[nodiscard]] py::handle object() const noexcept { return text_; }

  private:
    py::object text_;
    py::object encoded_;  // where the str has no UTF-8 of its own
    std::string_view view_;
};

// A channel's name. Lone surrogates are a UnicodeEncodeError, which is a ValueError.
class Name {
  public:
    explicit Name(py::handle name);
    [[nodiscard]] std::string_view view() const noexcept { return view_; }
    [[nodiscard]] py::handle object() const noexcept { return name_; }

  private:
    py::object name_;
    std::string_view view_;
};

// The bytes of an object with a contiguous buffer, borrowed for as long as this lives.
class Bytes {
  public:
    Bytes(py::handle object, const char* what);
    Bytes(const Bytes&) = delete;
    Bytes& operator=(const Bytes&) = delete;
    Bytes(Bytes&& other) noexcept;
    ~Bytes();
    [[nodiscard]] std::string_view view() const noexcept {
        return {static_cast<const char*>(buffer_.buf), static_cast<std::size_t>(buffer_.len)};
    }

  private:
    Py_buffer buffer_{};
};

// Without a look at its attributes, whose name would be made anew for each call and kept by Python's cache of types.
[[nodiscard]] inline bool is_iterable(py::handle object) noexcept { return Py_TYPE(object.ptr())->tp_iter != nullptr; }

[[nodiscard]] bool as_bool(py::handle value, const char* what);
// `index=`: an int or None.
[[nodiscard]] AskedIndex as_asked_index(py::handle index);
// An int of any size: what an int64 cannot hold becomes `beyond`.
[[nodiscard]] std::int64_t as_int64(py::handle value, const char* what, std::int64_t below, std::int64_t above);
[[nodiscard]] std::uint64_t as_ticket(py::handle value, const char* what = "ticket");  // 0 for what none can be
[[nodiscard]] Failure as_failure(py::handle value);
[[nodiscard]] std::vector<std::int64_t> as_results(py::handle results);

// The argument of sync, with everything that it borrows from.
class KnownKeys {
  public:
    explicit KnownKeys(py::handle known);
    [[nodiscard]] const std::vector<Known>& view() const noexcept { return known_; }
    [[nodiscard]] py::handle key(std::size_t position) const { return texts_[position].object(); }
    [[nodiscard]] py::handle index(std::size_t position) const { return indexes_[position]; }

  private:
    void add(py::handle key, py::handle index);

    std::vector<Text> texts_;
    std::vector<py::object> indexes_;
    std::vector<Known> known_;
};

// A watchtree.Config, or None for the defaults, as the core's.
[[nodiscard]] Config as_config(py::handle config);
// The same as a Python object: never None.
[[nodiscard]] py::object config_or_default(py::handle config);

}  // namespace watchtree::python
