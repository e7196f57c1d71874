#include <memory>

#include "bench/rig.h"
#include "bench/workloads.h"

namespace watchtree::bench {

void enroll(const Run& run) {
    constexpr int directories = 100, keys_in_each = 1'000, channels = 1'000, keys_a_call = 100;
    std::vector<std::vector<std::string>> keys(directories);
    for (int d = 0; d < directories; ++d)
        for (int k = 0; k < keys_in_each; ++k)
            keys[static_cast<std::size_t>(d)].push_back("d" + std::to_string(d) + ".k" + std::to_string(k));
    std::vector<std::string> names;
    for (int c = 0; c < channels; ++c) names.push_back("channel" + std::to_string(c));

    Rounds rates("register", "1000 channels x 1000 keys in calls of 100", "watches/s");
    Rounds notify_rates("register_first_notify", "1000 channels x 1000 keys", "notifications/s");
    for (int round = 0; round <= run.rounds; ++round) {
        run.pause();
        auto rig = std::make_unique<Rig>();
        for (const auto& directory : keys)
            for (const std::string& key : directory) rig->put(key);
        const Stopwatch watch;
        std::vector<Known> known;
        for (std::size_t c = 0; c < channels; ++c) {
            const auto& mine = keys[c % directories];
            for (std::size_t from = 0; from < keys_in_each; from += keys_a_call) {
                known.clear();
                for (std::size_t k = from; k < from + keys_a_call; ++k) known.push_back({mine[k], 0});
                if (rig->dispatcher.sync(names[c], known) != Status::ok) std::abort();
            }
        }
        rates.add(double{channels} * keys_in_each, watch.seconds());
        const Stopwatch notify_watch;
        const std::uint64_t sent = rig->drain();
        notify_rates.add(static_cast<double>(sent), notify_watch.seconds());
    }
    rates.tell(run);
    notify_rates.tell(run);
}

}  // namespace watchtree::bench
