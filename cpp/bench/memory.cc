#include <malloc.h>
#include <memory>

#include "report.h"
#include "rig.h"
#include "workloads.h"

namespace watchtree::bench {

namespace {

// What the allocator has given out, its own overhead included.
std::size_t allocated() {
    const struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd;
}

void measure(const char* config, std::size_t key_count, bool exist) {
    constexpr std::size_t directories = 100, channels = 1'000, watched = 1'000, keys_a_call = 100;
    auto rig = std::make_unique<Rig>();
    const std::size_t in_each = key_count / directories;
    const auto key = [&](std::size_t n) {
        return "d" + std::to_string(n / in_each) + ".k" + std::to_string(n % in_each);
    };
    for (std::size_t d = 0; d < directories; ++d) (void)rig->tree.mkdir("d" + std::to_string(d));
    if (exist)
        for (std::size_t n = 0; n < key_count; ++n) rig->put(key(n));
    const std::size_t before = allocated();
    for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t call = 0; call < watched / keys_a_call; ++call) {
            std::vector<std::string> keys;
            for (std::size_t j = 0; j < keys_a_call; ++j)
                keys.push_back(key((c * watched + call * keys_a_call + j) % key_count));
            rig->watch("channel" + std::to_string(c), keys);
        }
    rig->drain();
    print_memory(config, static_cast<double>(allocated() - before) / static_cast<double>(channels * watched));
}

}  // namespace

void memory() {
    measure("distinct_existing", 1'000'000, true);
    measure("shared", 10'000, true);
    measure("missing", 1'000'000, false);
}

}  // namespace watchtree::bench
