// stats.h: what a dispatcher and its channels count (contract §3). Definitions of each counter stand here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "watchtree/words.h"

namespace watchtree {

// Durations in buckets that double: bucket 0 is below 1 µs, bucket i is [2^(i-1), 2^i) µs, the last is open.
inline constexpr std::uint32_t histogram_buckets = 40;
using Histogram = std::array<std::uint64_t, histogram_buckets>;

struct Counters {
    std::uint64_t batches_sent = 0;  // batches built for the transport: tickets given out
    std::uint64_t sent = 0;          // notifications in them
    std::uint64_t acknowledged = 0;  // notifications answered ok, for a watch that was still the same registration
    std::uint64_t resent = 0;        // sent for a watch whose last sending, in this registration, was not acknowledged
    std::uint64_t coalesced = 0;     // changes that needed no notification of their own, counted for each watch
    std::uint64_t batches_acknowledged = 0;               // answered by an acknowledgement, results or remove_all
    std::array<std::uint64_t, failure_kinds> failures{};  // batches that failed, by Failure
    std::uint64_t watch_errors = 0;                       // results other than ok and remove_watch
    Histogram latency{};  // from the change that queued a key's holder to the acknowledgement
};

struct DispatcherStats : Counters {
    std::uint64_t epoch = 0;
    std::uint32_t channels = 0;
    std::uint32_t watches = 0;
    std::uint32_t holders = 0;
    std::uint32_t changed_holders = 0;
    std::uint32_t ready_channels = 0;
    std::uint32_t backing_off = 0;
    std::uint32_t in_flight = 0;
    std::uint64_t steps = 0;
    std::uint64_t unfinished_steps = 0;
    std::uint64_t ignored_answers = 0;
    std::uint64_t silent_channels = 0;
    Histogram step_time{};
};

struct ChannelStats : Counters {
    std::string name;
    ChannelState state = ChannelState::idle;
    std::uint32_t watches = 0;
    std::uint32_t ready_watches = 0;
    std::uint32_t backing_off = 0;
    std::uint32_t in_flight = 0;
    std::optional<std::uint64_t> ticket;
    std::uint32_t failure_count = 0;
};

// Bytes held by each structure.
struct Memory {
    std::size_t watches = 0;
    std::size_t holders = 0;
    std::size_t keys = 0;
    std::size_t channels = 0;
    std::size_t queues = 0;
    std::size_t batches = 0;
};

}  // namespace watchtree
