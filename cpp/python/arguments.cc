#include "arguments.h"

#include <cmath>
#include <limits>
#include <utility>

#include <pybind11/critical_section.h>

#include "classes.h"

namespace watchtree::python {

namespace {
constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
}  // namespace

void raise_type_error(const char* what, py::handle value, const char* wanted) {
    PyErr_Format(PyExc_TypeError, "%s is of type %s; give %s", what, Py_TYPE(value.ptr())->tp_name, wanted);
    throw py::error_already_set();
}

Text::Text(py::handle text, const char* what) : text_(py::reinterpret_borrow<py::object>(text)) {
    if (!PyUnicode_Check(text.ptr())) raise_type_error(what, text, "a str");
    Py_ssize_t size = 0;
    const char* bytes = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
    if (bytes == nullptr) {
        if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError) == 0) throw py::error_already_set();
        PyErr_Clear();
        PyObject* encoded = PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogatepass");
        if (encoded == nullptr) throw py::error_already_set();
        encoded_ = py::reinterpret_steal<py::object>(encoded);
        bytes = PyBytes_AS_STRING(encoded);
        size = PyBytes_GET_SIZE(encoded);
    }
    view_ = {bytes, static_cast<std::size_t>(size)};
}

Name::Name(py::handle name) : name_(py::reinterpret_borrow<py::object>(name)) {
    if (!PyUnicode_Check(name.ptr())) raise_type_error("channel", name, "a str");
    Py_ssize_t size = 0;
    const char* bytes = PyUnicode_AsUTF8AndSize(name.ptr(), &size);
    if (bytes == nullptr) throw py::error_already_set();
    view_ = {bytes, static_cast<std::size_t>(size)};
}

Bytes::Bytes(py::handle object, const char* what) {
    if (PyObject_CheckBuffer(object.ptr()) == 0) raise_type_error(what, object, "bytes or an object with a buffer");
    if (PyObject_GetBuffer(object.ptr(), &buffer_, PyBUF_SIMPLE) != 0) throw py::error_already_set();
}

Bytes::Bytes(Bytes&& other) noexcept : buffer_(std::exchange(other.buffer_, Py_buffer{})) {}

Bytes::~Bytes() {
    if (buffer_.obj != nullptr) PyBuffer_Release(&buffer_);
}

bool as_bool(py::handle value, const char* what) {
    if (!PyBool_Check(value.ptr())) raise_type_error(what, value, "True or False");
    return value.ptr() == Py_True;
}

std::int64_t as_int64(py::handle value, const char* what, std::int64_t below, std::int64_t above) {
    if (!PyLong_Check(value.ptr())) raise_type_error(what, value, "an int");
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
    if (overflow != 0) return overflow < 0 ? below : above;
    if (number == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    return number;
}

AskedIndex as_asked_index(py::handle index) {
    if (index.is_none()) return {};
    if (!PyLong_Check(index.ptr())) raise_type_error("index", index, "an int or None");
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
    if (overflow > 0) return AskedIndex::too_large();
    if (overflow < 0) return AskedIndex::given(lowest);
    if (number == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    return AskedIndex::given(number);
}

std::uint64_t as_ticket(py::handle value, const char* what) {
    const std::int64_t number = as_int64(value, what, 0, 0);
    return number < 0 ? 0 : static_cast<std::uint64_t>(number);
}

Failure as_failure(py::handle value) {
    const std::int64_t number = as_int64(value, "failure", -1, -1);
    if (number < 0 || number >= failure_kinds) {
        PyErr_Format(PyExc_ValueError, "failure is %S; give a watchtree.Failure", value.ptr());
        throw py::error_already_set();
    }
    return static_cast<Failure>(number);
}

std::vector<std::int64_t> as_results(py::handle results) {
    if (PySequence_Check(results.ptr()) == 0 || PyUnicode_Check(results.ptr()))
        raise_type_error("results", results, "a sequence with one Result for each notification, or None");
    PyObject* fast = PySequence_Fast(results.ptr(), "results cannot be iterated");
    if (fast == nullptr) throw py::error_already_set();
    const py::object sequence = py::reinterpret_steal<py::object>(fast);
    std::vector<std::int64_t> codes;
    codes.reserve(static_cast<std::size_t>(PySequence_Fast_GET_SIZE(fast)));
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast); ++i) {
        const py::object item = py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(fast, i));
        if (PyIndex_Check(item.ptr()) == 0) raise_type_error("a result", item, "a Result or another int");
        const py::object number = py::reinterpret_steal<py::object>(PyNumber_Index(item.ptr()));
        if (!number) throw py::error_already_set();
        codes.push_back(as_int64(number, "a result", lowest, highest));
    }
    return codes;
}

KnownKeys::KnownKeys(py::handle known) {
    if (PyDict_CheckExact(known.ptr())) {
        const py::scoped_critical_section guard(known);
        const auto size = static_cast<std::size_t>(PyDict_GET_SIZE(known.ptr()));
        texts_.reserve(size);
        indexes_.reserve(size);
        known_.reserve(size);
        PyObject *key, *index;
        Py_ssize_t position = 0;
        while (PyDict_Next(known.ptr(), &position, &key, &index) != 0) add(key, index);
        return;
    }
    constexpr const char* wanted = "a mapping from keys to indexes, or pairs of them";
    const bool is_mapping = PyMapping_Check(known.ptr()) != 0 && py::hasattr(known, "items");
    const py::object items = is_mapping ? known.attr("items")() : py::reinterpret_borrow<py::object>(known);
    if (PyUnicode_Check(known.ptr()) || !is_iterable(items)) raise_type_error("known", known, wanted);
    for (const py::handle item : py::iter(items)) {
        if (!PyTuple_Check(item.ptr()) && !PyList_Check(item.ptr())) raise_type_error("an item of known", item, wanted);
        PyObject* pair = PySequence_Fast(item.ptr(), wanted);
        if (pair == nullptr) throw py::error_already_set();
        const py::object kept = py::reinterpret_steal<py::object>(pair);
        if (PySequence_Fast_GET_SIZE(pair) != 2) raise_type_error("an item of known", item, "a pair (key, index)");
        add(PySequence_Fast_GET_ITEM(pair, 0), PySequence_Fast_GET_ITEM(pair, 1));
    }
}

void KnownKeys::add(py::handle key, py::handle index) {
    texts_.emplace_back(key, "a key");
    // What no index can be is below -1 for the core, too.
    known_.push_back({texts_.back().view(), as_int64(index, "a known index", lowest, lowest)});
    indexes_.push_back(py::reinterpret_borrow<py::object>(index));
}

py::object config_or_default(py::handle config) {
    if (config.is_none()) return classes().config();
    if (!py::isinstance(config, classes().config)) raise_type_error("config", config, "a watchtree.Config or None");
    return py::reinterpret_borrow<py::object>(config);
}

Config as_config(py::handle object) {
    const py::object config = config_or_default(object);
    const auto number = [&](const char* name) { return config.attr(name).cast<std::uint32_t>(); };
    const auto nanoseconds = [](py::handle seconds) -> Nanoseconds {
        const double time = seconds.cast<double>();
        return std::isfinite(time) && std::abs(time) < 9e9 ? std::llround(time * 1e9) : 0;
    };
    Config result;
    result.max_key_bytes = number("max_key_bytes");
    result.max_value_bytes = number("max_value_bytes");
    result.max_batch_size = number("max_batch_size");
    result.max_batch_bytes = number("max_batch_bytes");
    result.dispatch_interval_ns = nanoseconds(config.attr("dispatch_interval"));
    result.answer_timeout_ns = nanoseconds(config.attr("answer_timeout"));
    result.channel_timeout_ns = nanoseconds(config.attr("channel_timeout"));
    result.heartbeat_ns = nanoseconds(config.attr("heartbeat"));
    result.backoff_ns.clear();
    for (const py::handle seconds : py::iter(config.attr("backoff"))) result.backoff_ns.push_back(nanoseconds(seconds));
    validate(result);  // a subclass may have forgotten to
    return result;
}

}  // namespace watchtree::python
