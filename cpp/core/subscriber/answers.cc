// What a subscriber is told: connections that come and go, and answers to its requests.
#include <algorithm>

#include "core/base/later.h"
#include "core/subscriber/subscriber.h"

namespace watchtree::core {

void Subscriber::connected(std::uint32_t number) noexcept {
    Server& server = servers_[number];
    if (server.stage != ServerStage::connecting) {
        ++counters_.ignored_answers;
        return;
    }
    server.stage = ServerStage::on;
    for (Group& group : groups_)
        if (group.server == number) group.stage = GroupStage::steady;
}

void Subscriber::connect_failed(std::uint32_t server, Nanoseconds now) noexcept {
    if (servers_[server].stage == ServerStage::connecting) {
        give_up_server(server, now);
    } else {
        ++counters_.ignored_answers;
    }
}

void Subscriber::disconnected(std::uint32_t server, Nanoseconds now) noexcept {
    if (servers_[server].stage == ServerStage::off) {
        ++counters_.ignored_answers;
    } else {
        give_up_server(server, now);
    }
}

// The group that asked, if it still waits for the answer; else that is counted as ignored.
Subscriber::Group* Subscriber::find_asking(std::uint64_t request) noexcept {
    for (Group& group : groups_)
        if (group.stage == GroupStage::asking && group.request.number == request) return &group;
    ++counters_.ignored_answers;
    return nullptr;
}

// The same, if it asked for this.
Subscriber::Group* Subscriber::find_asking(std::uint64_t request, bool heartbeat) noexcept {
    Group* const group = find_asking(request);
    if (group == nullptr || (group->request.asking == Asking::heartbeat) == heartbeat) return group;
    ++counters_.ignored_answers;
    return nullptr;
}

void Subscriber::end_request(Group& group, Nanoseconds now) noexcept {
    group.stage = GroupStage::steady;
    // A server that forgot everything takes changes as if nothing had happened, so they tell nothing of it.
    if (group.request.asking != Asking::changes) group.heartbeat_at = later(now, config_.heartbeat_ns);
}

void Subscriber::synced(std::uint64_t request, const Synced& tree, Nanoseconds now) noexcept {
    Group* const group = find_asking(request, false);
    if (group == nullptr) return;
    ++counters_.syncs;
    end_request(*group, now);
    group->was_served = true;
    group->choice.served(group->server);
    if (group->tree && group->tree->tree_id != tree.tree_id) take_as_another_tree(*group);
    group->tree = tree;
}

// What it knows of the old tree means nothing in this one. What came since the sync of everything came from this one
// already, and is not asked for again, or its news would be repeated.
void Subscriber::take_as_another_tree(Group& group) noexcept {
    ++counters_.other_trees;
    const bool told_everything = group.request.asking == Asking::everything;
    const std::uint64_t era = told_everything ? group.era : group.era + 1;
    if (!told_everything) group.needs_everything = true;  // the new tree knows of the changes alone
    for (Handle handle = group.keys.front(); handle != none; handle = GroupKeys::next(keys_, handle)) {
        FollowedKey& key = keys_[handle];
        if (key.stage == KeyStage::removed || key.era >= era || key.index == nothing) continue;
        key.index = nothing;
        group.needs_everything = true;
    }
}

void Subscriber::touched(std::uint64_t request, std::uint32_t watches, Nanoseconds now) noexcept {
    Group* const group = find_asking(request, true);
    if (group == nullptr) return;
    ++counters_.heartbeats;
    end_request(*group, now);
    if (watches == group->request.watches) return;
    ++counters_.forgotten;
    group->needs_everything = true;
}

void Subscriber::request_failed(std::uint64_t request, Failure reason, Nanoseconds now) noexcept {
    Group* const group = find_asking(request);
    if (group == nullptr) return;
    if (reason == Failure::network || reason == Failure::timeout) {
        cut_server(group->server, now);
    } else {
        give_up(*group, now, true);
    }
}

// Its connection is of no use to anybody.
void Subscriber::cut_server(std::uint32_t server, Nanoseconds now) noexcept {
    to_disconnect_.push_back(server);
    give_up_server(server, now);
}

void Subscriber::give_up_server(std::uint32_t number, Nanoseconds now) noexcept {
    servers_[number].stage = ServerStage::off;
    for (Group& group : groups_)
        if (group.server == number) give_up(group, now, !group.was_served);
}

// counts: it failed before it served, so that it has to wait.
void Subscriber::give_up(Group& group, Nanoseconds now, bool counts) noexcept {
    ++counters_.failures;
    if (counts) group.choice.failed(group.server, now, config_.backoff_ns);
    leave(group);
    group.stage = GroupStage::seeking;
}

void Subscriber::leave(Group& group) noexcept {
    Server& server = servers_[group.server];
    if (--server.groups == 0 && server.stage != ServerStage::off) {
        server.stage = ServerStage::off;
        to_disconnect_.push_back(group.server);
    }
    group.server = no_server;
    group.was_served = false;
    group.needs_everything = true;
    forget_removed(group);
    for (Handle handle = group.keys.front(); handle != none; handle = GroupKeys::next(keys_, handle))
        keys_[handle].at_server = false;
    group.at_server = 0;
}

}  // namespace watchtree::core
