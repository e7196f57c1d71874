// batch.h: what a transport is handed (contract §3), as values that can be compared and copied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watchtree/words.h"

namespace watchtree::naive {

struct Told {
    std::string key;
    State state;
    Index index;
    std::optional<std::string> value;

    bool operator==(const Told&) const = default;
};

struct HandedOver {
    std::string channel;
    std::uint64_t ticket;
    std::uint64_t epoch;
    bool more;
    std::uint32_t size_bytes;
    std::vector<Told> notifications;

    bool operator==(const HandedOver&) const = default;
};

// The model's transport.
class Receiver {
  public:
    virtual ~Receiver() = default;
    // False: it raised. May call the model back.
    virtual bool receive(const HandedOver& batch) = 0;
    virtual void on_error(std::string_view channel) = 0;
    virtual void on_wrong_result_count(std::string_view channel, std::size_t results) = 0;
};

}  // namespace watchtree::naive
