// report.h: rounds, their median, and one JSON line for each figure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace watchtree::bench {

class Stopwatch {
  public:
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The rates of a workload's rounds. The first is a warm-up and does not count.
class Rounds {
  public:
    Rounds(std::string workload, std::string config, std::string unit)
        : workload_(std::move(workload)), config_(std::move(config)), unit_(std::move(unit)) {}

    void add(double amount, double seconds) { rates_.push_back(amount / seconds); }

    void print() const {
        std::vector<double> rates(rates_.begin() + (rates_.size() > 1 ? 1 : 0), rates_.end());
        std::sort(rates.begin(), rates.end());
        std::printf(
            "{\"workload\": \"%s\", \"config\": \"%s\", \"rate\": %.0f, \"unit\": \"%s\", \"bytes_per_watch\": null, "
            "\"min\": %.0f, \"max\": %.0f, \"rounds\": %zu}\n",
            workload_.c_str(), config_.c_str(), rates[rates.size() / 2], unit_.c_str(), rates.front(), rates.back(),
            rates.size());
        std::fflush(stdout);
    }

  private:
    std::string workload_, config_, unit_;
    std::vector<double> rates_;
};

inline void print_memory(const char* config, double bytes_per_watch) {
    std::printf(
        "{\"workload\": \"memory\", \"config\": \"%s\", \"rate\": null, \"unit\": \"bytes/watch\", "
        "\"bytes_per_watch\": "
        "%.1f, \"min\": %.1f, \"max\": %.1f, \"rounds\": 1}\n",
        config, bytes_per_watch, bytes_per_watch, bytes_per_watch);
    std::fflush(stdout);
}

}  // namespace watchtree::bench
