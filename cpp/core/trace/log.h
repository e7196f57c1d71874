// log.h: a recording that has ended, or a copy of one that goes on: all that a trace is made from, in memory or as bytes.
//
// Format      varints (varint.h) throughout: limits and intervals of the dispatcher, flags, the image of the tree, where the
//             calls begin, the calls as recording.h wrote them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "watchtree/config.h"

namespace watchtree::core {

struct Log {
    Config config;  // the dispatcher's
    std::uint32_t tree_max_key_bytes = 0;
    std::uint32_t tree_max_value_bytes = 0;
    std::string image;        // of the tree when the recording began; empty if it was not kept
    bool replayable = false;  // it holds every call since the dispatcher was made, with all values
    Nanoseconds base = 0;     // what the time of the first call counts from
    std::uint64_t first = 0;  // the number of the first call
    std::string calls;
};

[[nodiscard]] std::string encode(const Log& log);
// The calls from number `begin` up to `end`, which is not in it. It may be replayed if it begins with the first.
[[nodiscard]] Log cut(const Log& log, std::uint64_t begin, std::uint64_t end);
// None if the bytes are no log. Every call in it can be read then.
[[nodiscard]] std::optional<Log> parse_log(std::string_view bytes);

}  // namespace watchtree::core
