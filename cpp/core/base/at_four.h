// at_four.h: eight bytes at an address that is a multiple of four, for records that would otherwise end in four bytes of padding.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

namespace watchtree::core {

template <typename T>
class AtFour {
    static_assert(sizeof(T) == 8 && std::is_trivially_copyable_v<T>);

  public:
    AtFour() noexcept = default;
    AtFour(T value) noexcept { std::memcpy(bytes_, &value, sizeof(T)); }
    operator T() const noexcept {
        T value;
        std::memcpy(&value, bytes_, sizeof(T));
        return value;
    }
    T operator->() const noexcept
        requires std::is_pointer_v<T>
    {
        return *this;
    }

  private:
    alignas(4) std::byte bytes_[sizeof(T)];
};

}  // namespace watchtree::core
