#include "bind_batch.h"

#include <string>

#include "arguments.h"
#include "bind_errors.h"
#include "classes.h"
#include "core/wire/encode.h"
#include "docs.h"
#include "gil.h"
#include "initialised.h"

namespace watchtree::python {

namespace {

// A pin on a record of the engine, which stays alive for it.
class PyBatch : public ZeroedStorage {
  public:
    PyBatch(core::Engine& engine, core::BatchRecord& record) : engine_(&engine), record_(&record) {
        core::Engine::pin(record);
    }
    PyBatch(PyBatch&& other) noexcept
        : engine_(std::exchange(other.engine_, nullptr)), record_(std::exchange(other.record_, nullptr)) {}
    PyBatch(const PyBatch&) = delete;
    PyBatch& operator=(const PyBatch&) = delete;
    ~PyBatch() {
        if (record_ != nullptr) engine_->give_back(*record_);
    }

    [[nodiscard]] core::Engine& engine() const { return initialised(engine_, "Batch"); }
    [[nodiscard]] core::BatchRecord& record() const { return initialised(record_, "Batch"); }
    [[nodiscard]] std::size_t size() const { return record().entries.size(); }

  private:
    core::Engine* engine_;
    core::BatchRecord* record_;
};

py::object make_notification(const core::BatchEntry& entry) {
    return make_tuple_of<4>(classes().notification,
                            {make_text(entry.key->view()), classes().states.at(entry.state_bits), py::int_(entry.index),
                             entry.value == nullptr ? py::none() : make_bytes(entry.value->view())});
}

py::object get_item(const PyBatch& batch, const py::object& index) {
    const auto size = static_cast<py::ssize_t>(batch.size());
    if (PyIndex_Check(index.ptr()) == 0) raise_type_error("position", index, "an int");
    py::ssize_t position = PyNumber_AsSsize_t(index.ptr(), PyExc_IndexError);
    if (position == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    if (position < 0) position += size;
    if (position < 0 || position >= size)
        throw py::index_error("the batch has " + std::to_string(size) + " notifications");
    return make_notification(batch.record().entries[static_cast<std::size_t>(position)]);
}

py::list all_items(const PyBatch& batch) {
    py::list items(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) items[i] = make_notification(batch.record().entries[i]);
    return items;
}

bool acknowledge(const PyBatch& batch, const py::object& results) {
    return acknowledge_sending(batch.engine(), batch.record(), results);
}

bool remove_all(const PyBatch& batch) {
    return finish_answer(batch.engine(), batch.engine().remove_all(batch.record()), {}, 0);
}

bool fail(const PyBatch& batch, const py::object& reason) {
    const Failure failure = as_failure(reason);
    transport_of(batch.engine()).refresh_clock();
    return finish_answer(batch.engine(), batch.engine().fail(batch.record(), failure), {}, 0);
}

std::string represent(const PyBatch& batch) {
    const core::BatchRecord& record = batch.record();
    return "<watchtree.Batch channel=" + py::repr(make_text(record.name->view())).cast<std::string>() +
           " ticket=" + std::to_string(record.ticket) + " epoch=" + std::to_string(record.epoch) +
           " notifications=" + std::to_string(record.entries.size()) + " bytes=" + std::to_string(record.size_bytes) +
           (record.more ? " more>" : ">");
}

}  // namespace

py::object make_batch(core::Engine& engine, core::BatchRecord& record) { return py::cast(PyBatch(engine, record)); }

bool finish_answer(core::Engine& engine, const core::Answered& answered, const std::string& culprit,
                   std::size_t results) {
    if (answered.outcome == core::Outcome::wrong_count)
        transport_of(engine).report(make_wrong_result_count(culprit, results), culprit);
    if (answered.must_deliver) engine.deliver();
    return answered.outcome != core::Outcome::ignored;
}

void bind_batch(py::module_& module) {
    py::class_<PyBatch>(module, "Batch", docs::batch, py::is_final())
        .def_property_readonly(
            "channel", [](const PyBatch& batch) { return make_text(batch.record().name->view()); }, docs::batch_channel)
        .def_property_readonly(
            "ticket", [](const PyBatch& batch) { return batch.record().ticket; }, docs::batch_ticket)
        .def_property_readonly(
            "epoch", [](const PyBatch& batch) { return batch.record().epoch; }, docs::batch_epoch)
        .def_property_readonly(
            "more", [](const PyBatch& batch) { return batch.record().more; }, docs::batch_more)
        .def_property_readonly(
            "size_bytes", [](const PyBatch& batch) { return batch.record().size_bytes; }, docs::batch_size_bytes)
        .def("acknowledge", acknowledge, py::arg("results") = py::none(), docs::batch_acknowledge)
        .def("remove_all", remove_all, docs::batch_remove_all)
        .def("fail", fail, py::arg("reason"), docs::batch_fail)
        .def(
            "encode", [](const PyBatch& batch) { return make_bytes(core::encode(batch.record())); }, docs::batch_encode)
        .def("__len__", &PyBatch::size)
        .def("__getitem__", get_item, py::arg("position"))
        .def("__iter__", [](const PyBatch& batch) { return py::iter(all_items(batch)); })
        .def("__repr__", represent)
        .def("_repr_html_", [](const py::object& self) { return display("batch_html", self); });
}

}  // namespace watchtree::python
