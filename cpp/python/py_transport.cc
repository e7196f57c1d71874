#include "py_transport.h"

#include "bind_batch.h"
#include "classes.h"
#include "gil.h"

namespace watchtree::python {

bool PyTransport::hand_over(core::BatchRecord& record) {
    const py::object send = send_.get();
    if (send.is_none()) return true;  // the dispatcher is gone, and its channels with it
    try {
        stay_if_interpreter_ends([&] {
            const py::object batch = make_batch(*engine_, record);
            PyObject* const answer = PyObject_CallOneArg(send.ptr(), batch.ptr());
            if (answer == nullptr) throw py::error_already_set();
            Py_DECREF(answer);
        });
        return true;
    } catch (py::error_already_set& error) {
        ask_clock_for_failure(record);
        report_exception(error, on_error_.get(), record.name->view());
        return false;
    }
}

// The back-off begins when the transport raised. A clock that raises as well cannot stop the failure from counting.
void PyTransport::ask_clock_for_failure(const core::BatchRecord& record) const {
    try {
        refresh_clock();
    } catch (py::error_already_set& error) {
        report_exception(error, on_error_.get(), record.name->view());
    }
}

void PyTransport::report(py::handle error, std::string_view channel) const {
    stay_if_interpreter_ends([&] { classes().report(on_error_.get(), error, make_text(channel)); });
}

void PyWaker::wake() noexcept {
    with_gil([&] {
        const py::object on_work = on_work_.get();
        if (on_work.is_none()) return;
        try {
            try {
                stay_if_interpreter_ends([&] { on_work(); });
            } catch (py::error_already_set& error) {
                report_exception(error, on_error_.get(), {});
            }
        } catch (py::error_already_set& error) {
            // There is no caller to raise it to: the change that woke it has been made.
            if (error.matches(PyExc_KeyboardInterrupt)) {
                PyErr_SetInterrupt();  // the main thread raises it next
            } else {
                error.discard_as_unraisable("Dispatcher.on_work");
            }
        }
    });
}

void report_exception(py::error_already_set& error, const py::object& on_error, std::string_view channel) {
    if (!error.matches(PyExc_Exception)) throw;
    if (error.trace()) PyException_SetTraceback(error.value().ptr(), error.trace().ptr());
    stay_if_interpreter_ends([&] { classes().report(on_error, error.value(), make_text(channel)); });
}

}  // namespace watchtree::python
