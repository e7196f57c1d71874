#include <algorithm>
#include <memory>
#include <random>

#include "bench/rig.h"
#include "bench/workloads.h"

namespace watchtree::bench {

namespace {

// Each tenth batch is lost; what arrives is acknowledged at once.
class Losing final : public Transport {
  public:
    void send(Batch& batch) override {
        if (++batches_ % 10 == 0) {
            batch.fail(Failure::network);
            return;
        }
        notifications += batch.size();
        batch.acknowledge();
    }
    std::uint64_t notifications = 0;

  private:
    std::uint64_t batches_ = 0;
};

}  // namespace

void failures(const Run& run) {
    constexpr int channels = 1'000, watched = 100, drains = 50, puts = 10'000;
    constexpr Nanoseconds between = 1'000'000'000;  // the first back-off has passed by the next drain
    std::mt19937 random(42);
    std::vector<std::string> keys = keys_in_directories(100, 1'000);
    const auto clock = std::make_shared<ManualClock>();
    RigOf<Losing> rig(clock);
    for (const std::string& key : keys) rig.put(key);
    std::shuffle(keys.begin(), keys.end(), random);
    for (int c = 0; c < channels; ++c)
        rig.watch("channel" + std::to_string(c), {keys.begin() + c * watched, keys.begin() + (c + 1) * watched});
    rig.drain();
    std::uniform_int_distribution<std::size_t> any(0, keys.size() - 1);
    Rounds rates("failures", "100000 keys, 1000 channels x 100 keys, each tenth batch fails", "notifications/s");
    for (int round = 0; round <= run.rounds; ++round) {
        run.pause();
        std::uint64_t arrived = 0;
        const Stopwatch watch;
        for (int i = 0; i < drains; ++i) {
            for (int p = 0; p < puts; ++p) rig.put(keys[any(random)]);
            if (!clock->advance(between)) std::abort();
            for (int c = 0; c < channels; ++c) (void)rig.dispatcher.touch("channel" + std::to_string(c));
            arrived += rig.drain();
        }
        rates.add(static_cast<double>(arrived), watch.seconds());
    }
    rates.tell(run);
}

}  // namespace watchtree::bench
