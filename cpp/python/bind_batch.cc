// watchtree.Batch, against Python's own API: one is made for every sending, and an instance of pybind11's would cost more than
// all the rest of a hand-over.
#include "bind_batch.h"

#include <cstddef>
#include <string>
#include <structmember.h>

#include "arguments.h"
#include "bind_errors.h"
#include "classes.h"
#include "core/wire/encode.h"
#include "docs.h"
#include "fast_call.h"

namespace watchtree::python {

namespace {

// A pin on a record of the engine, which stays alive for it.
struct BatchObject {
    PyObject_HEAD core::Engine* engine;
    core::BatchRecord* record;
    PyObject* weak_references;
};

PyTypeObject* batch_type = nullptr;

core::Engine& engine_of(PyObject* self) noexcept { return *reinterpret_cast<BatchObject*>(self)->engine; }
core::BatchRecord& record_of(PyObject* self) noexcept { return *reinterpret_cast<BatchObject*>(self)->record; }
Py_ssize_t length(PyObject* self) noexcept { return static_cast<Py_ssize_t>(record_of(self).entries.size()); }

void destroy(PyObject* self) {
    auto* const batch = reinterpret_cast<BatchObject*>(self);
    if (batch->weak_references != nullptr) PyObject_ClearWeakRefs(self);
    batch->engine->give_back(*batch->record);
    PyTypeObject* const type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

py::object make_notification(const core::BatchEntry& entry) {
    return make_tuple_of<4>(classes().notification,
                            {make_text(entry.key->view()), classes().states.at(entry.state_bits), py::int_(entry.index),
                             entry.value == nullptr ? py::none() : make_bytes(entry.value->view())});
}

PyObject* item(PyObject* self, Py_ssize_t position) {
    return guarded([&] {
        if (position < 0 || position >= length(self))
            throw py::index_error("the batch has " + std::to_string(length(self)) + " notifications");
        return make_notification(record_of(self).entries[static_cast<std::size_t>(position)]);
    });
}

PyObject* subscript(PyObject* self, PyObject* index) {
    Py_ssize_t position = 0;
    PyObject* const wrong = guarded([&]() -> py::object {
        if (PyIndex_Check(index) == 0) raise_type_error("position", index, "an int");
        position = PyNumber_AsSsize_t(index, PyExc_IndexError);
        if (position == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
        return py::none();
    });
    if (wrong == nullptr) return nullptr;
    Py_DECREF(wrong);
    return item(self, position < 0 ? position + length(self) : position);
}

PyObject* iterate(PyObject* self) {
    return guarded([&]() -> py::object {
        const auto& entries = record_of(self).entries;
        py::list items(entries.size());
        for (std::size_t i = 0; i < entries.size(); ++i) items[i] = make_notification(entries[i]);
        return py::iter(items);
    });
}

PyObject* represent(PyObject* self) {
    return guarded([&]() -> py::object {
        const core::BatchRecord& record = record_of(self);
        return py::str("<watchtree.Batch channel=" + py::repr(make_text(record.name->view())).cast<std::string>() +
                       " ticket=" + std::to_string(record.ticket) + " epoch=" + std::to_string(record.epoch) +
                       " notifications=" + std::to_string(record.entries.size()) +
                       " bytes=" + std::to_string(record.size_bytes) + (record.more ? " more>" : ">"));
    });
}

PyObject* acknowledge(PyObject* self, PyObject* const* values, Py_ssize_t positional, PyObject* names) {
    static constexpr Signature<1> signature{"Batch.acknowledge", {"results"}, 1, 0};
    return guarded([&] {
        const auto [results] = signature.read({values, positional, names});
        return py::bool_(acknowledge_sending(engine_of(self), record_of(self), results ? results : py::none()));
    });
}

PyObject* remove_all(PyObject* self, PyObject*) {
    return guarded([&] {
        core::Engine& engine = engine_of(self);
        return py::bool_(finish_answer(engine, engine.remove_all(record_of(self)), {}, 0));
    });
}

PyObject* fail(PyObject* self, PyObject* const* values, Py_ssize_t positional, PyObject* names) {
    static constexpr Signature<1> signature{"Batch.fail", {"reason"}, 1, 1};
    return guarded([&] {
        const auto [reason] = signature.read({values, positional, names});
        const Failure failure = as_failure(reason);
        core::Engine& engine = engine_of(self);
        transport_of(engine).refresh_clock();
        return py::bool_(finish_answer(engine, engine.fail(record_of(self), failure), {}, 0));
    });
}

PyObject* encode(PyObject* self, PyObject*) {
    return guarded([&] {
        const core::BatchRecord& record = record_of(self);
        auto bytes = py::reinterpret_steal<py::object>(
            PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(core::encoded_size(record))));
        if (!bytes) throw py::error_already_set();
        core::encode(record, PyBytes_AS_STRING(bytes.ptr()));
        return bytes;
    });
}

PyObject* show(PyObject* self, PyObject*) {
    return guarded([&] { return display("batch_html", self); });
}

template <auto read>
PyObject* get(PyObject* self, void*) {
    return guarded([&]() -> py::object { return read(record_of(self)); });
}
py::object channel(const core::BatchRecord& record) { return make_text(record.name->view()); }
py::object ticket(const core::BatchRecord& record) { return py::int_(record.ticket); }
py::object epoch(const core::BatchRecord& record) { return py::int_(record.epoch); }
py::object more(const core::BatchRecord& record) { return py::bool_(record.more); }
py::object size_bytes(const core::BatchRecord& record) { return py::int_(record.size_bytes); }

PyTypeObject* make_type() {
    static PyMethodDef methods[] = {
        fast_method("acknowledge", acknowledge, docs::batch_acknowledge),
        {"remove_all", remove_all, METH_NOARGS, docs::batch_remove_all},
        fast_method("fail", fail, docs::batch_fail),
        {"encode", encode, METH_NOARGS, docs::batch_encode},
        {"_repr_html_", show, METH_NOARGS, nullptr},
        {nullptr, nullptr, 0, nullptr},
    };
    static PyGetSetDef properties[] = {
        {"channel", get<channel>, nullptr, docs::batch_channel, nullptr},
        {"ticket", get<ticket>, nullptr, docs::batch_ticket, nullptr},
        {"epoch", get<epoch>, nullptr, docs::batch_epoch, nullptr},
        {"more", get<more>, nullptr, docs::batch_more, nullptr},
        {"size_bytes", get<size_bytes>, nullptr, docs::batch_size_bytes, nullptr},
        {nullptr, nullptr, nullptr, nullptr, nullptr},
    };
    static PyMemberDef members[] = {
        {"__weaklistoffset__", T_PYSSIZET, offsetof(BatchObject, weak_references), READONLY, nullptr},
        {nullptr, 0, 0, 0, nullptr},
    };
    const auto slot = [](auto* function) { return reinterpret_cast<void*>(function); };
    PyType_Slot slots[] = {
        {Py_tp_doc, const_cast<char*>(docs::batch)},
        {Py_tp_dealloc, slot(destroy)},
        {Py_tp_repr, slot(represent)},
        {Py_tp_iter, slot(iterate)},
        {Py_tp_methods, methods},
        {Py_tp_getset, properties},
        {Py_tp_members, members},
        {Py_sq_length, slot(length)},
        {Py_sq_item, slot(item)},
        {Py_mp_length, slot(length)},
        {Py_mp_subscript, slot(subscript)},
        {0, nullptr},
    };
    PyType_Spec spec = {"watchtree._core.Batch", sizeof(BatchObject), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
    PyObject* const type = PyType_FromSpec(&spec);
    if (type == nullptr) throw py::error_already_set();
    return reinterpret_cast<PyTypeObject*>(type);
}

}  // namespace

py::object make_batch(core::Engine& engine, core::BatchRecord& record) {
    auto* const batch = PyObject_New(BatchObject, batch_type);
    if (batch == nullptr) throw py::error_already_set();
    batch->engine = &engine;
    batch->record = &record;
    batch->weak_references = nullptr;
    core::Engine::pin(record);
    return py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(batch));
}

bool finish_answer(core::Engine& engine, const core::Answered& answered, const std::string& culprit,
                   std::size_t results) {
    if (answered.outcome == core::Outcome::wrong_count)
        transport_of(engine).report(make_wrong_result_count(culprit, results), culprit);
    if (answered.must_deliver) engine.deliver();
    return answered.outcome != core::Outcome::ignored;
}

void bind_batch(py::module_& module) {
    batch_type = make_type();
    module.add_object("Batch", py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(batch_type)));
}

}  // namespace watchtree::python
