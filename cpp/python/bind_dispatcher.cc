#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/pybind11.h>

#include "arguments.h"
#include "bind_batch.h"
#include "bind_classes.h"
#include "bind_errors.h"
#include "classes.h"
#include "collect_garbage.h"
#include "docs.h"
#include "gil.h"
#include "initialised.h"
#include "py_clock.h"
#include "py_transport.h"

namespace watchtree::python {

namespace {

// Owns what Python's collector must see; the engine has links to it.
class PyDispatcher : public ZeroedStorage {
  public:
    // Requires: arguments of the right types.
    PyDispatcher(py::object tree, py::object send, const py::object& config, py::object clock)
        : tree_(std::move(tree)),
          send_(std::move(send)),
          config_(config_or_default(config)),
          on_error_(config_.attr("on_error")),
          clock_(std::move(clock)),
          transport_(std::make_shared<PyTransport>()),
          waker_(std::make_shared<PyWaker>()) {
        ChosenClock chosen = choose_clock(clock_);
        python_clock_ = chosen.python;
        transport_->send().set(send_);
        transport_->on_error().set(on_error_);
        transport_->set_clock(chosen.python);
        waker_->on_error().set(on_error_);
        engine_ =
            core::Engine::make(tree_.cast<PyTree&>().shared, as_config(config_), std::move(chosen.clock), transport_);
        transport_->connect(*engine_);
    }
    PyDispatcher(const PyDispatcher&) = delete;
    PyDispatcher& operator=(const PyDispatcher&) = delete;
    ~PyDispatcher() { cut(); }

    [[nodiscard]] core::Engine& engine() const { return initialised(engine_, "Dispatcher"); }
    [[nodiscard]] const py::object& tree() const { return (void)engine(), tree_; }
    [[nodiscard]] const py::object& config() const { return (void)engine(), config_; }
    void refresh_clock() const { initialised(transport_, "Dispatcher").refresh_clock(); }

    [[nodiscard]] py::object on_work() const { return initialised(waker_, "Dispatcher").on_work().get(); }
    void set_on_work(const py::object& callback) {
        (void)engine();
        if (!callback.is_none() && PyCallable_Check(callback.ptr()) == 0)
            raise_type_error("on_work", callback, "a callable without arguments, or None");
        py::object old = callback;
        {
            const std::lock_guard guard(on_work_mutex_);
            waker_->on_work().set(callback);
            std::swap(on_work_, old);
        }
        engine_->set_waker(callback.is_none() ? nullptr : std::static_pointer_cast<core::Waker>(waker_));
    }

    int traverse(visitproc visit, void* arg) const {
        for (const py::object* object : {&tree_, &send_, &config_, &on_error_, &clock_, &on_work_})
            Py_VISIT(object->ptr());
        return 0;
    }
    void clear() {
        cut();
        for (py::object* object : {&send_, &config_, &on_error_, &clock_, &on_work_}) *object = py::none();
    }

  private:
    void cut() noexcept {
        transport_->send().cut();
        transport_->on_error().cut();
        waker_->on_work().cut();
        waker_->on_error().cut();
        if (python_clock_ != nullptr) python_clock_->link().cut();
    }

    py::object tree_;
    py::object send_;
    py::object config_;
    py::object on_error_;
    py::object clock_;
    py::object on_work_ = py::none();
    std::mutex on_work_mutex_;  // for interpreters without a global lock
    std::shared_ptr<PyTransport> transport_;
    std::shared_ptr<PyWaker> waker_;
    std::shared_ptr<PyClock> python_clock_;
    core::EngineOwner engine_;
};

std::unique_ptr<PyDispatcher> make(const py::object& tree, const py::object& send, const py::object& config,
                                   const py::object& clock) {
    if (!py::isinstance<PyTree>(tree)) raise_type_error("tree", tree, "a watchtree.Tree");
    (void)tree.cast<PyTree&>().group();
    if (PyCallable_Check(send.ptr()) == 0) raise_type_error("send", send, "a callable that takes a Batch");
    return std::make_unique<PyDispatcher>(tree, send, config, clock);
}

py::object sync(PyDispatcher& self, const py::object& channel, const py::object& known, const py::object& replace) {
    const Name name(channel);
    const bool replaces = as_bool(replace, "replace");
    const KnownKeys keys(known);
    self.refresh_clock();
    Synced synced{};
    std::size_t bad = 0;
    const Status status =
        without_gil([&] { return self.engine().sync(name.view(), keys.view(), replaces, synced, bad); });
    if (status != Status::ok)
        raise_error(status, {.call = "sync",
                             .key = keys.view()[bad].key,
                             .index = keys.index(bad),
                             .max_key_bytes = self.config().attr("max_key_bytes").cast<std::uint32_t>()});
    return make_tuple_of<2>(classes().synced, {make_uuid(synced.tree_id), py::int_(synced.index)});
}

bool dispatch(PyDispatcher& self) {
    self.refresh_clock();
    const bool complete = without_gil([&] { return self.engine().step(); });
    self.engine().deliver();
    return complete;
}

bool answer(PyDispatcher& self, const py::object& ticket_object, const py::object& results, const py::object& failure) {
    const std::uint64_t ticket = as_ticket(ticket_object);
    if (!failure.is_none() && !results.is_none())
        throw py::value_error("answer: results and failure exclude each other; give one of them");
    core::Engine& engine = self.engine();
    if (!failure.is_none()) {
        const Failure reason = as_failure(failure);
        self.refresh_clock();
        return finish_answer(engine, engine.fail(ticket, reason), {}, 0);
    }
    if (results.is(classes().remove_all_watches)) return finish_answer(engine, engine.remove_all(ticket), {}, 0);
    return acknowledge_sending(engine, ticket, results);
}

std::uint32_t touch(PyDispatcher& self, const py::object& channel) {
    const Name name(channel);
    self.refresh_clock();
    return self.engine().touch(name.view());
}

bool close(PyDispatcher& self, const py::object& channel) {
    const Name name(channel);
    return without_gil([&] { return self.engine().close(name.view()); });
}

// Numbers.

py::object make_histogram(const Histogram& histogram) {
    py::tuple counts(histogram.size());
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < histogram.size(); ++i) {
        counts[i] = py::int_(histogram[i]);
        total += histogram[i];
    }
    return classes().histogram(py::arg("counts") = counts, py::arg("total") = total);
}

void add_counters(py::dict& fields, const Counters& counters) {
    py::dict failures;
    for (const py::handle reason : py::iter(classes().failure))
        failures[reason.attr("name")] = counters.failures.at(reason.attr("value").cast<std::size_t>());
    fields["batches_sent"] = counters.batches_sent;
    fields["sent"] = counters.sent;
    fields["acknowledged"] = counters.acknowledged;
    fields["resent"] = counters.resent;
    fields["coalesced"] = counters.coalesced;
    fields["batches_acknowledged"] = counters.batches_acknowledged;
    fields["failures"] = failures;
    fields["watch_errors"] = counters.watch_errors;
    fields["latency"] = make_histogram(counters.latency);
}

py::object stats(PyDispatcher& self) {
    const DispatcherStats stats = self.engine().stats();
    py::dict fields;
    add_counters(fields, stats);
    fields["epoch"] = stats.epoch;
    fields["channels"] = stats.channels;
    fields["watches"] = stats.watches;
    fields["holders"] = stats.holders;
    fields["changed_holders"] = stats.changed_holders;
    fields["ready_channels"] = stats.ready_channels;
    fields["backing_off"] = stats.backing_off;
    fields["in_flight"] = stats.in_flight;
    fields["steps"] = stats.steps;
    fields["unfinished_steps"] = stats.unfinished_steps;
    fields["ignored_answers"] = stats.ignored_answers;
    fields["silent_channels"] = stats.silent_channels;
    fields["step_time"] = make_histogram(stats.step_time);
    return classes().dispatcher_stats(**fields);
}

const char* name_of(ChannelState state) {
    switch (state) {
        case ChannelState::idle: return "idle";
        case ChannelState::ready: return "ready";
        case ChannelState::in_flight: return "in_flight";
        case ChannelState::backing_off: break;
    }
    return "backing_off";
}

py::object channel_stats(PyDispatcher& self, const py::object& channel) {
    const Name name(channel);
    const std::optional<ChannelStats> stats = self.engine().channel_stats(name.view());
    if (!stats) raise_unknown_channel("channel", name.view());
    py::dict fields;
    add_counters(fields, *stats);
    fields["name"] = make_text(stats->name);
    fields["state"] = name_of(stats->state);
    fields["watches"] = stats->watches;
    fields["ready_watches"] = stats->ready_watches;
    fields["backing_off"] = stats->backing_off;
    fields["in_flight"] = stats->in_flight;
    fields["ticket"] = stats->ticket ? py::object(py::int_(*stats->ticket)) : py::none();
    fields["failure_count"] = stats->failure_count;
    return classes().channel_stats(**fields);
}

py::list channels(PyDispatcher& self) {
    const std::vector<std::string> names = without_gil([&] { return self.engine().channels(); });
    py::list list(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) list[i] = make_text(names[i]);
    return list;
}

py::dict watches(PyDispatcher& self, const py::object& channel) {
    const Name name(channel);
    const auto watches = without_gil([&] { return self.engine().watches(name.view()); });
    if (!watches) raise_unknown_channel("watches", name.view());
    py::dict dict;
    for (const auto& [key, notified] : *watches) dict[make_text(key)] = notified;
    return dict;
}

py::list holders(PyDispatcher& self) {
    const auto holders = without_gil([&] { return self.engine().holders(); });
    py::list list(holders.size());
    for (std::size_t i = 0; i < holders.size(); ++i) {
        const core::HolderView& holder = holders[i];
        list[i] = make_tuple_of<5>(classes().holder,
                                   {make_text(holder.key), py::bool_(holder.mounted), py::int_(holder.watches),
                                    py::int_(holder.index), py::bool_(holder.queued)});
    }
    return list;
}

py::object next_deadline(PyDispatcher& self) {
    self.refresh_clock();
    const std::optional<Nanoseconds> wait = self.engine().next_deadline();
    return wait ? py::object(py::float_(static_cast<double>(*wait) / 1e9)) : py::none();
}

py::dict memory(PyDispatcher& self) {
    const Memory memory = without_gil([&] { return self.engine().memory(); });
    py::dict dict;
    dict["watches"] = memory.watches;
    dict["holders"] = memory.holders;
    dict["keys"] = memory.keys;
    dict["channels"] = memory.channels;
    dict["queues"] = memory.queues;
    dict["batches"] = memory.batches;
    dict["total"] = memory.watches + memory.holders + memory.keys + memory.channels + memory.queues + memory.batches;
    return dict;
}

std::string represent(PyDispatcher& self) {
    const DispatcherStats stats = self.engine().stats();
    return "<watchtree.Dispatcher epoch=" + std::to_string(stats.epoch) +
           " channels=" + std::to_string(stats.channels) + " watches=" + std::to_string(stats.watches) +
           " in_flight=" + std::to_string(stats.in_flight) + ">";
}

}  // namespace

core::Engine& engine_of_dispatcher(py::handle dispatcher) {
    if (!py::isinstance<PyDispatcher>(dispatcher)) raise_type_error("dispatcher", dispatcher, "a watchtree.Dispatcher");
    return dispatcher.cast<PyDispatcher&>().engine();
}

void bind_dispatcher(py::module_& module) {
    py::class_<PyDispatcher>(module, "Dispatcher", docs::dispatcher, py::is_final(),
                             py::custom_type_setup(collect_garbage<PyDispatcher>))
        .def(py::init(&make), py::arg("tree"), py::arg("send"), py::kw_only(), py::arg("config") = py::none(),
             py::arg("clock") = py::none())
        .def_property_readonly("tree", [](const PyDispatcher& self) { return self.tree(); })
        .def_property_readonly("config", [](const PyDispatcher& self) { return self.config(); })
        .def_property_readonly(
            "epoch", [](PyDispatcher& self) { return self.engine().epoch(); }, docs::dispatcher_epoch)
        .def_property("on_work", &PyDispatcher::on_work, &PyDispatcher::set_on_work, docs::dispatcher_on_work)
        .def("sync", sync, py::arg("channel"), py::arg("known"), py::arg("replace") = false, docs::dispatcher_sync)
        .def("dispatch", dispatch, docs::dispatcher_dispatch)
        .def("answer", answer, py::arg("ticket"), py::arg("results") = py::none(), py::kw_only(),
             py::arg("failure") = py::none(), docs::dispatcher_answer)
        .def("touch", touch, py::arg("channel"), docs::dispatcher_touch)
        .def("close", close, py::arg("channel"), docs::dispatcher_close)
        .def(
            "reset", [](PyDispatcher& self) { without_gil([&] { self.engine().reset(); }); }, docs::dispatcher_reset)
        .def("stats", stats, docs::dispatcher_stats)
        .def("channel", channel_stats, py::arg("name"), docs::dispatcher_channel)
        .def("channels", channels, docs::dispatcher_channels)
        .def("holders", holders, docs::dispatcher_holders)
        .def("watches", watches, py::arg("channel"), docs::dispatcher_watches)
        .def("next_deadline", next_deadline, docs::dispatcher_next_deadline)
        .def("memory", memory, docs::dispatcher_memory)
        .def(
            "verify", [](PyDispatcher& self) { without_gil([&] { self.engine().verify(); }); }, docs::dispatcher_verify)
        .def("__repr__", represent)
        .def("_repr_html_", [](const py::object& self) { return display("dispatcher_html", self); });
}

}  // namespace watchtree::python
