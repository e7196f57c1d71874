// config.h: the limits and intervals of the contract. Sizes are bytes, counts are items.
#pragma once

#include <cstdint>
#include <vector>

#include "watchtree/words.h"

namespace watchtree {

struct Config {
    std::uint32_t max_key_bytes = 8192;
    std::uint32_t max_value_bytes = 1u << 20;
    std::uint32_t max_batch_size = 100;
    std::uint32_t max_batch_bytes = 80 * 1024;
    Nanoseconds dispatch_interval_ns = 500'000'000;
    Nanoseconds answer_timeout_ns = 15'000'000'000;
    Nanoseconds channel_timeout_ns = 120'000'000'000;
    Nanoseconds heartbeat_ns = 60'000'000'000;
    std::vector<Nanoseconds> backoff_ns = {1'000'000'000, 10'000'000'000, 30'000'000'000, 60'000'000'000};
};

// Throws std::invalid_argument naming what is out of range: a key has 1 to 65,535 bytes, everything else lies between 1 and
// 2^30 (max_value_bytes may be 0) or is a positive time, and there are 1 to 16 back-off intervals.
void validate(const Config& config);

}  // namespace watchtree
