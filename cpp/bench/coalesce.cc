#include "bench/rig.h"
#include "bench/workloads.h"

namespace watchtree::bench {

void coalesce(const Run& run) {
    constexpr int key_count = 1'000, channels = 10, drains = 100, puts = 10'000, keys_a_call = 100;
    std::vector<std::string> keys;
    for (int k = 0; k < key_count; ++k) keys.push_back("k" + std::to_string(k));
    Rig rig;
    for (const std::string& key : keys) rig.put(key);
    for (int c = 0; c < channels; ++c)
        for (int k = 0; k < key_count; k += keys_a_call)
            rig.watch("channel" + std::to_string(c), {keys.begin() + k, keys.begin() + k + keys_a_call});
    rig.drain();
    Rounds rates("coalesce", "1000 keys x 10 channels, drained each 10000 puts", "puts/s");
    for (int round = 0; round <= run.rounds; ++round) {
        run.pause();
        const Stopwatch watch;
        std::size_t next = 0;
        for (int i = 0; i < drains; ++i) {
            for (int p = 0; p < puts; ++p) {
                rig.put(keys[next]);
                next = next + 1 == keys.size() ? 0 : next + 1;
            }
            rig.drain();
        }
        rates.add(double{drains} * puts, watch.seconds());
    }
    rates.tell(run);
}

}  // namespace watchtree::bench
