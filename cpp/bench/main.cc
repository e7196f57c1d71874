// watchtree_bench [--rounds N] [WORKLOAD...]: measures the core, one JSON line for each figure. `watchtree bench` does the
// same from Python; this one is for profilers.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench/workloads.h"

namespace {

using namespace watchtree::bench;

std::string number(std::optional<double> value, const char* form) {
    if (!value) return "null";
    char text[64];
    std::snprintf(text, sizeof text, form, *value);
    return text;
}

void print(const Figure& figure) {
    const char* const form = figure.rate ? "%.0f" : "%.1f";
    std::printf(
        "{\"workload\": \"%s\", \"config\": \"%s\", \"rate\": %s, \"unit\": \"%s\", \"bytes_per_watch\": %s, "
        "\"min\": %s, \"max\": %s, \"rounds\": %zu}\n",
        figure.workload.c_str(), figure.config.c_str(), number(figure.rate, form).c_str(), figure.unit.c_str(),
        number(figure.bytes_per_watch, "%.1f").c_str(), number(figure.min, form).c_str(),
        number(figure.max, form).c_str(), figure.rounds);
    std::fflush(stdout);
}

int usage() {
    std::fprintf(stderr, "usage: watchtree_bench [--rounds N] [WORKLOAD...], of");
    for (const Workload& workload : workloads())
        std::fprintf(stderr, " %.*s", static_cast<int>(workload.name.size()), workload.name.data());
    std::fprintf(stderr, "\n");
    return 2;
}

}  // namespace

int main(int count, char** words) {
    Run run{5, print, [] {}};
    std::vector<Workload> wanted;
    for (int i = 1; i < count; ++i) {
        if (std::strcmp(words[i], "--rounds") == 0 && i + 1 < count) {
            run.rounds = std::atoi(words[++i]);
            if (run.rounds < 1) return usage();
            continue;
        }
        bool known = false;
        for (const Workload& workload : workloads()) {
            if (workload.name != words[i]) continue;
            wanted.push_back(workload);
            known = true;
        }
        if (!known) return usage();
    }
    if (wanted.empty()) wanted.assign(workloads().begin(), workloads().end());
    for (const Workload& workload : wanted) workload.run(run);
    return 0;
}
