#include <memory>

#include "bench/allocated.h"
#include "bench/rig.h"
#include "bench/workloads.h"

namespace watchtree::bench {

namespace {

void measure(const Run& run, const char* config, std::size_t key_count, bool exist) {
    run.pause();
    constexpr std::size_t directories = 100, channels = 1'000, watched = 1'000, keys_a_call = 100;
    auto rig = std::make_unique<Rig>();
    const std::size_t in_each = key_count / directories;
    const auto key = [&](std::size_t n) {
        return "d" + std::to_string(n / in_each) + ".k" + std::to_string(n % in_each);
    };
    for (std::size_t d = 0; d < directories; ++d) (void)rig->tree.mkdir("d" + std::to_string(d));
    if (exist)
        for (std::size_t n = 0; n < key_count; ++n) rig->put(key(n));
    const std::size_t before = allocated(rig->dispatcher);
    for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t call = 0; call < watched / keys_a_call; ++call) {
            std::vector<std::string> keys;
            for (std::size_t j = 0; j < keys_a_call; ++j)
                keys.push_back(key((c * watched + call * keys_a_call + j) % key_count));
            rig->watch("channel" + std::to_string(c), keys);
        }
    rig->drain();
    const double bytes =
        static_cast<double>(allocated(rig->dispatcher) - before) / static_cast<double>(channels * watched);
    run.tell({"memory", config, std::nullopt, "bytes/watch", bytes, bytes, bytes, 1});
}

}  // namespace

void memory(const Run& run) {
    measure(run, "distinct_existing", 1'000'000, true);
    measure(run, "shared", 10'000, true);
    measure(run, "missing", 1'000'000, false);
}

}  // namespace watchtree::bench
