// rig.h: a tree, a dispatcher and a transport that acknowledges at once, as each workload needs.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
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
class Acknowledging : public Transport {
  public:
    void send(Batch& batch) override {
        notifications += batch.size();
        batch.acknowledge();
    }
    std::uint64_t notifications = 0;
};

template <typename Way>
struct RigOf {
    explicit RigOf(std::shared_ptr<Clock> clock = nullptr) : dispatcher(tree, transport, Config{}, std::move(clock)) {}

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

    Tree tree;
    Way transport;
    Dispatcher dispatcher;
};
using Rig = RigOf<Acknowledging>;

// d0.k0 … in `directories` directories of `in_each` keys.
inline std::vector<std::string> keys_in_directories(int directories, int in_each) {
    std::vector<std::string> keys;
    keys.reserve(static_cast<std::size_t>(directories) * static_cast<std::size_t>(in_each));
    for (int d = 0; d < directories; ++d)
        for (int k = 0; k < in_each; ++k) keys.push_back("d" + std::to_string(d) + ".k" + std::to_string(k));
    return keys;
}

}  // namespace watchtree::bench
