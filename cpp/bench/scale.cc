#include <algorithm>
#include <random>

#include "bench/allocated.h"
#include "bench/rig.h"
#include "bench/workloads.h"

namespace watchtree::bench {

namespace {

void measure(const Run& run, std::size_t watches) {
    constexpr std::size_t keys_in_each = 1'000, watched = 1'000, keys_a_call = 100;
    constexpr int drains = 10, puts = 10'000;
    const auto key = [](std::size_t n) {
        return "d" + std::to_string(n / keys_in_each) + ".k" + std::to_string(n % keys_in_each);
    };
    Rig rig;
    for (std::size_t n = 0; n < watches; ++n) rig.put(key(n));
    const std::size_t before = allocated(rig.dispatcher);
    std::vector<std::string> keys(keys_a_call);
    for (std::size_t from = 0; from < watches; from += keys_a_call) {
        for (std::size_t k = 0; k < keys_a_call; ++k) keys[k] = key(from + k);
        rig.watch("channel" + std::to_string(from / watched), keys);
        if (from % 1'000'000 == 0) run.pause();
    }
    rig.drain();
    const double bytes = static_cast<double>(allocated(rig.dispatcher) - before) / static_cast<double>(watches);

    std::mt19937 random(7);
    std::uniform_int_distribution<std::size_t> any(0, watches - 1);
    Rounds rates("scale", std::to_string(watches) + " watches of distinct keys, 1000 a channel", "notifications/s");
    for (int round = 0; round <= run.rounds; ++round) {
        run.pause();
        double seconds = 0;
        std::uint64_t sent = 0;
        for (int i = 0; i < drains; ++i) {
            std::vector<std::string> chosen;
            for (int p = 0; p < puts; ++p) chosen.push_back(key(any(random)));
            const Stopwatch watch;
            for (const std::string& each : chosen) rig.put(each);
            sent += rig.drain();
            seconds += watch.seconds();
        }
        rates.add(static_cast<double>(sent), seconds);
    }
    rates.tell(run, bytes);
}

}  // namespace

void scale(const Run& run) {
    for (const std::size_t watches : {10'000, 100'000, 1'000'000, 10'000'000}) measure(run, watches);
}

}  // namespace watchtree::bench
