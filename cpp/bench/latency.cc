#include <algorithm>
#include <chrono>

#include "bench/rig.h"
#include "bench/workloads.h"

namespace watchtree::bench {

namespace {

using Moment = std::chrono::steady_clock::time_point;

// Notes when each batch arrives, and acknowledges it at once.
class Noting final : public Transport {
  public:
    void send(Batch& batch) override {
        notifications += batch.size();
        waited.push_back(std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count());
        batch.acknowledge();
    }
    std::uint64_t notifications = 0;
    Moment begin;
    std::vector<double> waited;  // nanoseconds
};

void measure(const Run& run, int subscribers, int puts) {
    RigOf<Noting> rig;
    rig.put("key");
    for (int i = 0; i < subscribers; ++i) rig.watch("channel" + std::to_string(i), {"key"});
    rig.drain();
    const std::string config =
        std::to_string(subscribers) + (subscribers == 1 ? " subscriber" : " subscribers") + ", from put to callback";
    Rounds p50("latency_p50", config, "ns"), p99("latency_p99", config, "ns"), p999("latency_p99.9", config, "ns");
    for (int round = 0; round <= run.rounds; ++round) {
        run.pause();
        rig.transport.waited.clear();
        for (int i = 0; i < puts; ++i) {
            rig.transport.begin = std::chrono::steady_clock::now();
            rig.put("key");
            rig.drain();
        }
        std::vector<double>& waited = rig.transport.waited;
        std::sort(waited.begin(), waited.end());
        p50.add(waited[waited.size() / 2]);
        p99.add(waited[waited.size() * 99 / 100]);
        p999.add(waited[waited.size() * 999 / 1000]);
    }
    for (const Rounds* rounds : {&p50, &p99, &p999}) rounds->tell(run);
}

}  // namespace

void latency(const Run& run) {
    measure(run, 1, 100'000);
    measure(run, 10'000, 50);
}

}  // namespace watchtree::bench
