// classes.h: the Python classes that the binding makes instances of, imported once.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <pybind11/pybind11.h>

#include "watchtree/tree_id.h"
#include "watchtree/words.h"

namespace watchtree::python {

namespace py = pybind11;

struct Classes {
    py::object node;
    py::object notification;
    py::object synced;
    py::object put;
    py::object mkdir;
    py::object remove;
    py::object compare_and_set;
    py::object holder;
    py::object node_list;
    py::object config;
    py::object histogram;
    py::object dispatcher_stats;
    py::object channel_stats;
    py::object subscriber_stats;
    py::object event;
    py::object connect;
    py::object disconnect;
    py::object sync;
    py::object touch;
    py::object failure;
    py::object ok;
    py::object remove_watch;
    py::object remove_all_watches;
    py::object report;
    py::object uuid;
    py::object errors;   // the module
    py::object display;  // the module
    std::array<py::object, 3> states;
};

// Requires: Python's lock.
[[nodiscard]] const Classes& classes();

[[nodiscard]] py::object make_text(std::string_view utf8);
[[nodiscard]] py::object make_bytes(std::string_view bytes);
[[nodiscard]] py::object make_uuid(const TreeId& id);
// A NamedTuple of one of these classes. Takes over the references.
template <std::size_t count>
[[nodiscard]] py::object make_tuple_of(const py::object& type, std::array<py::object, count> items) {
    auto* tuple_type = reinterpret_cast<PyTypeObject*>(type.ptr());
    PyObject* tuple = tuple_type->tp_alloc(tuple_type, static_cast<Py_ssize_t>(count));
    if (tuple == nullptr) throw py::error_already_set();
    for (std::size_t i = 0; i < count; ++i)
        PyTuple_SET_ITEM(tuple, static_cast<Py_ssize_t>(i), items[i].release().ptr());
    return py::reinterpret_steal<py::object>(tuple);
}
// A watchtree.trace.Trace of a log.
[[nodiscard]] py::object make_trace(py::object log);

// Calls watchtree.display.<function>(object).
[[nodiscard]] py::object display(const char* function, py::handle object);

}  // namespace watchtree::python
