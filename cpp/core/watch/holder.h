// holder.h: where the watches of one key hang (contract §2, Where a watch hangs).
#pragma once

#include <cstdint>

#include "core/base/at_four.h"
#include "core/base/buffer.h"
#include "core/base/slab.h"
#include "watchtree/words.h"

namespace watchtree::core {

inline constexpr std::uint32_t stamp_mask = (1u << 30) - 1;  // a batch entry keeps 30 bits of a stamp

// On a node (mounted), or, for a missing key, under the holder of its parent key. Owns one count of its key: the node's
// own bytes while it is mounted.
struct Holder {
    AtFour<Buffer*> key;
    AtFour<Index> missing_index;  // the state's index while the key is missing
    Handle place;                 // the node, or the holder of the parent key
    Handle first_watch;           // in the order of registration; its predecessor is the last one
    std::uint32_t watch_count;
    std::uint32_t child_count : 30;  // holders of missing keys directly below
    std::uint32_t mounted : 1;
    std::uint32_t queued : 1;  // in the queue of changed holders, which writes this and what follows
    union {
        std::uint32_t queue_position;  // while queued
        std::uint32_t last_stamp;      // else: when it was queued last, in units of the latency clock; 0: never
    };
};
static_assert(sizeof(Holder) == 36, "the memory figures in the README count on it");

}  // namespace watchtree::core
