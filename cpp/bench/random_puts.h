// random_puts.h: what spread and directory measure: random puts, then a drain, again and again.
#pragma once

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "bench/figure.h"
#include "bench/rig.h"

namespace watchtree::bench {

// Tells two figures: `name` for the notifications over all the time, `name`_put for the puts over theirs.
// at_once: how many puts are one batch; 1: each is a call of its own.
inline void measure_random_puts(Rig& rig, const std::vector<std::string>& keys, const std::string& name,
                                const std::string& config, int drains, int puts, const Run& run,
                                std::size_t at_once = 1) {
    std::vector<Operation> operations;
    std::vector<Change> changes;
    const auto put = [&](const std::string& key) {
        if (at_once == 1) return rig.put(key);
        operations.push_back(Operation::put(key, value()));
        if (operations.size() < at_once) return;
        if (rig.tree.batch(operations, changes) != Status::ok) std::abort();
        operations.clear();
    };
    std::mt19937 random(7);
    std::uniform_int_distribution<std::size_t> any(0, keys.size() - 1);
    Rounds rates(name, config, "notifications/s");
    Rounds put_rates(name + "_put", config, "puts/s");
    for (int round = 0; round <= run.rounds; ++round) {
        run.pause();
        double putting = 0, draining = 0;
        std::uint64_t sent = 0;
        for (int i = 0; i < drains; ++i) {
            const Stopwatch put_watch;
            for (int p = 0; p < puts; ++p) put(keys[any(random)]);
            putting += put_watch.seconds();
            const Stopwatch drain_watch;
            sent += rig.drain();
            draining += drain_watch.seconds();
        }
        rates.add(static_cast<double>(sent), putting + draining);
        put_rates.add(static_cast<double>(drains) * puts, putting);
    }
    rates.tell(run);
    put_rates.tell(run);
}

}  // namespace watchtree::bench
