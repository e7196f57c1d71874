// What a subscriber says is to be done: connections, and one request of a group at a time.
#include <algorithm>
#include <utility>

#include "core/base/later.h"
#include "core/subscriber/subscriber.h"

namespace watchtree::core {

std::vector<Action> Subscriber::actions(Nanoseconds now) {
    expire(now);
    say_disconnects();
    for (Group& group : groups_) {
        advance(group, now);
        say_disconnects();
    }
    return std::exchange(todo_, {});
}

void Subscriber::expire(Nanoseconds now) noexcept {
    for (std::uint32_t i = 0; i < servers_.size(); ++i)
        if (servers_[i].stage == ServerStage::connecting && servers_[i].deadline <= now) cut_server(i, now);
    for (Group& group : groups_)
        if (group.stage == GroupStage::asking && group.request.deadline <= now) cut_server(group.server, now);
}

void Subscriber::say_disconnects() {
    while (!to_disconnect_.empty()) {
        todo_.push_back(action::Disconnect{servers_[to_disconnect_.front()].name});
        to_disconnect_.erase(to_disconnect_.begin());
    }
}

void Subscriber::advance(Group& group, Nanoseconds now) {
    switch (group.stage) {
        case GroupStage::idle:
        case GroupStage::seeking:
            group.stage = group.wanted == 0 ? GroupStage::idle : GroupStage::seeking;
            if (group.stage == GroupStage::seeking) seek(group, now);
            return;
        case GroupStage::connecting:
            if (group.wanted != 0) return;
            leave(group);
            group.stage = GroupStage::idle;
            return;
        case GroupStage::steady: ask_if_needed(group, now); return;
        case GroupStage::asking: return;
    }
}

void Subscriber::seek(Group& group, Nanoseconds now) {
    todo_.reserve(todo_.size() + 1);
    const std::optional<std::uint32_t> choice = group.choice.pick(now);
    if (!choice) return;
    Server& server = servers_[*choice];
    if (server.stage == ServerStage::off) {
        todo_.push_back(action::Connect{server.name});
        server.stage = ServerStage::connecting;
        server.deadline = later(now, config_.answer_timeout_ns);
    }
    ++server.groups;
    group.server = *choice;
    if (server.stage == ServerStage::connecting) {
        group.stage = GroupStage::connecting;
    } else {
        group.stage = GroupStage::steady;
        ask_if_needed(group, now);
    }
}

void Subscriber::ask_if_needed(Group& group, Nanoseconds now) {
    if (group.wanted == 0 && group.pending.empty()) {
        leave(group);
        group.stage = GroupStage::idle;
    } else if (group.needs_everything) {
        sync_everything(group, now);
    } else if (group.heartbeat_at <= now) {
        touch(group, now);  // before the changes: a user who changes all the time could not put it off for ever
    } else if (!group.pending.empty()) {
        sync_changes(group, now);
    }
}

void Subscriber::sync_everything(Group& group, Nanoseconds now) {
    forget_removed(group);
    todo_.push_back(action::Sync{last_request_ + 1, servers_[group.server].name, group.name,
                                 known(static_cast<std::uint32_t>(&group - groups_.data())), true});
    for (Handle handle = group.keys.front(); handle != none; handle = GroupKeys::next(keys_, handle))
        keys_[handle].at_server = true;
    group.at_server = group.wanted;
    while (!group.pending.empty()) keys_[group.pending.pop_front(keys_)].stage = KeyStage::told;
    group.needs_everything = false;
    ++group.era;
    begin_request(group, Asking::everything, now);
}

void Subscriber::sync_changes(Group& group, Nanoseconds now) {
    std::vector<std::pair<std::string, Index>> known;
    known.reserve(group.pending.size());
    for (Handle handle = group.pending.front(); handle != none; handle = PendingKeys::next(keys_, handle))
        known.emplace_back(keys_[handle].key, keys_[handle].stage == KeyStage::removed ? -1 : 0);
    todo_.push_back(action::Sync{last_request_ + 1, servers_[group.server].name, group.name, std::move(known), false});
    forget_removed(group);
    while (!group.pending.empty()) {
        FollowedKey& key = keys_[group.pending.pop_front(keys_)];
        key.stage = KeyStage::told;
        group.at_server += !key.at_server;
        key.at_server = true;
    }
    begin_request(group, Asking::changes, now);
}

void Subscriber::touch(Group& group, Nanoseconds now) {
    todo_.push_back(action::Touch{last_request_ + 1, servers_[group.server].name, group.name});
    begin_request(group, Asking::heartbeat, now);
}

void Subscriber::begin_request(Group& group, Asking asking, Nanoseconds now) noexcept {
    group.stage = GroupStage::asking;
    group.request = {++last_request_, asking, group.at_server, later(now, config_.answer_timeout_ns)};
}

std::optional<Nanoseconds> Subscriber::next_deadline() const noexcept {
    if (!todo_.empty() || !to_disconnect_.empty()) return 0;
    std::optional<Nanoseconds> earliest;
    for (const Group& group : groups_)
        if (const std::optional<Nanoseconds> at = deadline_of(group))
            earliest = earliest ? std::min(*earliest, *at) : at;
    return earliest;
}

std::optional<Nanoseconds> Subscriber::deadline_of(const Group& group) const noexcept {
    constexpr Nanoseconds at_once = 0;
    switch (group.stage) {
        case GroupStage::idle:
        case GroupStage::seeking: return group.wanted == 0 ? std::nullopt : std::make_optional(group.choice.next());
        case GroupStage::connecting: return group.wanted == 0 ? at_once : servers_[group.server].deadline;
        case GroupStage::steady:
            return group.wanted == 0 || group.needs_everything || !group.pending.empty() ? at_once : group.heartbeat_at;
        case GroupStage::asking: return group.request.deadline;
    }
    return std::nullopt;
}

}  // namespace watchtree::core
