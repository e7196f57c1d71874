// workloads.h: the measured workloads. Each prints one JSON line for every figure.
#pragma once

namespace watchtree::bench {

void fanout(int rounds);     // 1 key, 10,000 channels
void spread(int rounds);     // 100,000 keys in 100 directories, 1,000 channels with 100 keys each, random puts
void coalesce(int rounds);   // 1,000 keys, 10 channels, 1,000,000 puts drained each 10,000
void directory(int rounds);  // 1,000 directories on five levels, 10,000 leaves, 100 channels on the root and 10 of them
void enroll(int rounds);     // 1,000,000 watches of 100,000 keys, by 1,000 channels in calls of 100
void memory();               // 1,000,000 watches of distinct existing, shared, and distinct missing keys

}  // namespace watchtree::bench
