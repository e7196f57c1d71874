#include "bench/rig.h"
#include "bench/workloads.h"

namespace watchtree::bench {

void fanout(const Run& run) {
    constexpr int channels = 10'000;
    constexpr int puts = 300;
    Rig rig;
    rig.put("key");
    for (int i = 0; i < channels; ++i) rig.watch("channel" + std::to_string(i), {"key"});
    rig.drain();
    Rounds rates("fanout", "1 key x 10000 channels", "notifications/s");
    for (int round = 0; round <= run.rounds; ++round) {
        run.pause();
        const Stopwatch watch;
        std::uint64_t sent = 0;
        for (int i = 0; i < puts; ++i) {
            rig.put("key");
            sent += rig.drain();
        }
        rates.add(static_cast<double>(sent), watch.seconds());
    }
    rates.tell(run);
}

}  // namespace watchtree::bench
