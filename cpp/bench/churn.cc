#include <array>
#include <memory>

#include "bench/rig.h"
#include "bench/workloads.h"

namespace watchtree::bench {

void churn(const Run& run) {
    constexpr std::size_t syncs = 1'000'000, watched = 10, at_once = 1'000;
    const std::vector<std::string> keys = keys_in_directories(100, 1'000);
    Rounds rates("churn", "1000000 subscribers of 10 keys come, are served and go, 1000 at once", "syncs/s");
    for (int round = 0; round <= run.rounds; ++round) {
        run.pause();
        auto rig = std::make_unique<Rig>();
        for (const std::string& key : keys) rig->put(key);
        const Stopwatch watch;
        std::size_t next = 0;  // the keys go round
        std::array<Known, watched> known{};
        for (std::size_t i = 0; i < syncs; ++i) {
            for (Known& each : known) {
                each = {keys[next], 0};
                next = next + 1 == keys.size() ? 0 : next + 1;
            }
            if (rig->dispatcher.sync("channel" + std::to_string(i), known) != Status::ok) std::abort();
            if (i % at_once == at_once - 1) (void)rig->drain();
            if (i >= at_once && !rig->dispatcher.close("channel" + std::to_string(i - at_once))) std::abort();
        }
        rates.add(double{syncs}, watch.seconds());
        if (rig->transport.notifications != syncs * watched) std::abort();
    }
    rates.tell(run);
}

}  // namespace watchtree::bench
