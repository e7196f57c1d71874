// gil.h: the only place that lets go of Python's global lock or takes it.
//
// The end         A thread that asks for Python's lock while the interpreter ends is ended by Python, before 3.14 by unwinding
//                 its stack, which would destroy Python objects without the lock. It is made to wait for the end instead.
// Order of locks  Nobody waits for the engine's lock while holding Python's, nor for Python's while holding the engine's. So
//                 a call of Python code from inside a call of ours can never deadlock with another thread.
#pragma once

#include <chrono>
#include <thread>
#include <utility>

#include <pybind11/pybind11.h>

#include "core/base/lock.h"
#if defined(__GLIBCXX__)
#include <cxxabi.h>
#endif

namespace watchtree::python {

namespace py = pybind11;

// For every call that may run Python code or ask for its lock.
template <typename Call>
auto stay_if_interpreter_ends(Call&& call) {
#if defined(__GLIBCXX__)
    try {
        return std::forward<Call>(call)();
    } catch (abi::__forced_unwind&) {
        while (true) std::this_thread::sleep_for(std::chrono::hours(1));
    }
#else
    return std::forward<Call>(call)();
#endif
}

// Whether this thread let go of Python's lock here. Python itself cannot say so in every version, nor once there was a second
// interpreter.
inline thread_local bool is_released = false;

class Released {
  public:
    Released() : state_(PyEval_SaveThread()) { is_released = true; }
    Released(const Released&) = delete;
    Released& operator=(const Released&) = delete;
    ~Released() {
        stay_if_interpreter_ends([&] { PyEval_RestoreThread(state_); });
        is_released = false;
    }

  private:
    PyThreadState* state_;
};

// For work that takes long: other Python threads run meanwhile.
template <typename Work>
auto without_gil(Work&& work) {
    const Released released;
    return std::forward<Work>(work)();
}

class Held {
  public:
    Held() : state_(stay_if_interpreter_ends([] { return PyGILState_Ensure(); })) {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held() {
        is_released = was_released_;
        PyGILState_Release(state_);
    }

  private:
    PyGILState_STATE state_;
    bool was_released_ = std::exchange(is_released, false);
};

// For callbacks from threads that may have let go of it.
template <typename Work>
void with_gil(Work&& work) {
    if (Py_IsInitialized() == 0) return;
    const Held held;
    std::forward<Work>(work)();
}

// How a call waits for the engine's lock (core::set_wait_for_lock). Short calls keep Python's lock and try; only when
// another thread has the engine's do they let go, and they never come back with the engine's alone.
inline void wait_for_engine(core::Lock& lock) {
    if (is_released) {
        lock.lock();
        return;
    }
    do {
        without_gil([&] {
            lock.lock();
            lock.unlock();
        });
    } while (!lock.try_lock());
}

}  // namespace watchtree::python
