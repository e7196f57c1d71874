// figure.h: what a workload found, and how it says so.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/stopwatch.h"

namespace watchtree::bench {

// One measured number. A workload of memory has no rate, most others no bytes.
struct Figure {
    std::string workload;
    std::string config;
    std::optional<double> rate;  // the median of the rounds
    std::string unit;            // of the rate, or bytes/watch
    std::optional<double> bytes_per_watch;
    double min;
    double max;
    std::size_t rounds;
};

// How to run a workload.
struct Run {
    int rounds;                               // that are timed, after one that is not
    std::function<void(const Figure&)> tell;  // called with each figure; may throw, which ends the workload
    std::function<void()> pause;              // called between the rounds; may throw as well
};

// One number for each round of a workload. The first is a warm-up and does not count.
class Rounds {
  public:
    Rounds(std::string workload, std::string config, std::string unit)
        : workload_(std::move(workload)), config_(std::move(config)), unit_(std::move(unit)) {}

    void add(double amount, double seconds) { add(amount / seconds); }
    void add(double number) { numbers_.push_back(number); }

    void tell(const Run& run, std::optional<double> bytes_per_watch = std::nullopt) const {
        std::vector<double> numbers(numbers_.begin() + (numbers_.size() > 1 ? 1 : 0), numbers_.end());
        std::sort(numbers.begin(), numbers.end());
        run.tell({workload_, config_, numbers[numbers.size() / 2], unit_, bytes_per_watch, numbers.front(),
                  numbers.back(), numbers.size()});
    }

  private:
    std::string workload_, config_, unit_;
    std::vector<double> numbers_;
};

}  // namespace watchtree::bench
