#include "bind_errors.h"

#include <string>

#include "classes.h"
#include "core/base/check.h"

namespace watchtree::python {

namespace {

constexpr std::size_t longest_quote = 80;

// The key as a Python literal, cut where it is long.
std::string quote(std::string_view key) {
    const bool cut = key.size() > longest_quote;
    std::string_view shown = cut ? key.substr(0, longest_quote) : key;
    while (cut && !shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xC0) == 0x80) shown.remove_suffix(1);
    if (cut && !shown.empty() && (static_cast<unsigned char>(shown.back()) & 0x80) != 0) shown.remove_suffix(1);
    PyObject* text = PyUnicode_DecodeUTF8(shown.data(), static_cast<Py_ssize_t>(shown.size()), "surrogatepass");
    if (text == nullptr) throw py::error_already_set();
    const std::string literal = py::repr(py::reinterpret_steal<py::object>(text));
    return cut ? literal.substr(0, literal.size() - 1) + "…" + literal.back() : literal;
}

const char* why_invalid(std::string_view key) {
    if (key.empty()) return "the root cannot be removed; remove its children";
    if (key.front() == '.' || key.back() == '.' || key.find("..") != std::string_view::npos)
        return "a part of it is empty; join parts by single dots, with none at the ends";
    for (std::size_t i = 0; i < key.size(); ++i) {
        const auto byte = static_cast<unsigned char>(key[i]);
        const auto next = i + 1 < key.size() ? static_cast<unsigned char>(key[i + 1]) : 0u;
        if (byte < 0x20 || byte == 0x7F || (byte == 0xC2 && next >= 0x80 && next < 0xA0))
            return "it has a control character; escape it before it becomes a key";
    }
    return "it has a lone surrogate, which is no Unicode character; decode the text it comes from correctly";
}

std::string describe(Status status, const Asked& asked) {
    const std::string key = quote(asked.key);
    const std::string sizes_of_key = std::to_string(asked.key.size()) + " bytes of UTF-8; the limit is " +
                                     std::to_string(asked.max_key_bytes) + " (Config.max_key_bytes)";
    const std::string sizes_of_value = std::to_string(asked.value_bytes) + " bytes; the limit is " +
                                       std::to_string(asked.max_value_bytes) + " (Config.max_value_bytes)";
    switch (status) {
        case Status::invalid_key: return "key " + key + " is refused: " + why_invalid(asked.key);
        case Status::key_too_long: return "key " + key + " has " + sizes_of_key + "; shorten it or raise the limit";
        case Status::value_too_long:
            return "the value for " + key + " has " + sizes_of_value + "; split it or raise the limit";
        case Status::stale_index:
            return "index " + std::string(py::str(asked.index)) + " is not greater than the tree's, which is " +
                   std::to_string(asked.tree_index) + "; give a greater one, or None to count on";
        case Status::index_out_of_range:
            if (asked.index.is_none()) return "the tree's index is 2^63 - 1, the last there is; start a new tree";
            return "index " + std::string(py::str(asked.index)) +
                   " is out of range; give at most 2^63 - 1, and in a sync at least -1";
        case Status::not_found: return "there is no key " + key + "; put it first, or test with `in`";
        case Status::parent_not_found:
            return "the directory that would hold " + key +
                   " does not exist; make it with mkdir, or put with parents=True";
        case Status::parent_not_directory:
            return "a key above " + key + " holds a value and can have no children; remove that value first";
        case Status::is_directory: return "key " + key + " is a directory and holds no value; remove it first";
        case Status::not_directory: return "key " + key + " holds a value and has no children; read it with get";
        case Status::directory_exists: return "the directory " + key + " exists already; there is nothing to make";
        case Status::value_exists: return "key " + key + " holds a value; remove it before making a directory of it";
        case Status::has_children:
            return "the directory " + key + " is not empty; remove what is in it, or give recursive=True";
        case Status::compare_failed:
            return "the value of " + key + " is not the expected one; read it again and decide anew";
        case Status::invalid_snapshot:
            return "these bytes are no image of a tree with these limits: damaged, cut, of an unknown version, or with "
                   "keys "
                   "or values above the limits; give what Tree.snapshot answered";
        case Status::duplicate_key: return "key " + key + " is named twice; name each key once in a sync";
        case Status::unknown_channel:
        case Status::unknown_group:
        case Status::unknown_server:
        case Status::ok: break;
    }
    return name_of(status);
}

py::object make(const char* name, const std::string& message, const py::dict& fields) {
    return classes().errors.attr(name)(message, **fields);
}

}  // namespace

py::object make_error(Status status, const Asked& asked) {
    const std::string message = std::string(asked.call) + ": " + describe(status, asked);
    if (status == Status::index_out_of_range)
        return py::reinterpret_borrow<py::object>(PyExc_ValueError)(make_text(message));
    py::dict fields;
    if (status != Status::stale_index && status != Status::invalid_snapshot) {
        PyObject* key =
            PyUnicode_DecodeUTF8(asked.key.data(), static_cast<Py_ssize_t>(asked.key.size()), "surrogatepass");
        if (key == nullptr) throw py::error_already_set();
        fields["key"] = py::reinterpret_steal<py::object>(key);
    }
    if (status == Status::stale_index) fields["index"] = asked.tree_index;
    if (status == Status::key_too_long) fields["limit"] = asked.max_key_bytes;
    if (status == Status::value_too_long) fields["limit"] = asked.max_value_bytes;
    return make(name_of(status), message, fields);
}

void raise_error(Status status, const Asked& asked) {
    const py::object error = make_error(status, asked);
    PyErr_SetObject(py::type::handle_of(error).ptr(), error.ptr());
    throw py::error_already_set();
}

void raise_unknown_channel(const char* call, std::string_view channel) {
    py::dict fields;
    fields["channel"] = make_text(channel);
    const py::object error = make(
        "UnknownChannel", std::string(call) + ": there is no channel " + quote(channel) + "; sync makes one", fields);
    PyErr_SetObject(py::type::handle_of(error).ptr(), error.ptr());
    throw py::error_already_set();
}

void raise_unknown(Status status, const char* call, std::string_view name) {
    const bool is_group = status == Status::unknown_group;
    const py::object error = make(name_of(status),
                                  std::string(call) + ": this subscriber has no " + (is_group ? "group " : "server ") +
                                      quote(name) + "; give one of those it was made with",
                                  {});
    PyErr_SetObject(py::type::handle_of(error).ptr(), error.ptr());
    throw py::error_already_set();
}

py::object make_wrong_result_count(std::string_view channel, std::size_t results) {
    py::dict fields;
    fields["channel"] = make_text(channel);
    return make(
        "WrongResultCount",
        "an answer for channel " + quote(channel) + " had " + std::to_string(results) +
            " results, which is not the number of its notifications, so the channel was closed; give one result "
            "for each notification of the batch",
        fields);
}

void bind_errors() {
    py::register_local_exception_translator([](std::exception_ptr thrown) {
        try {
            if (thrown) std::rethrow_exception(thrown);
        } catch (const core::BrokenInvariant& broken) {
            PyErr_SetString(PyExc_AssertionError, broken.what());
        }
    });
}

}  // namespace watchtree::python
