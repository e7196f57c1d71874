// channel.h: one subscriber connection and what it waits for (contract §3).
#pragma once

#include <cstdint>

#include "core/base/buffer.h"
#include "core/base/intrusive_list.h"
#include "core/base/probe_table.h"
#include "core/dispatch/counters.h"
#include "core/watch/watch.h"
#include "watchtree/words.h"

namespace watchtree::core {

inline Links& ready_links_of(Watch& watch) noexcept { return watch.ready_links; }
using ReadySet = IntrusiveList<Watch, ready_links_of>;

//  state        since                       queued in            leaves to
//  idle         nothing to send             -                    ready, in_flight
//  ready        a watch became ready        ready channels       in_flight, idle
//  in_flight    its batch was built         unanswered batches   idle, ready, in_flight, backing_off
//  backing_off  a sending failed            retries              in_flight, idle
// A channel is closed from any of them.
//
// A sending and its answer touch the first cache line, the one with the counters and one of the latencies.
struct alignas(64) Channel {
    Buffer* name;  // one count
    Nanoseconds last_activity = 0;
    ReadySet ready;  // in the order they became ready
    Links in_ready{none, none};
    Links in_silence{none, none};
    Handle batch = none;  // while in flight
    Handle retry = none;  // while backing off
    std::uint32_t watches_backing_off = 0;
    std::uint32_t left_by_cut = 0;  // once its batch was cut: how many at the front of the ready set were ready then
    std::uint8_t failures = 0;      // sendings in a row that failed
    ChannelState state = ChannelState::idle;
    bool answered_early = false;  // a batch that was answered may wait to be handed over
    alignas(64) ChannelCounters counters;
    ProbeTable<BareHandle> watches;  // by the holder
};
static_assert(sizeof(Channel) == 320);

}  // namespace watchtree::core
