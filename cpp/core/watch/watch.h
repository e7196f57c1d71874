// watch.h: one (channel, key): what a subscriber connection follows (contract §2).
#pragma once

#include <cstdint>

#include "core/base/intrusive_list.h"
#include "watchtree/words.h"

namespace watchtree::core {

//  state        since                          linked by                            leaves to
//  idle         nothing to send                -                                    ready
//  ready        it is due                      ready_links, in its channel          in_flight, idle
//  in_flight    its state is in a batch        batch_position, in channel's batch   idle, ready, backing_off
//  backing_off  its own result was an error    retry                                ready, idle
enum class WatchState : std::uint8_t { idle, ready, in_flight, backing_off };

inline constexpr std::uint32_t max_watches = 1u << 30;  // a batch entry keeps 30 bits of the handle
inline constexpr std::uint32_t max_holders = 1u << 29;
inline constexpr std::uint32_t max_channels = 1u << 24;
inline constexpr std::uint32_t max_counted_failures = 31;  // back-off ends long before

struct Watch {
    std::uint32_t holder : 29;
    std::uint32_t state_bits : 2;
    std::uint32_t unacknowledged : 1;  // no sending of this registration was acknowledged yet
    std::uint32_t channel : 24;
    std::uint32_t failures : 5;  // results in a row that were errors
    std::uint32_t changed : 1;   // phase 1 found it due while it was in flight
    std::uint32_t resend : 1;    // its last sending was not acknowledged
    std::uint32_t named : 1;     // by the sync that is replacing the channel's watches
    Links in_holder;             // of the first watch of a holder, prev is the last one; of the last, next is none
    union {
        Links ready_links;
        Handle batch_position;
        Handle retry;
    };
    Index notified;  // -1: never since the registration

    [[nodiscard]] WatchState state() const noexcept { return static_cast<WatchState>(state_bits); }
    void move_to(WatchState state) noexcept { state_bits = static_cast<std::uint32_t>(state) & 3; }
};
static_assert(sizeof(Watch) == 32, "two to a cache line; the memory figures in the README count on it");

}  // namespace watchtree::core
