#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <pybind11/pybind11.h>

#include "arguments.h"
#include "bind_classes.h"
#include "bind_errors.h"
#include "classes.h"
#include "collect_garbage.h"
#include "docs.h"
#include "gil.h"
#include "initialised.h"
#include "py_clock.h"
#include "py_transport.h"
#include "watchtree/subscriber.h"

namespace watchtree::python {

namespace {

// Owns what Python's collector must see.
class PySubscriber : public ZeroedStorage {
  public:
    PySubscriber(const std::vector<GroupServers>& groups, const py::object& config, py::object clock)
        : config_(config_or_default(config)), on_error_(config_.attr("on_error")), clock_(std::move(clock)) {
        ChosenClock chosen = choose_clock(clock_);
        python_clock_ = chosen.python;
        subscriber_ = std::make_unique<Subscriber>(groups, as_config(config_), std::move(chosen.clock));
    }
    PySubscriber(const PySubscriber&) = delete;
    PySubscriber& operator=(const PySubscriber&) = delete;
    ~PySubscriber() { cut(); }

    [[nodiscard]] Subscriber& subscriber() const { return initialised(subscriber_, "Subscriber"); }
    [[nodiscard]] const py::object& config() const { return (void)subscriber(), config_; }
    void refresh_clock() const {
        (void)subscriber();
        if (python_clock_ != nullptr) python_clock_->refresh();
    }

    [[nodiscard]] py::object listener() {
        (void)subscriber();
        const std::lock_guard guard(listener_mutex_);
        return listener_;
    }
    void set_listener(const py::object& listener) {
        (void)subscriber();
        if (!listener.is_none() && PyCallable_Check(listener.ptr()) == 0)
            raise_type_error("listener", listener, "a callable that takes an Event, or None");
        py::object old = listener;
        {
            const std::lock_guard guard(listener_mutex_);
            std::swap(listener_, old);
        }
        tell_listener();
    }
    // Calls the listener with one event at a time, until there is none or no listener. Events that come while it is called,
    // by it or in another thread, are told by the call that is at it.
    void tell_listener();

    int traverse(visitproc visit, void* arg) const {
        for (const py::object* object : {&config_, &on_error_, &clock_, &listener_}) Py_VISIT(object->ptr());
        return 0;
    }
    void clear() {
        cut();
        for (py::object* object : {&config_, &on_error_, &clock_, &listener_}) *object = py::none();
    }

  private:
    void cut() noexcept {
        if (python_clock_ != nullptr) python_clock_->link().cut();
    }

    py::object config_;
    py::object on_error_;
    py::object clock_;
    py::object listener_ = py::none();
    std::mutex listener_mutex_;  // for interpreters without a global lock
    std::atomic<bool> is_telling_{false};
    std::shared_ptr<PyClock> python_clock_;
    std::unique_ptr<Subscriber> subscriber_;
};

py::object make_event(const Event& event) {
    return make_tuple_of<5>(
        classes().event,
        {make_text(event.group), make_text(event.key), classes().states[static_cast<std::size_t>(event.state)],
         py::int_(event.index), event.value ? make_bytes(*event.value) : py::none()});
}

void PySubscriber::tell_listener() {
    while (true) {
        const py::object listener = this->listener();
        if (listener.is_none() || subscriber().stats().waiting == 0 || is_telling_.exchange(true)) return;
        struct Done {
            std::atomic<bool>& is_telling;
            ~Done() { is_telling.store(false); }
        } done{is_telling_};
        // One at a time, and then a new look: an event may come right after the last one was taken.
        const std::optional<Event> event = subscriber().take();
        if (!event) continue;
        try {
            stay_if_interpreter_ends([&] { listener(make_event(*event)); });
        } catch (py::error_already_set& error) {
            report_exception(error, on_error_, event->group);
        }
    }
}

// Arguments.

// A name that goes out again with actions and events, so it must be proper Unicode.
std::string as_string(py::handle text, const char* what) {
    (void)Text(text, what);
    Py_ssize_t size = 0;
    const char* utf8 = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
    if (utf8 == nullptr) throw py::error_already_set();
    return {utf8, static_cast<std::size_t>(size)};
}

std::vector<std::string> as_servers(py::handle servers) {
    constexpr const char* wanted = "a sequence of servers' names, or a mapping from groups to such sequences";
    if (PyUnicode_Check(servers.ptr()) || PyBytes_Check(servers.ptr()) || !is_iterable(servers))
        raise_type_error("servers", servers, wanted);
    std::vector<std::string> names;
    for (const py::handle server : py::iter(servers)) names.push_back(as_string(server, "a server"));
    return names;
}

std::vector<GroupServers> as_groups(const py::object& servers) {
    std::vector<GroupServers> groups;
    if (PyMapping_Check(servers.ptr()) != 0 && py::hasattr(servers, "items")) {
        for (const py::handle item : py::iter(servers.attr("items")())) {
            const auto pair = item.cast<py::tuple>();
            groups.push_back({as_string(pair[0], "a group"), as_servers(pair[1])});
        }
    } else {
        groups.push_back({"", as_servers(servers)});
    }
    return groups;
}

// The argument of add and remove, with what it borrows from.
class Keys {
  public:
    explicit Keys(py::handle keys) {
        if (PyUnicode_Check(keys.ptr()) || PyBytes_Check(keys.ptr()) || !is_iterable(keys))
            raise_type_error("keys", keys, "an iterable of keys; give one key as [key]");
        for (const py::handle key : py::iter(keys)) texts_.emplace_back(key, "a key");
        for (const Text& text : texts_) views_.push_back(text.view());
    }
    [[nodiscard]] const std::vector<std::string_view>& views() const noexcept { return views_; }

  private:
    std::vector<Text> texts_;
    std::vector<std::string_view> views_;
};

// The argument of notified, with what it borrows from.
class Notifications {
  public:
    explicit Notifications(py::handle notifications) {
        constexpr const char* wanted = "tuples (key, state, index, value), as a Batch holds";
        if (PyUnicode_Check(notifications.ptr()) || !is_iterable(notifications))
            raise_type_error("notifications", notifications, wanted);
        for (const py::handle item : py::iter(notifications)) {
            if (!PyTuple_Check(item.ptr()) || PyTuple_GET_SIZE(item.ptr()) != 4)
                raise_type_error("a notification", item, wanted);
            add(py::reinterpret_borrow<py::tuple>(item));
        }
    }
    [[nodiscard]] const std::vector<Notified>& view() const noexcept { return view_; }

  private:
    void add(const py::tuple& item) {
        texts_.emplace_back(item[0], "a key");
        const std::int64_t state = as_int64(item[1], "a state", -1, -1);
        const std::int64_t index = as_int64(item[2], "an index", -1, -1);
        if (state < 0 || state > static_cast<std::int64_t>(State::missing)) {
            PyErr_Format(PyExc_ValueError, "a state is %R; give a watchtree.State", py::object(item[1]).ptr());
            throw py::error_already_set();
        }
        if (index < 0) {
            PyErr_Format(PyExc_ValueError, "an index is %R; give 0 to 2^63 - 1", py::object(item[2]).ptr());
            throw py::error_already_set();
        }
        const bool has_value = static_cast<State>(state) == State::value;
        std::optional<std::string_view> value;
        if (has_value) value = bytes_.emplace_back(item[3], "a value").view();
        view_.push_back({texts_.back().view(), static_cast<State>(state), index, value});
    }

    std::vector<Text> texts_;
    std::vector<Bytes> bytes_;
    std::vector<Notified> view_;
};

void check_group(Status status, const char* call, std::string_view group) {
    if (status == Status::unknown_group) raise_unknown(status, call, group);
}

void check_server(Status status, const char* call, std::string_view server) {
    if (status == Status::unknown_server) raise_unknown(status, call, server);
}

// Calls.

std::unique_ptr<PySubscriber> make(const py::object& servers, const py::object& config, const py::object& clock) {
    return std::make_unique<PySubscriber>(as_groups(servers), config, clock);
}

using Change = Status (Subscriber::*)(std::span<const std::string_view>, std::string_view, std::size_t*);

template <Change change>
void change_keys(PySubscriber& self, const char* call, const py::object& keys, const py::object& group) {
    const Text name(group, "group");
    const Keys given(keys);
    std::size_t bad = 0;
    const Status status = (self.subscriber().*change)(given.views(), name.view(), &bad);
    check_group(status, call, name.view());
    if (status != Status::ok)
        raise_error(status, {.call = call,
                             .key = given.views()[bad],
                             .max_key_bytes = self.config().attr("max_key_bytes").cast<std::uint32_t>()});
}

struct MakeAction {
    py::object operator()(const action::Connect& todo) const {
        return make_tuple_of<1>(classes().connect, {make_text(todo.server)});
    }
    py::object operator()(const action::Disconnect& todo) const {
        return make_tuple_of<1>(classes().disconnect, {make_text(todo.server)});
    }
    py::object operator()(const action::Sync& todo) const {
        py::dict known;
        for (const auto& [key, index] : todo.known) known[make_text(key)] = index;
        return make_tuple_of<5>(classes().sync, {py::int_(todo.request), make_text(todo.server), std::move(known),
                                                 py::bool_(todo.replace), make_text(todo.group)});
    }
    py::object operator()(const action::Touch& todo) const {
        return make_tuple_of<3>(classes().touch,
                                {py::int_(todo.request), make_text(todo.server), make_text(todo.group)});
    }
};

py::list actions(PySubscriber& self) {
    self.refresh_clock();
    const std::vector<Action> todo = self.subscriber().actions();
    py::list list(todo.size());
    for (std::size_t i = 0; i < todo.size(); ++i) list[i] = std::visit(MakeAction{}, todo[i]);
    return list;
}

py::object next_deadline(PySubscriber& self) {
    self.refresh_clock();
    const std::optional<Nanoseconds> wait = self.subscriber().next_deadline();
    return wait ? py::object(py::float_(static_cast<double>(*wait) / 1e9)) : py::none();
}

using ServerNews = Status (Subscriber::*)(std::string_view);

template <ServerNews news>
void server_news(PySubscriber& self, const char* call, const py::object& server) {
    const Text name(server, "server");
    self.refresh_clock();
    check_server((self.subscriber().*news)(name.view()), call, name.view());
}

void synced(PySubscriber& self, const py::object& request, const py::object& tree_id, const py::object& index) {
    const std::uint64_t number = as_ticket(request, "request");
    if (!py::isinstance(tree_id, classes().uuid)) raise_type_error("tree_id", tree_id, "a uuid.UUID");
    const std::string bytes = tree_id.attr("bytes").cast<std::string>();
    TreeId id{};
    std::copy(bytes.begin(), bytes.end(), id.begin());
    const std::int64_t at = as_int64(index, "index", -1, -1);
    if (at < 0) {
        PyErr_Format(PyExc_ValueError, "index is %R; give the tree's, 0 to 2^63 - 1", index.ptr());
        throw py::error_already_set();
    }
    self.refresh_clock();
    self.subscriber().synced(number, id, at);
}

void touched(PySubscriber& self, const py::object& request, const py::object& watches) {
    const std::uint64_t number = as_ticket(request, "request");
    const std::int64_t count = as_int64(watches, "watches", -1, -1);
    if (count < 0 || count > 0xFFFFFFFF) {
        PyErr_Format(PyExc_ValueError, "watches is %R; give a number of watches", watches.ptr());
        throw py::error_already_set();
    }
    self.refresh_clock();
    self.subscriber().touched(number, static_cast<std::uint32_t>(count));
}

void request_failed(PySubscriber& self, const py::object& request, const py::object& reason) {
    const std::uint64_t number = as_ticket(request, "request");
    const Failure failure = as_failure(reason);
    self.refresh_clock();
    self.subscriber().request_failed(number, failure);
}

py::object notified(PySubscriber& self, const py::object& server, const py::object& notifications,
                    const py::object& group) {
    const Text server_name(server, "server");
    const Text group_name(group, "group");
    const Notifications given(notifications);
    std::vector<Result> results;
    bool all_removed = false;
    const Status status =
        self.subscriber().notified(server_name.view(), group_name.view(), given.view(), results, all_removed);
    check_group(status, "notified", group_name.view());
    check_server(status, "notified", server_name.view());
    py::object answer = classes().remove_all_watches;
    if (!all_removed) {
        py::list list(results.size());
        for (std::size_t i = 0; i < results.size(); ++i)
            list[i] = results[i] == Result::ok ? classes().ok : classes().remove_watch;
        answer = std::move(list);
    }
    self.tell_listener();
    return answer;
}

py::object take(PySubscriber& self) {
    const std::optional<Event> event = self.subscriber().take();
    return event ? make_event(*event) : py::none();
}

py::dict known(PySubscriber& self, const py::object& group) {
    const Text name(group, "group");
    std::vector<std::pair<std::string, Index>> keys;
    check_group(self.subscriber().known(name.view(), keys), "known", name.view());
    py::dict dict;
    for (const auto& [key, index] : keys) dict[make_text(key)] = index;
    return dict;
}

py::object server(PySubscriber& self, const py::object& group) {
    const Text name(group, "group");
    std::string server;
    check_group(self.subscriber().server(name.view(), server), "server", name.view());
    return server.empty() ? py::none() : make_text(server);
}

py::object tree(PySubscriber& self, const py::object& group) {
    const Text name(group, "group");
    std::optional<Synced> tree;
    check_group(self.subscriber().tree(name.view(), tree), "tree", name.view());
    if (!tree) return py::none();
    return make_tuple_of<2>(classes().synced, {make_uuid(tree->tree_id), py::int_(tree->index)});
}

py::object stats(PySubscriber& self) {
    const SubscriberStats stats = self.subscriber().stats();
    py::dict fields;
    fields["keys"] = stats.keys;
    fields["waiting"] = stats.waiting;
    fields["connected"] = stats.connected;
    fields["requests"] = stats.requests;
    fields["accepted"] = stats.accepted;
    fields["dropped"] = stats.dropped;
    fields["refused"] = stats.refused;
    fields["coalesced"] = stats.coalesced;
    fields["syncs"] = stats.syncs;
    fields["heartbeats"] = stats.heartbeats;
    fields["forgotten"] = stats.forgotten;
    fields["other_trees"] = stats.other_trees;
    fields["failures"] = stats.failures;
    fields["ignored_answers"] = stats.ignored_answers;
    return classes().subscriber_stats(**fields);
}

std::string represent(PySubscriber& self) {
    const SubscriberStats stats = self.subscriber().stats();
    return "<watchtree.Subscriber keys=" + std::to_string(stats.keys) + " waiting=" + std::to_string(stats.waiting) +
           " connected=" + std::to_string(stats.connected) + ">";
}

}  // namespace

void bind_subscriber(py::module_& module) {
    const py::str default_group("");
    py::class_<PySubscriber>(module, "Subscriber", docs::subscriber, py::is_final(),
                             py::custom_type_setup(collect_garbage<PySubscriber>))
        .def(py::init(&make), py::arg("servers"), py::kw_only(), py::arg("config") = py::none(),
             py::arg("clock") = py::none())
        .def_property_readonly("config", [](const PySubscriber& self) { return self.config(); })
        .def_property("listener", &PySubscriber::listener, &PySubscriber::set_listener, docs::subscriber_listener)
        .def(
            "add",
            [](PySubscriber& self, const py::object& keys, const py::object& group) {
                change_keys<&Subscriber::add>(self, "add", keys, group);
            },
            py::arg("keys"), py::arg("group") = default_group, docs::subscriber_add)
        .def(
            "remove",
            [](PySubscriber& self, const py::object& keys, const py::object& group) {
                change_keys<&Subscriber::remove>(self, "remove", keys, group);
            },
            py::arg("keys"), py::arg("group") = default_group, docs::subscriber_remove)
        .def("actions", actions, docs::subscriber_actions)
        .def("next_deadline", next_deadline, docs::subscriber_next_deadline)
        .def(
            "connected",
            [](PySubscriber& self, const py::object& server) {
                server_news<&Subscriber::connected>(self, "connected", server);
            },
            py::arg("server"), docs::subscriber_connected)
        .def(
            "connect_failed",
            [](PySubscriber& self, const py::object& server) {
                server_news<&Subscriber::connect_failed>(self, "connect_failed", server);
            },
            py::arg("server"), docs::subscriber_connect_failed)
        .def(
            "disconnected",
            [](PySubscriber& self, const py::object& server) {
                server_news<&Subscriber::disconnected>(self, "disconnected", server);
            },
            py::arg("server"), docs::subscriber_disconnected)
        .def("synced", synced, py::arg("request"), py::arg("tree_id"), py::arg("index"), docs::subscriber_synced)
        .def("touched", touched, py::arg("request"), py::arg("watches"), docs::subscriber_touched)
        .def("request_failed", request_failed, py::arg("request"), py::arg("reason"), docs::subscriber_request_failed)
        .def("notified", notified, py::arg("server"), py::arg("notifications"), py::arg("group") = default_group,
             docs::subscriber_notified)
        .def("take", take, docs::subscriber_take)
        .def("known", known, py::arg("group") = default_group, docs::subscriber_known)
        .def("server", server, py::arg("group") = default_group, docs::subscriber_server)
        .def("tree", tree, py::arg("group") = default_group, docs::subscriber_tree)
        .def("stats", stats, docs::subscriber_stats)
        .def(
            "verify", [](PySubscriber& self) { self.subscriber().verify(); }, docs::subscriber_verify)
        .def("__repr__", represent);
}

}  // namespace watchtree::python
