// event.h: what a trace is made of: the calls of a dispatcher and its tree, and what followed from each.
#pragma once

#include <cstdint>

#include "watchtree/words.h"

namespace watchtree::core {

// The numbers stand in files: add at the end of each kind, never change one.
enum class Event : std::uint8_t {
    end = 0,  // of a call, with how it ended

    // Calls.
    put = 1,
    mkdir = 2,
    remove = 3,
    compare_and_set = 4,
    changes = 5,  // Tree.batch; its operations follow
    restore = 6,
    sync = 7,
    touch = 8,
    close = 9,
    reset = 10,
    dispatch = 11,  // its outcome: 1 if it was complete, and twice the items of its busiest part
    hand_over = 12,
    acknowledge = 13,
    results = 14,
    remove_all = 15,
    fail = 16,
    raised = 17,  // the transport raised
    lost = 18,    // a call too large for the recording
    last_call = lost,

    // What follows from a call.
    ready = 32,         // a channel waits for its turn
    batch = 33,         // a batch was built
    notification = 34,  // a notification in it; only in columns
    idle = 35,          // a channel has nothing to send
    overdue = 36,       // no answer came in time
    back_off = 37,      // a channel waits after a failure
    closed = 38,        // a channel is gone
    outcomes = 39,      // how each operation of `changes` ended; not in columns

    // Items of calls; only in columns.
    watch = 64,    // a key of a sync
    unwatch = 65,  // a key of a sync that is not to be watched any more
    result = 66,   // a result that counted and was not OK
};

// The sizes of a dispatcher at the end of a call.
struct QueueLengths {
    std::uint32_t changed_holders = 0;
    std::uint32_t ready_channels = 0;
    std::uint32_t backing_off = 0;
    std::uint32_t in_flight = 0;

    bool operator==(const QueueLengths&) const = default;
};

// How a call ended.
struct Ending {
    std::uint64_t outcome = 0;  // see the column of this name
    Index index = 0;            // the tree's, after it
    QueueLengths queues;
    std::uint64_t coalesced = 0;  // changes so far that needed no notification of their own
    Nanoseconds elapsed = 0;      // of a step
};

}  // namespace watchtree::core
