#include <algorithm>
#include <random>

#include "bench/random_puts.h"
#include "bench/rig.h"
#include "bench/workloads.h"

namespace watchtree::bench {

void spread(const Run& run) {
    constexpr int directories = 100, keys_in_each = 1'000, channels = 1'000, watched = 100;
    constexpr int drains = 50, puts = 10'000;
    std::mt19937 random(42);
    std::vector<std::string> keys = keys_in_directories(directories, keys_in_each);
    Rig rig;
    for (const std::string& key : keys) rig.put(key);
    std::shuffle(keys.begin(), keys.end(), random);
    for (int c = 0; c < channels; ++c)
        rig.watch("channel" + std::to_string(c), {keys.begin() + c * watched, keys.begin() + (c + 1) * watched});
    rig.drain();

    const std::string config = "100000 keys, 1000 channels x 100 keys";
    measure_random_puts(rig, keys, "spread", config, drains, puts, run);
    measure_random_puts(rig, keys, "spread_batch", config + ", 1000 puts at once", drains, puts, run, 1'000);
}

}  // namespace watchtree::bench
