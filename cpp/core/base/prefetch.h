// prefetch.h: asks the processor for memory that will be read soon, so that cache misses overlap.
#pragma once

#include <cstddef>

namespace watchtree::core {

inline constexpr std::size_t cache_line_bytes = 64;  // of most machines; of others this is only slower

inline void prefetch([[maybe_unused]] const void* address) noexcept {
#if defined(__GNUC__)
    __builtin_prefetch(address);
    asm volatile("");  // a function that does nothing else has no effect to GCC, which leaves out the calls of it
#endif
}

}  // namespace watchtree::core
