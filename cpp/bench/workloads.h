// workloads.h: what is measured. Each runs its rounds and tells one figure or more.
#pragma once

#include <span>
#include <string_view>

#include "bench/figure.h"

namespace watchtree::bench {

void fanout(const Run&);     // 1 key, 10,000 channels
void spread(const Run&);     // 100,000 keys in 100 directories, 1,000 channels with 100 keys each, random puts
void coalesce(const Run&);   // 1,000 keys, 10 channels, 1,000,000 puts drained each 10,000
void directory(const Run&);  // 1,000 directories on five levels, 10,000 leaves, 100 channels on the root and 10 of them
void enroll(const Run&);     // 1,000,000 watches of 100,000 keys, by 1,000 channels in calls of 100
void memory(const Run&);     // 1,000,000 watches of distinct existing, shared, and distinct missing keys
void churn(const Run&);      // 1,000,000 syncs of 10 keys, by subscribers that come, are served once and go
void failures(const Run&);   // spread, but each tenth batch fails
void cores(const Run&);      // independent trees, each on a thread of its own: 1, 2, 4 … up to the processors
void scale(const Run&);      // 10^4 to 10^7 watches: random puts, and bytes for a watch
void latency(const Run&);    // from a put to the callback, 1 subscriber and 10,000
void limits(const Run&);     // what this machine can do at all: loads, calls, look-ups

struct Workload {
    std::string_view name;
    void (*run)(const Run&);
};
[[nodiscard]] std::span<const Workload> workloads() noexcept;  // in the order in which they are run

}  // namespace watchtree::bench
