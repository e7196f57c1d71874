// columns.h: the calls of a log and what followed from each, as one row each, in columns.
//
// Cost        O(bytes of the log), 89 bytes a row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/trace/log.h"

namespace watchtree::core {

// What a column holds for each event is written in python/watchtree/trace/events.py.
struct Columns {
    std::vector<std::int64_t> time;  // nanoseconds
    std::vector<std::int64_t> call;  // the number of the call
    std::vector<std::uint8_t> event;
    std::vector<std::int32_t> channel;  // a position in `channels`, -1: none
    std::vector<std::int32_t> key;      // a position in `keys`, -1: none
    std::vector<std::int64_t> ticket;   // 0: none
    std::vector<std::int64_t> index;
    std::vector<std::int32_t> outcome;
    std::vector<std::int32_t> count;
    std::vector<std::int64_t> bytes;
    std::vector<std::int64_t> duration;  // nanoseconds
    std::vector<std::int64_t> coalesced;
    std::vector<std::uint32_t> changed_holders;
    std::vector<std::uint32_t> ready_channels;
    std::vector<std::uint32_t> backing_off;
    std::vector<std::uint32_t> in_flight;

    std::vector<std::string> channels;
    std::vector<std::string> keys;
};

// Requires: parsed, or recorded.
[[nodiscard]] Columns columns_of(const Log& log);

}  // namespace watchtree::core
