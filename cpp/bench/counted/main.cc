// watchtree_counted WORKLOAD: a small fixed amount of work, whose instructions .ci/instructions.py counts with callgrind. Only
// what runs inside counted() counts.
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/rig.h"

namespace {

using namespace watchtree;
using namespace watchtree::bench;

#if defined(__GNUC__)
#define NOT_INLINED __attribute__((noinline))
#else
#define NOT_INLINED
#endif

NOT_INLINED void counted(const std::function<void()>& work) { work(); }

// Reading the machine's takes more or fewer instructions by how much time has passed.
std::shared_ptr<Clock> still_clock() { return std::make_shared<ManualClock>(); }

void count_fanout() {
    Rig rig(still_clock());
    rig.put("key");
    for (int i = 0; i < 1'000; ++i) rig.watch("channel" + std::to_string(i), {"key"});
    rig.drain();
    counted([&] {
        for (int i = 0; i < 20; ++i) {
            rig.put("key");
            rig.drain();
        }
    });
}

void count_spread() {
    const std::vector<std::string> keys = keys_in_directories(10, 100);
    Rig rig(still_clock());
    for (const std::string& key : keys) rig.put(key);
    for (std::size_t c = 0; c < 100; ++c)
        rig.watch("channel" + std::to_string(c), {keys.begin() + static_cast<std::ptrdiff_t>(c) * 10,
                                                  keys.begin() + static_cast<std::ptrdiff_t>(c + 1) * 10});
    rig.drain();
    counted([&] {
        for (std::size_t i = 0; i < 20'000; ++i) {
            rig.put(keys[i * 7919 % keys.size()]);
            if (i % 500 == 499) rig.drain();
        }
    });
}

void count_coalesce() {
    const std::vector<std::string> keys = keys_in_directories(1, 1'000);
    Rig rig(still_clock());
    for (const std::string& key : keys) rig.put(key);
    for (int c = 0; c < 10; ++c) rig.watch("channel" + std::to_string(c), keys);
    rig.drain();
    counted([&] {
        for (std::size_t i = 0; i < 20'000; ++i) {
            rig.put(keys[i % keys.size()]);
            if (i % 10'000 == 9'999) rig.drain();
        }
    });
}

void count_register() {
    const std::vector<std::string> keys = keys_in_directories(10, 100);
    Rig rig(still_clock());
    for (const std::string& key : keys) rig.put(key);
    counted([&] {
        for (int c = 0; c < 20; ++c) rig.watch("channel" + std::to_string(c), keys);
        for (int c = 0; c < 20; ++c) (void)rig.dispatcher.close("channel" + std::to_string(c));
    });
}

void count_missing() {
    const std::vector<std::string> keys = keys_in_directories(10, 100);
    Rig rig(still_clock());
    rig.watch("channel", keys);
    rig.drain();
    counted([&] {
        for (int i = 0; i < 5; ++i) {
            for (const std::string& key : keys) rig.put(key);
            rig.drain();
            for (int d = 0; d < 10; ++d) (void)rig.tree.remove("d" + std::to_string(d), true);
            rig.drain();
        }
    });
}

}  // namespace

int main(int count, char** words) {
    const std::vector<std::pair<const char*, void (*)()>> workloads = {
        {"fanout", count_fanout},     {"spread", count_spread},   {"coalesce", count_coalesce},
        {"register", count_register}, {"missing", count_missing},
    };
    for (const auto& [name, run] : workloads) {
        if (count == 1) std::printf("%s\n", name);
        if (count == 2 && std::strcmp(words[1], name) == 0) return run(), 0;
    }
    return count == 1 ? 0 : 2;
}
