// initialised.h: what happens to an object whose __init__ never ran, as after `Tree.__new__(Tree)`.
#pragma once

#include <cstdlib>
#include <new>
#include <string>

#include <pybind11/pybind11.h>

namespace watchtree::python {

namespace py = pybind11;

// Such an object gets its memory when it is first used, and no constructor. The base class sees to it that the memory is
// zero, so that the object knows: its pointers are null.
struct ZeroedStorage {
    static void* operator new(std::size_t size) {
        void* memory = std::calloc(1, size);
        if (memory == nullptr) throw std::bad_alloc();
        return memory;
    }
    static void* operator new(std::size_t, void* place) noexcept { return place; }
    static void operator delete(void* memory) noexcept { std::free(memory); }
};

template <typename Pointer>
auto& initialised(const Pointer& pointer, const char* type) {
    if (pointer == nullptr)
        throw py::type_error(std::string(type) + ".__init__ was never called; make one with watchtree." + type +
                             "(...)");
    return *pointer;
}

}  // namespace watchtree::python
