#include <algorithm>
#include <random>

#include "report.h"
#include "rig.h"
#include "workloads.h"

namespace watchtree::bench {

void spread(int rounds) {
    constexpr int directories = 100, keys_in_each = 1'000, channels = 1'000, watched = 100;
    constexpr int drains = 50, puts = 10'000;
    std::mt19937 random(42);
    std::vector<std::string> keys;
    for (int d = 0; d < directories; ++d)
        for (int k = 0; k < keys_in_each; ++k) keys.push_back("d" + std::to_string(d) + ".k" + std::to_string(k));
    Rig rig;
    for (const std::string& key : keys) rig.put(key);
    std::shuffle(keys.begin(), keys.end(), random);
    for (int c = 0; c < channels; ++c)
        rig.watch("channel" + std::to_string(c), {keys.begin() + c * watched, keys.begin() + (c + 1) * watched});
    rig.drain();

    Rounds rates("spread", "100000 keys, 1000 channels x 100 keys", "notifications/s");
    Rounds put_rates("spread_put", "100000 keys, 1000 channels x 100 keys", "puts/s");
    std::uniform_int_distribution<std::size_t> any(0, keys.size() - 1);
    for (int round = 0; round <= rounds; ++round) {
        double putting = 0, draining = 0;
        std::uint64_t sent = 0;
        for (int i = 0; i < drains; ++i) {
            const Stopwatch put_watch;
            for (int p = 0; p < puts; ++p) rig.put(keys[any(random)]);
            putting += put_watch.seconds();
            const Stopwatch drain_watch;
            sent += rig.drain();
            draining += drain_watch.seconds();
        }
        rates.add(static_cast<double>(sent), putting + draining);
        put_rates.add(double{drains} * puts, putting);
    }
    rates.print();
    put_rates.print();
}

}  // namespace watchtree::bench
