#include "py_transport.h"

#include "bind_batch.h"
#include "classes.h"
#include "gil.h"

namespace watchtree::python {

bool PyTransport::hand_over(core::BatchRecord& record) {
    const py::object send = send_.get();
    if (send.is_none()) return true;  // the dispatcher is gone, and its channels with it
    try {
        send(make_batch(*engine_, record));
        return true;
    } catch (py::error_already_set& error) {
        report_exception(error, on_error_, record.name->view());
        return false;
    }
}

void PyTransport::report(py::handle error, std::string_view channel) const {
    classes().report(on_error_.get(), error, make_text(channel));
}

void PyWaker::wake() noexcept {
    with_gil([&] {
        const py::object on_work = on_work_.get();
        if (on_work.is_none()) return;
        try {
            try {
                on_work();
            } catch (py::error_already_set& error) {
                report_exception(error, on_error_, {});
            }
        } catch (py::error_already_set& error) {
            error.discard_as_unraisable("Dispatcher.on_work");
        }
    });
}

void report_exception(py::error_already_set& error, const CallableLink& on_error, std::string_view channel) {
    if (!error.matches(PyExc_Exception)) throw;
    classes().report(on_error.get(), error.value(), make_text(channel));
}

}  // namespace watchtree::python
