// What the user wants to follow, and what came of it.
#include <algorithm>

#include "core/subscriber/subscriber.h"

namespace watchtree::core {

void Subscriber::add(std::uint32_t group_number, std::string_view name) {
    Group& group = groups_[group_number];
    const auto found = group.by_key.find(name);
    if (found == group.by_key.end()) {
        const Handle handle = keys_.make();
        FollowedKey& key = keys_[handle];
        try {
            key.key = name;
            group.by_key.emplace(key.key, handle);
        } catch (...) {
            keys_.free(handle);
            throw;
        }
        key.group = group_number;
        group.keys.push_back(keys_, handle);
        group.pending.push_back(keys_, handle);
        ++group.wanted;
        return;
    }
    const Handle handle = found->second;
    FollowedKey& key = keys_[handle];
    if (key.stage != KeyStage::removed) return;
    // As if it had never been there: the server is asked for its state again.
    key.stage = KeyStage::added;
    key.index = nothing;
    key.era = 0;
    group.keys.move_to_back(keys_, handle);
    group.pending.move_to_back(keys_, handle);
    ++group.wanted;
}

void Subscriber::remove(std::uint32_t group_number, std::string_view name) {
    Group& group = groups_[group_number];
    const auto found = group.by_key.find(name);
    if (found == group.by_key.end()) return;
    const Handle handle = found->second;
    FollowedKey& key = keys_[handle];
    if (key.stage == KeyStage::removed) return;
    --group.wanted;
    events_.drop(handle);
    if (!key.at_server) {
        forget(handle);
        return;
    }
    if (key.stage == KeyStage::told) {
        group.pending.push_back(keys_, handle);
    } else {
        group.pending.move_to_back(keys_, handle);
    }
    key.stage = KeyStage::removed;
}

void Subscriber::forget(Handle handle) noexcept {
    FollowedKey& key = keys_[handle];
    Group& group = groups_[key.group];
    if (key.stage != KeyStage::told) group.pending.erase(keys_, handle);
    group.at_server -= key.at_server;
    group.keys.erase(keys_, handle);
    group.by_key.erase(key.key);
    keys_.free(handle);
}

void Subscriber::forget_removed(Group& group) noexcept {
    for (Handle handle = group.pending.front(); handle != none;) {
        const Handle next = PendingKeys::next(keys_, handle);
        if (keys_[handle].stage == KeyStage::removed) forget(handle);
        handle = next;
    }
}

bool Subscriber::notified(std::uint32_t server, std::uint32_t group_number, std::span<const Notified> notifications,
                          std::vector<Result>& results) {
    Group& group = groups_[group_number];
    results.clear();
    if (group.server != server || servers_[server].stage != ServerStage::on || group.wanted == 0) {
        counters_.refused += notifications.size();
        return false;
    }
    results.reserve(notifications.size());
    for (const Notified& notification : notifications) {
        const auto found = group.by_key.find(notification.key);
        if (found == group.by_key.end() || keys_[found->second].stage == KeyStage::removed) {
            ++counters_.refused;
            results.push_back(Result::remove_watch);
            continue;
        }
        FollowedKey& key = keys_[found->second];
        if (notification.index <= key.index) {
            ++counters_.dropped;
        } else {
            const bool has_value = notification.state == State::value;
            const std::string_view value = has_value ? notification.value.value_or("") : std::string_view{};
            counters_.coalesced += events_.put(found->second, notification.state, notification.index, value);
            key.index = notification.index;
            key.era = group.era;
            ++counters_.accepted;
        }
        results.push_back(Result::ok);
    }
    return true;
}

std::optional<Event> Subscriber::take() {
    if (events_.empty()) return std::nullopt;
    const FollowedKey& next = keys_[events_.front()];
    Event event{groups_[next.group].name, next.key, next.state, next.event_index, std::nullopt};
    event.value = events_.take();
    return event;
}

std::vector<std::pair<std::string, Index>> Subscriber::known(std::uint32_t group_number) {
    Group& group = groups_[group_number];
    std::vector<std::pair<std::string, Index>> known;
    known.reserve(group.wanted);
    for (Handle handle = group.keys.front(); handle != none; handle = GroupKeys::next(keys_, handle)) {
        const FollowedKey& key = keys_[handle];
        if (key.stage != KeyStage::removed) known.emplace_back(key.key, std::max<Index>(key.index, 0));
    }
    return known;
}

}  // namespace watchtree::core
