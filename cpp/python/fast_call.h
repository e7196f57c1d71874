// fast_call.h: methods that Python calls without pybind11 in between, for those that are called for every change and sending.
//
// What they throw is raised. Arguments come by position or by name.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include <pybind11/pybind11.h>

#include "core/base/check.h"
#include "gil.h"

namespace watchtree::python {

namespace py = pybind11;

// What Python calls must not throw: becomes the error that it would from a method of pybind11's. make(): a new reference.
template <typename Make>
PyObject* guarded(Make make) noexcept {
    return stay_if_interpreter_ends([&]() -> PyObject* {
        try {
            return make().release().ptr();
#if defined(__GLIBCXX__)
        } catch (abi::__forced_unwind&) {
            throw;
#endif
        } catch (...) {
            py::detail::try_translate_exceptions();
            return nullptr;
        }
    });
}

// The arguments of one call, as METH_FASTCALL | METH_KEYWORDS has them.
struct Given {
    PyObject* const* values;
    Py_ssize_t positional;
    PyObject* names;  // of those behind; may be null
};

// A method's name, for errors, and its arguments: `positional` of them may come by position, the first `required` must come.
template <std::size_t count>
struct Signature {
    const char* method;
    std::array<const char*, count> names;
    std::size_t positional;
    std::size_t required;

    // Null for what was not given.
    [[nodiscard]] std::array<py::handle, count> read(const Given& given) const {
        std::array<py::handle, count> arguments{};
        if (given.positional > static_cast<Py_ssize_t>(positional)) {
            PyErr_Format(PyExc_TypeError, "%s takes %zu arguments by position, not %zd; name the others", method,
                         positional, given.positional);
            throw py::error_already_set();
        }
        for (Py_ssize_t i = 0; i < given.positional; ++i) arguments[static_cast<std::size_t>(i)] = given.values[i];
        const Py_ssize_t named = given.names == nullptr ? 0 : PyTuple_GET_SIZE(given.names);
        for (Py_ssize_t i = 0; i < named; ++i)
            place(arguments, PyTuple_GET_ITEM(given.names, i), given.values[given.positional + i]);
        for (std::size_t i = 0; i < required; ++i)
            if (!arguments[i]) throw py::type_error(std::string(method) + " needs " + names[i] + "; give it");
        return arguments;
    }

  private:
    void place(std::array<py::handle, count>& arguments, PyObject* name, PyObject* value) const {
        for (std::size_t i = 0; i < count; ++i) {
            if (PyUnicode_CompareWithASCIIString(name, names[i]) != 0) continue;
            if (arguments[i]) throw py::type_error(std::string(method) + " was given " + names[i] + " twice");
            arguments[i] = value;
            return;
        }
        PyErr_Format(PyExc_TypeError, "%s has no argument %R; see help(watchtree.%s)", method, name, method);
        throw py::error_already_set();
    }
};

using FastMethod = PyObject* (*)(PyObject* self, PyObject* const* values, Py_ssize_t positional, PyObject* names);

// The definition of such a method, which must live as long as the class.
[[nodiscard]] inline PyMethodDef fast_method(const char* name, FastMethod method, const char* doc) noexcept {
    return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(method)), METH_FASTCALL | METH_KEYWORDS,
            doc};
}

// Gives a class of pybind11's the method; Python sees to it that `self` is of the class.
inline void add_fast_method(py::handle type, PyMethodDef& method) {
    PyObject* const descriptor = PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type.ptr()), &method);
    if (descriptor == nullptr) throw py::error_already_set();
    type.attr(method.ml_name) = py::reinterpret_steal<py::object>(descriptor);
}

// The C++ object of an instance of a class of pybind11's with one base and the default holder; null if __init__ never ran.
template <typename T>
[[nodiscard]] T* native(PyObject* self) noexcept {
    auto* const instance = reinterpret_cast<py::detail::instance*>(self);
    WATCHTREE_ASSERT(instance->simple_layout);
    return static_cast<T*>(instance->simple_value_holder[0]);
}

}  // namespace watchtree::python
