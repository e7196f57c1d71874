// batch_record.h: one sending: what a batch carries, and how it is found when it is answered (contract §3, batch).
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/intrusive_list.h"
#include "watchtree/words.h"

namespace watchtree::core {

// Owns one count of its key and of its value.
struct BatchEntry {
    Buffer* key;
    Buffer* value;  // null unless the state is VALUE
    Index index;
    Handle watch;              // none once it was dropped or registered anew: its generation ended. Only under the lock
    std::uint32_t stamp : 30;  // of the change, for the latency; 0: none
    std::uint32_t state_bits : 2;

    [[nodiscard]] State state() const noexcept { return static_cast<State>(state_bits); }
};
static_assert(sizeof(BatchEntry) == 32);

// Alive while it is pinned: by the dispatcher until it is answered and until it is handed over, and by whoever was handed
// it. What was sent never changes after it was built, so that holders of a pin read it without the lock.
struct BatchRecord {
    std::vector<BatchEntry> entries;
    std::uint64_t ticket = 0;
    std::uint64_t epoch = 0;
    Nanoseconds sent_at = 0;
    Buffer* name = nullptr;  // the channel's; one count
    BatchRecord* next_spare = nullptr;
    std::uint32_t size_bytes = 0;
    Handle self = none;
    Handle channel = none;               // none once it was answered or forgotten; under the lock
    Links links{none, none};             // of batches whose answer is slow to come
    std::uint32_t own_pins = 0;          // the dispatcher's, under the lock; together they count for one of the others
    std::atomic<std::uint32_t> pins{0};  // nobody but who is handed the batch adds one: 1 while it is ours stays 1
    std::atomic<bool> cancelled{false};  // its channel is gone: not to be handed over any more
    std::atomic<bool> handed_over{false};  // or about to be
    bool more = false;
};

}  // namespace watchtree::core
