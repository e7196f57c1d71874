// allocated.h: how much memory the process has asked for, to see what a structure costs with all that its allocator adds.
#pragma once

#include <cstddef>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "watchtree/dispatcher.h"

namespace watchtree::bench {

// What the allocator has given out, its own overhead included; elsewhere than with glibc, what the dispatcher says it holds.
inline std::size_t allocated([[maybe_unused]] const Dispatcher& dispatcher) {
#if defined(__GLIBC__)
    const struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd;
#else
    const Memory held = dispatcher.memory();
    return held.watches + held.holders + held.keys + held.channels + held.queues + held.batches;
#endif
}

}  // namespace watchtree::bench
