#include "classes.h"

#include <pybind11/gil_safe_call_once.h>

namespace watchtree::python {

namespace {

Classes import_classes() {
    const py::module_ records = py::module_::import("watchtree.records");
    const py::module_ words = py::module_::import("watchtree.words");
    const py::module_ stats = py::module_::import("watchtree.stats");
    const py::object state = words.attr("State");
    Classes all;
    all.node = records.attr("Node");
    all.notification = records.attr("Notification");
    all.synced = records.attr("Synced");
    all.put = records.attr("Put");
    all.mkdir = records.attr("Mkdir");
    all.remove = records.attr("Remove");
    all.compare_and_set = records.attr("CompareAndSet");
    all.holder = records.attr("Holder");
    all.node_list = py::module_::import("watchtree.display").attr("NodeList");
    all.config = py::module_::import("watchtree.config").attr("Config");
    all.histogram = stats.attr("Histogram");
    all.dispatcher_stats = stats.attr("DispatcherStats");
    all.channel_stats = stats.attr("ChannelStats");
    all.subscriber_stats = stats.attr("SubscriberStats");
    const py::module_ subscribing = py::module_::import("watchtree.subscribing");
    all.event = subscribing.attr("Event");
    all.connect = subscribing.attr("Connect");
    all.disconnect = subscribing.attr("Disconnect");
    all.sync = subscribing.attr("Sync");
    all.touch = subscribing.attr("Touch");
    all.failure = words.attr("Failure");
    all.ok = words.attr("Result").attr("OK");
    all.remove_watch = words.attr("Result").attr("REMOVE_WATCH");
    all.remove_all_watches = words.attr("REMOVE_ALL_WATCHES");
    all.report = py::module_::import("watchtree.report").attr("report");
    all.uuid = py::module_::import("uuid").attr("UUID");
    all.errors = py::module_::import("watchtree.errors");
    all.display = py::module_::import("watchtree.display");
    all.states = {state.attr("VALUE"), state.attr("DIRECTORY"), state.attr("MISSING")};
    return all;
}

}  // namespace

const Classes& classes() {
    // Never destroyed: at exit the interpreter is gone before the statics are.
    PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<Classes> store;
    return store.call_once_and_store_result(import_classes).get_stored();
}

py::object make_text(std::string_view utf8) {
    PyObject* text = PyUnicode_DecodeUTF8(utf8.data(), static_cast<Py_ssize_t>(utf8.size()), nullptr);
    if (text == nullptr) throw py::error_already_set();
    return py::reinterpret_steal<py::object>(text);
}

py::object make_bytes(std::string_view bytes) {
    PyObject* object = PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size()));
    if (object == nullptr) throw py::error_already_set();
    return py::reinterpret_steal<py::object>(object);
}

py::object make_uuid(const TreeId& id) {
    const py::bytes bytes(reinterpret_cast<const char*>(id.data()), id.size());
    return classes().uuid(py::arg("bytes") = bytes);
}

py::object make_trace(py::object log) { return py::module_::import("watchtree.trace").attr("Trace")(std::move(log)); }

py::object display(const char* function, py::handle object) { return classes().display.attr(function)(object); }

}  // namespace watchtree::python
