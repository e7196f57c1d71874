#include <algorithm>
#include <barrier>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

#include "bench/rig.h"
#include "bench/workloads.h"

namespace watchtree::bench {

namespace {

constexpr int directories = 2, keys_in_each = 500, channels = 10, watched = 100, drains = 2'000, puts = 1'000;

// A tree of its own, and random puts into it.
class Shard {
  public:
    explicit Shard(std::uint32_t seed) : random_(seed), keys_(keys_in_directories(directories, keys_in_each)) {
        for (const std::string& key : keys_) rig_.put(key);
        std::shuffle(keys_.begin(), keys_.end(), random_);
        for (int c = 0; c < channels; ++c)
            rig_.watch("channel" + std::to_string(c), {keys_.begin() + c * watched, keys_.begin() + (c + 1) * watched});
        rig_.drain();
    }
    std::uint64_t run() {
        std::uniform_int_distribution<std::size_t> any(0, keys_.size() - 1);
        std::uint64_t sent = 0;
        for (int i = 0; i < drains; ++i) {
            for (int p = 0; p < puts; ++p) rig_.put(keys_[any(random_)]);
            sent += rig_.drain();
        }
        return sent;
    }

  private:
    std::mt19937 random_;
    std::vector<std::string> keys_;
    Rig rig_;
};

// Notifications a second of the first `count` shards, each on a thread of its own. All begin together.
double rate_of(const std::vector<std::unique_ptr<Shard>>& shards, std::size_t count) {
    std::vector<std::uint64_t> sent(count, 0);
    std::barrier together(static_cast<std::ptrdiff_t>(count) + 1);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i)
        threads.emplace_back([&, i] {
            together.arrive_and_wait();
            sent[i] = shards[i]->run();
        });
    together.arrive_and_wait();
    const Stopwatch watch;
    for (std::thread& thread : threads) thread.join();
    return static_cast<double>(std::accumulate(sent.begin(), sent.end(), std::uint64_t{0})) / watch.seconds();
}

}  // namespace

void cores(const Run& run) {
    const std::size_t processors = std::max(1u, std::thread::hardware_concurrency());
    std::vector<std::unique_ptr<Shard>> shards;
    std::vector<std::size_t> counts;
    std::vector<Rounds> rates;
    for (std::size_t count = 1; count <= processors; count *= 2) {
        counts.push_back(count);
        rates.emplace_back("cores", std::to_string(count) + " independent trees, a thread each", "notifications/s");
    }
    while (shards.size() < counts.back()) shards.push_back(std::make_unique<Shard>(shards.size() + 1));
    for (int round = 0; round <= run.rounds; ++round)
        for (std::size_t i = 0; i < counts.size(); ++i) {
            run.pause();
            rates[i].add(rate_of(shards, counts[i]));
        }
    for (const Rounds& rate : rates) rate.tell(run);
}

}  // namespace watchtree::bench
