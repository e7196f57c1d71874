// What bounds the other figures: no engine that reads memory, calls a transport and looks keys up can be faster than these.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <unordered_map>

#include "bench/rig.h"
#include "bench/workloads.h"

namespace watchtree::bench {

namespace {

// The compiler cannot leave out what leads to `number`.
void keep(std::uint64_t number) {
    [[maybe_unused]] static volatile std::uint64_t sink;
    sink = number;
}

void random_loads(const Run& run) {
    constexpr std::size_t lines = (std::size_t{1} << 30) / 64;
    constexpr int loads = 2'000'000;
    struct alignas(64) Line {
        std::uint32_t next;
    };
    std::vector<Line> memory(lines);
    {  // one ring through all lines, in an order that cannot be foreseen
        std::vector<std::uint32_t> order(lines);
        std::iota(order.begin(), order.end(), 0u);
        std::shuffle(order.begin(), order.end(), std::mt19937(1));
        for (std::size_t i = 0; i < lines; ++i) memory[order[i]].next = order[(i + 1) % lines];
    }
    Rounds rates("limit_load", "dependent random loads over 1 GiB", "loads/s");
    std::uint32_t at = 0;
    for (int round = 0; round <= run.rounds; ++round) {
        run.pause();
        const Stopwatch watch;
        for (int i = 0; i < loads; ++i) at = memory[at].next;
        rates.add(double{loads}, watch.seconds());
    }
    keep(at);
    rates.tell(run);
}

void calls(const Run& run) {
    constexpr int count = 100'000'000;
    std::uint64_t called = 0;
    const std::function<void()> function = [&called] { ++called; };
    // Behind a pointer that may change, so that the call is a call.
    const std::function<void()>* volatile held = &function;
    Rounds rates("limit_call", "an empty std::function call", "calls/s");
    for (int round = 0; round <= run.rounds; ++round) {
        run.pause();
        const Stopwatch watch;
        for (int i = 0; i < count; ++i) (*held)();
        rates.add(double{count}, watch.seconds());
    }
    keep(called);
    rates.tell(run);
}

void look_ups(const Run& run) {
    constexpr int count = 1'000'000;
    const std::vector<std::string> keys = keys_in_directories(100, 1'000);
    std::unordered_map<std::string, std::uint32_t> map;
    for (std::uint32_t i = 0; i < keys.size(); ++i) map.emplace(keys[i], i);
    std::mt19937 random(7);
    std::uniform_int_distribution<std::size_t> any(0, keys.size() - 1);
    std::uint64_t sum = 0;
    Rounds rates("limit_find", "std::unordered_map find of 100000 keys in random order", "look-ups/s");
    for (int round = 0; round <= run.rounds; ++round) {
        run.pause();
        const Stopwatch watch;
        for (int i = 0; i < count; ++i) sum += map.find(keys[any(random)])->second;
        rates.add(double{count}, watch.seconds());
    }
    keep(sum);
    rates.tell(run);
}

}  // namespace

void limits(const Run& run) {
    random_loads(run);
    calls(run);
    look_ups(run);
}

}  // namespace watchtree::bench
