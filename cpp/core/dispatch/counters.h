// counters.h: what is counted for each channel, small because there may be millions of them; the dispatcher counts the
// same in watchtree::Counters.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "core/watch/holder.h"
#include "watchtree/stats.h"

namespace watchtree::core {

// The latency clock wraps after 2^30 units of 4.096 µs, which lies in bucket 33.
inline constexpr std::uint32_t latency_buckets = 34;

[[nodiscard]] inline std::uint32_t bucket_of(std::uint64_t microseconds) noexcept {
    return std::min<std::uint32_t>(static_cast<std::uint32_t>(std::bit_width(microseconds)), histogram_buckets - 1);
}

[[nodiscard]] inline std::uint32_t latency_bucket(std::uint32_t from, std::uint32_t to) noexcept {
    return bucket_of((std::uint64_t{(to - from) & stamp_mask} << 12) / 1000);
}

struct ChannelCounters {
    std::uint64_t sent = 0;
    std::uint64_t acknowledged = 0;
    std::uint32_t batches_sent = 0;
    std::uint32_t batches_acknowledged = 0;
    std::uint32_t resent = 0;
    std::uint32_t coalesced = 0;
    std::uint32_t watch_errors = 0;
    std::array<std::uint32_t, failure_kinds> failures{};
    std::array<std::uint32_t, latency_buckets> latency{};
};

}  // namespace watchtree::core
