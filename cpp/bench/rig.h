// rig.h: a tree, a dispatcher and a transport that acknowledges at once or keeps everything, as each workload needs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "watchtree/dispatcher.h"
#include "watchtree/tree.h"

namespace watchtree::bench {

// 100 bytes, copied by each put.
inline const std::string& value() {
    static const std::string bytes(100, 'v');
    return bytes;
}

// Counts what arrives and acknowledges it at once.
class Acknowledging final : public Transport {
  public:
    void send(Batch& batch) override {
        notifications += batch.size();
        batch.acknowledge();
    }
    std::uint64_t notifications = 0;
};

struct Rig {
    Tree tree;
    Acknowledging transport;
    Dispatcher dispatcher{tree, transport};

    void put(std::string_view key) {
        if (tree.put(key, value(), true).status != Status::ok) std::abort();
    }
    // Dispatches until nothing is left; answers how many notifications were sent.
    std::uint64_t drain() {
        const std::uint64_t before = transport.notifications;
        std::uint64_t last = 0;
        do {
            last = transport.notifications;
            while (!dispatcher.dispatch()) {
            }
        } while (transport.notifications != last);
        return transport.notifications - before;
    }
    void watch(std::string_view channel, const std::vector<std::string>& keys) {
        std::vector<Known> known;
        known.reserve(keys.size());
        for (const std::string& key : keys) known.push_back({key, 0});
        if (dispatcher.sync(channel, known) != Status::ok) std::abort();
    }
};

}  // namespace watchtree::bench
