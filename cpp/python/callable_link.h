// callable_link.h: how the engine reaches a Python callable that the Dispatcher owns.
//
// The engine lives on while a batch does, and Python's garbage collector cannot look into it. So the one strong reference
// is the Dispatcher's, where the collector sees it, and the engine has this link, which is cut when the Dispatcher goes.
#pragma once

#include <mutex>

#include <pybind11/pybind11.h>

namespace watchtree::python {

namespace py = pybind11;

class CallableLink {
  public:
    // The callable, or None once it was cut. Requires: Python's lock.
    [[nodiscard]] py::object get() const {
        const std::lock_guard guard(mutex_);
        return callable_ == nullptr ? py::none() : py::reinterpret_borrow<py::object>(callable_);
    }
    void set(py::handle callable) noexcept {
        const std::lock_guard guard(mutex_);
        callable_ = callable.is_none() ? nullptr : callable.ptr();
    }
    void cut() noexcept {
        const std::lock_guard guard(mutex_);
        callable_ = nullptr;
    }

  private:
    mutable std::mutex mutex_;  // for interpreters without a global lock; held for a few instructions
    PyObject* callable_ = nullptr;
};

}  // namespace watchtree::python
