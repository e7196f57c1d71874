// retries.h: who tries again when: channels and single watches that back off (contract §3).
//
// Invariants  1. each lane is in the order of (at, sequence): time never goes backwards and a lane has one interval, so that
//                first in, first out is earliest first.
// Cost        add, cancel: O(1). earliest: O(lanes), at most 16.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/intrusive_list.h"
#include "core/base/later.h"
#include "core/base/slab.h"
#include "watchtree/words.h"

namespace watchtree::core {

struct Retry {
    Nanoseconds at;
    std::uint64_t sequence;  // equal times are served in the order they were set
    Links links;
    Handle target;  // a channel or a watch
    std::uint32_t lane : 31;
    std::uint32_t is_channel : 1;
};

class Retries {
  public:
    static constexpr std::uint32_t max_lanes = 16;

    [[nodiscard]] Handle add(std::uint32_t lane, Nanoseconds at, Handle target, bool is_channel) {
        const Handle handle =
            retries_.make(Retry{at, ++sequence_, {none, none}, target, lane & 0x7FFFFFFFu, is_channel ? 1u : 0u});
        lanes_[lane].push_back(retries_, handle);
        return handle;
    }
    void cancel(Handle handle) noexcept {
        lanes_[retries_[handle].lane].erase(retries_, handle);
        retries_.free(handle);
    }
    [[nodiscard]] const Retry* earliest() noexcept {
        const Retry* best = nullptr;
        for (Lane& lane : lanes_) {
            if (lane.empty()) continue;
            const Retry& retry = retries_[lane.front()];
            if (best == nullptr || retry.at < best->at || (retry.at == best->at && retry.sequence < best->sequence))
                best = &retry;
        }
        return best;
    }
    [[nodiscard]] std::uint32_t size() const noexcept { return retries_.size(); }
    [[nodiscard]] std::size_t memory() const noexcept { return retries_.memory(); }
    [[nodiscard]] const Retry& operator[](Handle handle) noexcept { return retries_[handle]; }
    void reserve(std::uint32_t count) { retries_.reserve(count); }

    void verify() {
        std::uint32_t seen = 0;
        for (Lane& lane : lanes_) {
            const Retry* before = nullptr;
            lane.verify(retries_, "retries 1: a lane is broken", [&](Handle handle) {
                const Retry& retry = retries_[handle];
                require(before == nullptr || (before->at <= retry.at && before->sequence < retry.sequence),
                        "retries 1: a lane is out of order");
                before = &retry;
                ++seen;
            });
        }
        require(seen == retries_.size(), "retries 1: every retry is in a lane");
    }

  private:
    static Links& links_of(Retry& retry) noexcept { return retry.links; }
    using Lane = IntrusiveList<Retry, links_of>;

    Slab<Retry> retries_;
    std::array<Lane, max_lanes> lanes_;
    std::uint64_t sequence_ = 0;
};

}  // namespace watchtree::core
