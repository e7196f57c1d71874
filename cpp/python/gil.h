// gil.h: the only place that lets go of Python's global lock or takes it.
//
// Order of locks: nobody waits for the engine's lock while holding Python's, and nobody waits for Python's while holding
// the engine's. So a call of Python code from inside a call of ours can never deadlock with another thread.
#pragma once

#include <pybind11/pybind11.h>

#include <mutex>
#include <utility>

namespace watchtree::python {

namespace py = pybind11;

// For work that takes long: other Python threads run meanwhile.
template <typename Work>
auto without_gil(Work&& work) {
    const py::gil_scoped_release released;
    return std::forward<Work>(work)();
}

// For callbacks from threads that may have let go of it. Nothing happens while the interpreter ends.
template <typename Work>
void with_gil(Work&& work) {
    if (Py_IsInitialized() == 0) return;
    const py::gil_scoped_acquire acquired;
    std::forward<Work>(work)();
}

// How a call waits for the engine's lock (core::set_wait_for_lock). Short calls keep Python's lock and try; only when
// another thread has the engine's do they let go, and they never come back with the engine's alone.
inline void wait_for_engine(std::mutex& mutex) {
    if (PyGILState_Check() == 0) {
        mutex.lock();
        return;
    }
    do {
        without_gil([&] {
            mutex.lock();
            mutex.unlock();
        });
    } while (!mutex.try_lock());
}

}  // namespace watchtree::python
