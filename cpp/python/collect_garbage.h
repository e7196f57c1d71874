// collect_garbage.h: lets Python's collector look into a native object that owns callables of the user's.
#pragma once

#include <pybind11/pybind11.h>

namespace watchtree::python {

namespace py = pybind11;

// For py::custom_type_setup. Owner: has traverse(visitproc, void*) const, and clear(), which drops what it owns.
template <typename Owner>
void collect_garbage(PyHeapTypeObject* heap_type) {
    PyTypeObject* type = &heap_type->ht_type;
    type->tp_flags |= Py_TPFLAGS_HAVE_GC;
    type->tp_traverse = [](PyObject* self, visitproc visit, void* arg) {
        Py_VISIT(Py_TYPE(self));
        if (!py::detail::is_holder_constructed(self)) return 0;
        return py::cast<Owner&>(py::handle(self)).traverse(visit, arg);
    };
    type->tp_clear = [](PyObject* self) {
        if (py::detail::is_holder_constructed(self)) py::cast<Owner&>(py::handle(self)).clear();
        return 0;
    };
}

}  // namespace watchtree::python
