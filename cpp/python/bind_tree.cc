#include <optional>
#include <string>
#include <vector>

#include <pybind11/pybind11.h>

#include "arguments.h"
#include "bind_classes.h"
#include "bind_errors.h"
#include "classes.h"
#include "docs.h"
#include "fast_call.h"
#include "gil.h"

namespace watchtree::python {

namespace {

using core::NodeView;

Asked asked_of(core::Group& group, const char* call, const Operation& operation, const py::handle index, Index at) {
    return {call,
            operation.key,
            operation.value ? operation.value->size() : 0,
            index,
            at,
            group.max_key_bytes(),
            group.max_value_bytes()};
}

Asked asked_of(core::Group& group, const char* call, std::string_view key) {
    return {call, key, 0, py::none(), 0, group.max_key_bytes(), group.max_value_bytes()};
}

Index change(PyTree& tree, const char* call, const Operation& operation, py::handle index) {
    core::Group& group = tree.group();
    const AskedIndex asked = as_asked_index(index);
    // A recursive removal may take long; everything else is over before another thread could start.
    const Change change = operation.kind == Operation::Kind::remove && operation.deep
                              ? without_gil([&] { return group.change(operation, asked); })
                              : group.change(operation, asked);
    if (change.status != Status::ok) raise_error(change.status, asked_of(group, call, operation, index, change.index));
    return change.index;
}

// Of the instance that a fast method is called on.
PyTree& tree_of(PyObject* self) { return initialised(native<PyTree>(self), "Tree"); }

PyObject* put(PyObject* self, PyObject* const* values, Py_ssize_t positional, PyObject* names) {
    static constexpr Signature<4> signature{"Tree.put", {"key", "value", "parents", "index"}, 2, 2};
    return guarded([&] {
        const auto [key, value, parents, index] = signature.read({values, positional, names});
        const Text text(key, "key");
        const Bytes bytes(value, "value");
        const bool deep = parents && as_bool(parents, "parents");
        return py::int_(
            change(tree_of(self), "put", Operation::put(text.view(), bytes.view(), deep), index ? index : py::none()));
    });
}

Index mkdir(PyTree& tree, const py::object& key, const py::object& parents, const py::object& index) {
    const Text text(key, "key");
    return change(tree, "mkdir", Operation::mkdir(text.view(), as_bool(parents, "parents")), index);
}

Index remove(PyTree& tree, const py::object& key, const py::object& recursive, const py::object& index) {
    const Text text(key, "key");
    return change(tree, "remove", Operation::remove(text.view(), as_bool(recursive, "recursive")), index);
}

std::optional<Bytes> as_optional_bytes(const py::object& object, const char* what) {
    return object.is_none() ? std::nullopt : std::make_optional<Bytes>(object, what);
}

std::optional<std::string_view> view_of(const std::optional<Bytes>& bytes) {
    return bytes ? std::make_optional(bytes->view()) : std::nullopt;
}

Index compare_and_set(PyTree& tree, const py::object& key, const py::object& expected, const py::object& value,
                      const py::object& index) {
    const Text text(key, "key");
    const auto old_bytes = as_optional_bytes(expected, "expected");
    const auto new_bytes = as_optional_bytes(value, "value");
    return change(tree, "compare_and_set",
                  Operation::compare_and_set(text.view(), view_of(old_bytes), view_of(new_bytes)), index);
}

// The items of Tree.batch, with everything that they borrow from.
struct Operations {
    std::vector<Text> texts;
    std::vector<Bytes> bytes;
    std::vector<Operation> list;

    void add(py::handle item) {
        const Classes& all = classes();
        if (is_one(item, all.put)) {
            const std::string_view key = text(item);
            list.push_back(Operation::put(key, *value(item, 1, "value", false), flag(item, 2, "parents")));
        } else if (is_one(item, all.mkdir)) {
            const std::string_view key = text(item);
            list.push_back(Operation::mkdir(key, flag(item, 1, "parents")));
        } else if (is_one(item, all.remove)) {
            const std::string_view key = text(item);
            list.push_back(Operation::remove(key, flag(item, 1, "recursive")));
        } else if (is_one(item, all.compare_and_set)) {
            const std::string_view key = text(item);
            const auto expected = value(item, 1, "expected", true);
            list.push_back(Operation::compare_and_set(key, expected, value(item, 2, "value", true)));
        } else {
            raise_type_error("an item of the batch", item, "a Put, Mkdir, Remove or CompareAndSet");
        }
    }

  private:
    // A subclass of these, which are named tuples, has their fields.
    static bool is_one(py::handle item, const py::object& of) noexcept {
        return PyObject_TypeCheck(item.ptr(), reinterpret_cast<PyTypeObject*>(of.ptr())) != 0;
    }
    // One that was made around its class has fewer.
    static py::handle field(py::handle item, Py_ssize_t position) {
        if (position >= PyTuple_GET_SIZE(item.ptr()))
            raise_type_error("an item of the batch", item, "an operation with all of its fields");
        return PyTuple_GET_ITEM(item.ptr(), position);
    }
    std::string_view text(py::handle item) { return texts.emplace_back(field(item, 0), "key").view(); }
    std::optional<std::string_view> value(py::handle item, Py_ssize_t position, const char* name, bool may_be_none) {
        const py::handle object = field(item, position);
        if (may_be_none && object.is_none()) return std::nullopt;
        return bytes.emplace_back(object, name).view();
    }
    static bool flag(py::handle item, Py_ssize_t position, const char* name) {
        return as_bool(field(item, position), name);
    }
};

const char* name_of(Operation::Kind kind) {
    switch (kind) {
        case Operation::Kind::put: return "put";
        case Operation::Kind::mkdir: return "mkdir";
        case Operation::Kind::remove: return "remove";
        case Operation::Kind::compare_and_set: break;
    }
    return "compare_and_set";
}

py::list batch(PyTree& tree, const py::object& operations, const py::object& index) {
    Operations items;
    for (const py::handle item : py::iter(operations)) items.add(item);
    const AskedIndex asked = as_asked_index(index);
    core::Group& group = tree.group();
    std::vector<Change> changes;
    Index at = 0;
    const Status status = without_gil([&] { return group.batch(items.list, asked, changes, at); });
    if (status != Status::ok) raise_error(status, {"batch", {}, 0, index, at, 0, 0});
    py::list answers(changes.size());
    const py::int_ index_of_all(at);
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const Operation& operation = items.list[i];
        if (changes[i].status == Status::ok) {
            answers[i] = index_of_all;
        } else {
            answers[i] = make_error(changes[i].status,
                                    asked_of(group, name_of(operation.kind), operation, index, changes[i].index));
        }
    }
    return answers;
}

py::object make_node(const NodeView& node) {
    return make_tuple_of<5>(
        classes().node,
        {make_text(node.key.get()->view()), node.value ? make_bytes(node.value.get()->view()) : py::none(),
         py::bool_(!node.value), py::int_(node.create_index), py::int_(node.update_index)});
}

// What was read shares buffers with the tree, and is given back whatever happens.
template <typename Views>
class Reading {
  public:
    explicit Reading(core::Group& group) : group_(group) {}
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading() { group_.give_back(views); }
    Views views;

  private:
    core::Group& group_;
};

py::object get(PyTree& tree, const py::object& key) {
    const Text text(key, "key");
    Reading<NodeView> reading(tree.group());
    const Status status = tree.group().get(text.view(), reading.views);
    if (status != Status::ok) raise_error(status, asked_of(tree.group(), "get", text.view()));
    return make_node(reading.views);
}

py::list get_many(PyTree& tree, const py::object& keys) {
    if (PyUnicode_Check(keys.ptr())) raise_type_error("keys", keys, "several keys, such as a list of str");
    std::vector<Text> texts;
    for (const py::handle key : py::iter(keys)) texts.emplace_back(key, "a key");
    std::vector<std::string_view> views;
    views.reserve(texts.size());
    for (const Text& text : texts) views.push_back(text.view());
    Reading<std::vector<std::optional<NodeView>>> reading(tree.group());
    std::size_t bad = 0;
    const Status status = without_gil([&] { return tree.group().get_many(views, reading.views, bad); });
    if (status != Status::ok) raise_error(status, asked_of(tree.group(), "get_many", views[bad]));
    py::list nodes(views.size());
    for (std::size_t i = 0; i < views.size(); ++i)
        nodes[i] = reading.views[i] ? make_node(*reading.views[i]) : py::none();
    return nodes;
}

py::object list(PyTree& tree, const py::object& key) {
    const Text text(key, "key");
    Reading<std::vector<NodeView>> reading(tree.group());
    const Status status = without_gil([&] { return tree.group().list(text.view(), reading.views); });
    if (status != Status::ok) raise_error(status, asked_of(tree.group(), "list", text.view()));
    py::list nodes(reading.views.size());
    for (std::size_t i = 0; i < reading.views.size(); ++i) nodes[i] = make_node(reading.views[i]);
    return classes().node_list(nodes);
}

py::iterator keys(PyTree& tree) {
    Reading<std::vector<NodeView>> reading(tree.group());
    without_gil([&] { tree.group().keys(reading.views); });
    py::list keys(reading.views.size());
    for (std::size_t i = 0; i < reading.views.size(); ++i) keys[i] = make_text(reading.views[i].key.get()->view());
    return py::iter(keys);
}

bool contains(PyTree& tree, const py::object& key) {
    return PyUnicode_Check(key.ptr()) && tree.group().contains(Text(key, "key").view());
}

py::object snapshot(PyTree& tree) {
    const std::string image = without_gil([&] { return tree.group().snapshot(); });
    return make_bytes(image);
}

void restore(core::Group& group, const char* call, const py::object& image) {
    // What could change while it is read is copied: it is checked first and used then.
    const Bytes bytes(image, "image");
    const std::string copy(PyBytes_CheckExact(image.ptr()) ? std::string_view{} : bytes.view());
    const std::string_view view = PyBytes_CheckExact(image.ptr()) ? bytes.view() : std::string_view(copy);
    const Status status = without_gil([&] { return group.restore(view); });
    if (status != Status::ok) raise_error(status, {.call = call});
}

PyTree make(const py::object& config) {
    const Config limits = as_config(config);
    return PyTree(std::make_shared<core::Group>(limits.max_key_bytes, limits.max_value_bytes));
}

PyTree from_snapshot(const py::object& image, const py::object& config) {
    PyTree tree = make(config);
    restore(tree.group(), "from_snapshot", image);
    return tree;
}

std::string represent(PyTree& tree) {
    return "<watchtree.Tree id=" + py::str(make_uuid(tree.group().id())).cast<std::string>() +
           " index=" + std::to_string(tree.group().index()) + " nodes=" + std::to_string(tree.group().size()) + ">";
}

}  // namespace

void bind_tree(py::module_& module) {
    const auto no_index = py::arg("index") = py::none();
    py::class_<PyTree> type(module, "Tree", docs::tree, py::is_final());
    static PyMethodDef fast_put = fast_method("put", put, docs::tree_put);
    add_fast_method(type, fast_put);
    type.def(py::init(&make), py::kw_only(), py::arg("config") = py::none())
        .def_static("from_snapshot", from_snapshot, py::arg("image"), py::kw_only(), py::arg("config") = py::none(),
                    docs::tree_from_snapshot)
        .def_property_readonly(
            "id", [](PyTree& tree) { return make_uuid(tree.group().id()); }, docs::tree_id)
        .def_property_readonly(
            "index", [](PyTree& tree) { return tree.group().index(); }, docs::tree_index)
        .def("mkdir", mkdir, py::arg("key"), py::kw_only(), py::arg("parents") = false, no_index, docs::tree_mkdir)
        .def("remove", remove, py::arg("key"), py::kw_only(), py::arg("recursive") = false, no_index, docs::tree_remove)
        .def("compare_and_set", compare_and_set, py::arg("key"), py::arg("expected"), py::arg("value"), py::kw_only(),
             no_index, docs::tree_compare_and_set)
        .def("batch", batch, py::arg("operations"), py::kw_only(), no_index, docs::tree_batch)
        .def("get", get, py::arg("key"), docs::tree_get)
        .def("get_many", get_many, py::arg("keys"), docs::tree_get_many)
        .def("list", list, py::arg("key") = "", docs::tree_list)
        .def("snapshot", snapshot, docs::tree_snapshot)
        .def(
            "restore", [](PyTree& tree, const py::object& image) { restore(tree.group(), "restore", image); },
            py::arg("image"), docs::tree_restore)
        .def(
            "verify", [](PyTree& tree) { without_gil([&] { tree.group().verify(); }); }, docs::tree_verify)
        .def(
            "__len__", [](PyTree& tree) { return tree.group().size(); }, docs::tree_len)
        .def("__contains__", contains, py::arg("key"))
        .def("__iter__", keys, docs::tree_iter)
        .def("__repr__", represent)
        .def("_repr_html_", [](const py::object& self) { return display("tree_html", self); });
}

}  // namespace watchtree::python
