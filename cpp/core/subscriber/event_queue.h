// event_queue.h: the news that the user has not taken yet: at most one event a key, the newest (contract §4).
//
// Owns        nothing: an event waits in the record of its key.
// Order       that in which the keys first changed since their last event was taken.
// Cost        every operation O(1), but for the bytes of the value.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/check.h"
#include "core/base/intrusive_list.h"
#include "core/base/slab.h"
#include "core/subscriber/followed_key.h"

namespace watchtree::core {

class EventQueue {
  public:
    using Keys = Slab<FollowedKey>;

    explicit EventQueue(Keys& keys) noexcept : keys_(keys) {}

    [[nodiscard]] std::uint32_t size() const noexcept { return waiting_.size(); }
    [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }

    // True if it took the place of an older event of the key. Out of memory: nothing has changed.
    bool put(Handle handle, State state, Index index, std::string_view value) {
        FollowedKey& key = keys_[handle];
        key.value = value;
        key.state = state;
        key.event_index = index;
        if (key.has_event) return true;
        key.has_event = true;
        waiting_.push_back(keys_, handle);
        return false;
    }

    // The one to be taken next; none if there is none.
    [[nodiscard]] Handle front() const noexcept { return waiting_.front(); }

    // Its value, which leaves the record. Requires: not empty.
    [[nodiscard]] std::optional<std::string> take() noexcept {
        FollowedKey& key = keys_[waiting_.pop_front(keys_)];
        key.has_event = false;
        if (key.state == State::value) return std::exchange(key.value, {});
        return std::nullopt;
    }

    void drop(Handle handle) noexcept {
        FollowedKey& key = keys_[handle];
        if (!key.has_event) return;
        key.has_event = false;
        key.value = {};
        waiting_.erase(keys_, handle);
    }

    void verify() const {
        waiting_.verify(keys_, "event queue: it is broken", [&](Handle handle) {
            require(keys_[handle].has_event, "event queue: what waits knows that it does");
        });
    }

  private:
    static Links& links_of(FollowedKey& key) noexcept { return key.in_events; }

    Keys& keys_;
    IntrusiveList<FollowedKey, links_of> waiting_;
};

}  // namespace watchtree::core
