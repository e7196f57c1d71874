#include "core/subscriber/subscriber.h"

#include <algorithm>

namespace watchtree::core {

Subscriber::Subscriber(std::span<const GroupServers> groups, const Config& config) : config_(config) {
    for (const GroupServers& group : groups) {
        std::vector<std::uint32_t> numbers;
        for (const std::string& name : group.servers) {
            std::optional<std::uint32_t> number = find_server(name);
            if (!number) {
                number = static_cast<std::uint32_t>(servers_.size());
                servers_.push_back({name, ServerStage::off, 0, 0});
            }
            numbers.push_back(*number);
        }
        groups_.emplace_back(group.name, ServerChoice(std::move(numbers)));
    }
    to_disconnect_.reserve(servers_.size());
}

std::optional<std::uint32_t> Subscriber::find_group(std::string_view name) const noexcept {
    for (std::uint32_t i = 0; i < groups_.size(); ++i)
        if (groups_[i].name == name) return i;
    return std::nullopt;
}

std::optional<std::uint32_t> Subscriber::find_server(std::string_view name) const noexcept {
    for (std::uint32_t i = 0; i < servers_.size(); ++i)
        if (servers_[i].name == name) return i;
    return std::nullopt;
}

const std::string& Subscriber::server_of(std::uint32_t group) const noexcept {
    static const std::string no_name;
    const std::uint32_t server = groups_[group].server;
    return server == no_server ? no_name : servers_[server].name;
}

SubscriberStats Subscriber::stats() const noexcept {
    SubscriberStats stats = counters_;
    stats.waiting = events_.size();
    for (const Group& group : groups_) {
        stats.keys += group.wanted;
        stats.requests += group.stage == GroupStage::asking;
    }
    for (const Server& server : servers_) stats.connected += server.stage == ServerStage::on;
    return stats;
}

void Subscriber::verify() {
    std::uint32_t keys = 0;
    std::vector<std::uint32_t> users(servers_.size());
    for (std::uint32_t number = 0; number < groups_.size(); ++number) {
        Group& group = groups_[number];
        std::uint32_t wanted = 0;
        std::uint32_t pending = 0;
        std::uint32_t at_server = 0;
        group.keys.verify(keys_, "subscriber 1: the list of a group's keys is broken", [&](Handle handle) {
            const FollowedKey& key = keys_[handle];
            require(key.group == number, "subscriber 1: a key stands in its group");
            const auto found = group.by_key.find(key.key);
            require(found != group.by_key.end() && found->second == handle, "subscriber 1: a key is found by its name");
            require(key.stage != KeyStage::removed || key.at_server,
                    "subscriber 1: a removed key stays only until its server is told");
            require(key.stage != KeyStage::removed || !key.has_event, "subscriber 1: a removed key has no event");
            wanted += key.stage != KeyStage::removed;
            pending += key.stage != KeyStage::told;
            at_server += key.at_server;
            ++keys;
        });
        group.pending.verify(keys_, "subscriber 1: the list of pending keys is broken", [&](Handle handle) {
            require(keys_[handle].stage != KeyStage::told, "subscriber 1: a server is to be told of a pending key");
        });
        require(wanted == group.wanted && pending == group.pending.size() && group.by_key.size() == group.keys.size(),
                "subscriber 1: keys are counted");
        require(at_server == group.at_server, "subscriber 1: keys that the server was told of are counted");
        const bool has_server = group.stage == GroupStage::connecting || group.stage == GroupStage::steady ||
                                group.stage == GroupStage::asking;
        require(has_server == (group.server != no_server), "subscriber 3: a group has a server as its stage says");
        if (!has_server) continue;
        ++users[group.server];
        require((group.stage == GroupStage::connecting) == (servers_[group.server].stage == ServerStage::connecting),
                "subscriber 3: a group is connecting as long as its server is");
    }
    require(keys == keys_.size(), "subscriber 1: every key stands in a group");
    for (std::uint32_t i = 0; i < servers_.size(); ++i)
        require(users[i] == servers_[i].groups && (users[i] == 0) == (servers_[i].stage == ServerStage::off),
                "subscriber 4: a server is off if no group has it");
    events_.verify();
}

}  // namespace watchtree::core
