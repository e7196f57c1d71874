// server_choice.h: which of a group's servers to try next (contract §4): another one than the last, the fewest failures in
// a row first, none before its back-off is over.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "core/base/later.h"
#include "watchtree/words.h"

namespace watchtree::core {

class ServerChoice {
  public:
    // servers: their numbers, in the order of preference among equals.
    explicit ServerChoice(std::vector<std::uint32_t> servers) {
        for (const std::uint32_t server : servers) candidates_.push_back({server, 0, 0});
    }

    // The server to try now; none if each of them is in its back-off.
    [[nodiscard]] std::optional<std::uint32_t> pick(Nanoseconds now) noexcept {
        const Candidate* best = nullptr;
        for (const Candidate& candidate : candidates_) {
            if (candidate.not_before > now) continue;
            if (best == nullptr || rank(candidate) < rank(*best)) best = &candidate;
        }
        if (best == nullptr) return std::nullopt;
        last_ = best->server;
        return last_;
    }

    // When pick() will have one.
    [[nodiscard]] Nanoseconds next() const noexcept {
        Nanoseconds earliest = std::numeric_limits<Nanoseconds>::max();
        for (const Candidate& candidate : candidates_) earliest = std::min(earliest, candidate.not_before);
        return earliest;
    }

    void served(std::uint32_t server) noexcept {
        Candidate& candidate = find(server);
        candidate.failures = 0;
        candidate.not_before = 0;
    }

    void failed(std::uint32_t server, Nanoseconds now, std::span<const Nanoseconds> backoff) noexcept {
        Candidate& candidate = find(server);
        if (candidate.failures < std::numeric_limits<std::uint32_t>::max()) ++candidate.failures;
        const Nanoseconds wait = backoff[std::min<std::size_t>(candidate.failures, backoff.size()) - 1];
        candidate.not_before = later(now, wait);
    }

  private:
    struct Candidate {
        std::uint32_t server;
        std::uint32_t failures;  // in a row
        Nanoseconds not_before;
    };

    [[nodiscard]] std::tuple<bool, std::uint32_t> rank(const Candidate& candidate) const noexcept {
        return {candidate.server == last_, candidate.failures};
    }
    [[nodiscard]] Candidate& find(std::uint32_t server) noexcept {
        return *std::find_if(candidates_.begin(), candidates_.end(),
                             [&](const Candidate& candidate) { return candidate.server == server; });
    }

    std::vector<Candidate> candidates_;
    std::optional<std::uint32_t> last_;
};

}  // namespace watchtree::core
