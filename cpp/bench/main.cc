// watchtree_bench [--rounds N] [WORKLOAD...]: measures the core, one JSON line for each figure.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "workloads.h"

int main(int count, char** words) {
    using namespace watchtree::bench;
    const std::vector<std::pair<std::string, std::function<void(int)>>> workloads = {
        {"fanout", fanout},       {"spread", spread},   {"coalesce", coalesce},
        {"directory", directory}, {"register", enroll}, {"memory", [](int) { memory(); }},
    };
    int rounds = 5;
    std::vector<std::string> wanted;
    for (int i = 1; i < count; ++i) {
        if (std::strcmp(words[i], "--rounds") == 0 && i + 1 < count) {
            rounds = std::atoi(words[++i]);
        } else {
            wanted.emplace_back(words[i]);
        }
    }
    for (const std::string& name : wanted) {
        bool known = false;
        for (const auto& [workload, run] : workloads) known |= workload == name;
        if (!known || rounds < 1) {
            std::fprintf(stderr,
                         "usage: watchtree_bench [--rounds N] [fanout|spread|coalesce|directory|register|memory]\n");
            return 2;
        }
    }
    for (const auto& [workload, run] : workloads) {
        bool chosen = wanted.empty();
        for (const std::string& name : wanted) chosen |= workload == name;
        if (chosen) run(rounds);
    }
    return 0;
}
