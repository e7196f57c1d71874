#include "watchtree/config.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "core/dispatch/retries.h"

namespace watchtree {

namespace {

void check(bool holds, const char* field) {
    if (!holds) throw std::invalid_argument(std::string("Config.") + field + " is out of range; see its description");
}

}  // namespace

void validate(const Config& config) {
    constexpr std::uint32_t most = 1u << 30;
    check(config.max_key_bytes >= 1 && config.max_key_bytes <= 65'535, "max_key_bytes");
    check(config.max_value_bytes <= most, "max_value_bytes");
    check(config.max_batch_size >= 1 && config.max_batch_size <= most, "max_batch_size");
    check(config.max_batch_bytes >= 1 && config.max_batch_bytes <= most, "max_batch_bytes");
    check(config.dispatch_interval_ns > 0, "dispatch_interval");
    check(config.answer_timeout_ns > 0, "answer_timeout");
    check(config.channel_timeout_ns > 0, "channel_timeout");
    check(config.heartbeat_ns > 0, "heartbeat");
    check(!config.backoff_ns.empty() && config.backoff_ns.size() <= core::Retries::max_lanes &&
              std::all_of(config.backoff_ns.begin(), config.backoff_ns.end(), [](Nanoseconds ns) { return ns > 0; }),
          "backoff");
}

}  // namespace watchtree
