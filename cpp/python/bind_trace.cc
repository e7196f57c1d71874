#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/pybind11.h>

#include "arguments.h"
#include "bind_classes.h"
#include "classes.h"
#include "core/engine/recorder.h"
#include "core/engine/replay.h"
#include "core/trace/call.h"
#include "core/trace/columns.h"
#include "docs.h"
#include "gil.h"
#include "initialised.h"

namespace watchtree::python {

namespace {

// watchtree.trace.Recorder.
class PyRecorder : public ZeroedStorage {
  public:
    explicit PyRecorder(std::shared_ptr<core::Recorder> recorder) : recorder_(std::move(recorder)) {}
    PyRecorder(PyRecorder&&) = default;
    PyRecorder(const PyRecorder&) = delete;
    PyRecorder& operator=(const PyRecorder&) = delete;
    ~PyRecorder() {
        if (recorder_ != nullptr) recorder_->stop();
    }
    [[nodiscard]] core::Recorder& recorder() const { return initialised(recorder_, "trace.Recorder"); }

  private:
    std::shared_ptr<core::Recorder> recorder_;
};

// watchtree._core.Log: never changes.
class PyLog : public ZeroedStorage {
  public:
    explicit PyLog(core::Log log) : log_(std::make_shared<const core::Log>(std::move(log))) {}
    [[nodiscard]] const core::Log& log() const { return initialised(log_, "trace.Trace"); }

  private:
    std::shared_ptr<const core::Log> log_;
};

// One column, for whoever reads buffers.
struct Column : ZeroedStorage {
    std::shared_ptr<const core::Columns> owner;
    const void* data = nullptr;
    py::ssize_t size = 0;
    py::ssize_t item_bytes = 1;
    std::string format;
};

PyRecorder record(const py::object& dispatcher, const py::object& max_bytes, const py::object& for_replay) {
    core::Engine& engine = engine_of_dispatcher(dispatcher);
    constexpr std::int64_t beyond = -1;
    const std::int64_t bytes = as_int64(max_bytes, "max_bytes", beyond, beyond);
    if (bytes < static_cast<std::int64_t>(core::Recording::least_bytes) ||
        bytes > static_cast<std::int64_t>(core::Recording::most_bytes))
        throw py::value_error("max_bytes is " + std::string(py::str(max_bytes)) + "; give 65,536 to 2^36");
    const bool keeps = as_bool(for_replay, "for_replay");
    auto recorder = without_gil([&] { return core::Recorder::start(engine, static_cast<std::size_t>(bytes), keeps); });
    if (recorder == nullptr)
        throw py::value_error(
            "the dispatcher is being recorded already; stop that Recorder first, or take its trace()");
    return PyRecorder(std::move(recorder));
}

PyLog log_of(const PyRecorder& self) {
    return PyLog(without_gil([&] { return self.recorder().log(); }));
}

py::object log_from_bytes(const py::object& data) {
    const Bytes bytes(data, "data");
    const std::string copy(bytes.view());
    std::optional<core::Log> log = without_gil([&] { return core::parse_log(copy); });
    return log ? py::cast(PyLog(*std::move(log))) : py::none();
}

py::bytes log_to_bytes(const PyLog& self) {
    const std::string bytes = without_gil([&] { return core::encode(self.log()); });
    return make_bytes(bytes);
}

// Keys of refused calls may have lone surrogates, and a file any bytes.
py::list names_of(const std::vector<std::string>& names) {
    py::list list(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto decode = [&](const char* errors) {
            return PyUnicode_DecodeUTF8(names[i].data(), static_cast<Py_ssize_t>(names[i].size()), errors);
        };
        PyObject* text = decode("surrogatepass");
        if (text == nullptr) {
            PyErr_Clear();
            text = decode("backslashreplace");
        }
        if (text == nullptr) throw py::error_already_set();
        list[i] = py::reinterpret_steal<py::object>(text);
    }
    return list;
}

template <typename T>
void add_column(py::dict& dict, const char* name, const std::shared_ptr<const core::Columns>& owner,
                std::vector<T> core::Columns::* member) {
    const std::vector<T>& values = (*owner).*member;
    Column column;
    column.owner = owner;
    column.data = values.data();
    column.size = static_cast<py::ssize_t>(values.size());
    column.item_bytes = sizeof(T);
    column.format = py::format_descriptor<T>::format();
    dict[name] = py::cast(std::move(column));
}

// Columns by name, names of channels, names of keys.
py::tuple columns(const PyLog& self) {
    const auto owner = std::make_shared<const core::Columns>(without_gil([&] { return core::columns_of(self.log()); }));
    py::dict dict;
    add_column(dict, "time", owner, &core::Columns::time);
    add_column(dict, "call", owner, &core::Columns::call);
    add_column(dict, "event", owner, &core::Columns::event);
    add_column(dict, "channel", owner, &core::Columns::channel);
    add_column(dict, "key", owner, &core::Columns::key);
    add_column(dict, "ticket", owner, &core::Columns::ticket);
    add_column(dict, "index", owner, &core::Columns::index);
    add_column(dict, "outcome", owner, &core::Columns::outcome);
    add_column(dict, "count", owner, &core::Columns::count);
    add_column(dict, "bytes", owner, &core::Columns::bytes);
    add_column(dict, "duration", owner, &core::Columns::duration);
    add_column(dict, "coalesced", owner, &core::Columns::coalesced);
    add_column(dict, "changed_holders", owner, &core::Columns::changed_holders);
    add_column(dict, "ready_channels", owner, &core::Columns::ready_channels);
    add_column(dict, "backing_off", owner, &core::Columns::backing_off);
    add_column(dict, "in_flight", owner, &core::Columns::in_flight);
    return py::make_tuple(dict, names_of(owner->channels), names_of(owner->keys));
}

py::object config_of(const PyLog& self) {
    const Config& config = self.log().config;
    const auto seconds = [](Nanoseconds time) { return static_cast<double>(time) / 1e9; };
    py::tuple backoff(config.backoff_ns.size());
    for (std::size_t i = 0; i < backoff.size(); ++i) backoff[i] = seconds(config.backoff_ns[i]);
    return classes().config(
        py::arg("max_key_bytes") = config.max_key_bytes, py::arg("max_value_bytes") = config.max_value_bytes,
        py::arg("max_batch_size") = config.max_batch_size, py::arg("max_batch_bytes") = config.max_batch_bytes,
        py::arg("dispatch_interval") = seconds(config.dispatch_interval_ns),
        py::arg("answer_timeout") = seconds(config.answer_timeout_ns),
        py::arg("channel_timeout") = seconds(config.channel_timeout_ns),
        py::arg("heartbeat") = seconds(config.heartbeat_ns), py::arg("backoff") = backoff);
}

PyLog cut(const PyLog& self, std::int64_t begin, std::int64_t end) {
    const auto number = [](std::int64_t given) { return static_cast<std::uint64_t>(std::max<std::int64_t>(given, 0)); };
    return PyLog(without_gil([&] { return core::cut(self.log(), number(begin), number(end)); }));
}

py::tuple replay(const PyLog& self, const py::object& dispatcher, const PyManualClock& clock, std::int64_t calls) {
    core::Engine& engine = engine_of_dispatcher(dispatcher);
    const std::optional<core::Replayed> replayed = without_gil([&] {
        return core::replay(self.log(), engine, clock.clock(),
                            static_cast<std::uint64_t>(std::max<std::int64_t>(calls, 0)));
    });
    if (!replayed)
        throw py::value_error(
            "the dispatcher was used before, or is being recorded; give one just made for the replay");
    return py::make_tuple(replayed->calls, replayed->differs);
}

}  // namespace

void bind_trace(py::module_& module) {
    py::class_<Column>(module, "Column", docs::column, py::is_final(), py::buffer_protocol())
        .def_buffer([](const Column& column) {
            return py::buffer_info(const_cast<void*>(column.data), column.item_bytes, column.format, 1, {column.size},
                                   {column.item_bytes}, true);
        });
    py::class_<PyLog>(module, "Log", docs::log, py::is_final())
        .def_static("from_bytes", log_from_bytes, py::arg("data"), docs::log_from_bytes)
        .def("to_bytes", log_to_bytes, docs::log_to_bytes)
        .def("columns", columns, docs::log_columns)
        .def("cut", cut, py::arg("begin"), py::arg("end"), docs::log_cut)
        .def("replay", replay, py::arg("dispatcher"), py::arg("clock"), py::arg("calls"), docs::log_replay)
        .def_property_readonly("config", config_of)
        .def_property_readonly(
            "tree_limits",
            [](const PyLog& self) {
                return py::make_tuple(self.log().tree_max_key_bytes, self.log().tree_max_value_bytes);
            },
            docs::log_tree_limits)
        .def_property_readonly(
            "image", [](const PyLog& self) { return make_bytes(self.log().image); }, docs::log_image)
        .def_property_readonly(
            "replayable", [](const PyLog& self) { return self.log().replayable; }, docs::log_replayable)
        .def_property_readonly(
            "first_call", [](const PyLog& self) { return self.log().first; }, docs::log_first_call)
        .def_property_readonly(
            "size_bytes", [](const PyLog& self) { return self.log().calls.size() + self.log().image.size(); },
            docs::log_size_bytes);
    py::class_<PyRecorder>(module, "Recorder", docs::recorder, py::is_final())
        .def(py::init(&record), py::arg("dispatcher"), py::kw_only(), py::arg("max_bytes") = std::int64_t{1} << 26,
             py::arg("for_replay") = true)
        .def(
            "stop", [](const PyRecorder& self) { self.recorder().stop(); }, docs::recorder_stop)
        .def(
            "trace", [](const PyRecorder& self) { return make_trace(py::cast(log_of(self))); }, docs::recorder_trace)
        .def_property_readonly(
            "is_recording", [](const PyRecorder& self) { return self.recorder().is_recording(); },
            docs::recorder_is_recording)
        .def("__enter__",
             [](const py::object& self) {
                 (void)self.cast<PyRecorder&>().recorder();
                 return self;
             })
        .def("__exit__", [](const PyRecorder& self, const py::args&) { self.recorder().stop(); });
}

}  // namespace watchtree::python
