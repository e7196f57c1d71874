#include "tests/naive/model.h"

#include <algorithm>

namespace watchtree::naive {

Model::Model(const Config& config) : config_(config), tree_(config) {}

Nanoseconds Model::read_clock() { return now_ = std::max(now_, clock); }

Change Model::change(const Operation& operation, AskedIndex asked) {
    Index index = 0;
    Keys changed;
    Status status = tree_.check_form(operation);
    if (status == Status::ok) status = tree_.choose_index(asked, index);
    if (status == Status::ok) status = tree_.apply(operation, index, changed);
    queue_changed(changed);
    return {status, tree_.index()};
}

Status Model::batch(std::span<const Operation> operations, std::vector<Change>& changes, AskedIndex asked) {
    Index index = 0;
    const Status refused = tree_.choose_index(asked, index);
    if (refused != Status::ok) return refused;
    changes.clear();
    for (const Operation& operation : operations) {
        Keys changed;
        Status status = tree_.check_form(operation);
        if (status == Status::ok) status = tree_.apply(operation, index, changed);
        queue_changed(changed);
        changes.push_back({status, tree_.index()});
    }
    return Status::ok;
}

Status Model::restore(const Tree& image) {
    tree_ = image;
    reset();
    return Status::ok;
}

void Model::queue_changed(const Keys& changed) {
    holders_.mount(tree_);
    for (const std::string& key : changed) {
        const std::size_t watchers = holders_.watches(key).size();
        if (std::find(changed_.begin(), changed_.end(), key) != changed_.end())
            totals_.coalesced += watchers;  // not for each channel: a change does not visit them
        else if (watchers > 0)
            changed_.push_back(key);
    }
}

DispatcherStats Model::stats() const {
    DispatcherStats stats = totals_;
    const auto size = [](const auto& things) { return static_cast<std::uint32_t>(things.size()); };
    stats.epoch = epoch_;
    stats.channels = size(channels_);
    for (const auto& [name, channel] : channels_) stats.watches += size(channel.watches);
    stats.holders = size(holders_);
    stats.changed_holders = size(changed_) + (cut_ ? 1 : 0);
    stats.ready_channels = size(ready_);
    stats.backing_off = size(retries_);
    stats.in_flight = size(answers_);
    return stats;
}

std::optional<ChannelStats> Model::channel(std::string_view name) const {
    const auto at = channels_.find(std::string(name));
    if (at == channels_.end()) return std::nullopt;
    const Channel& channel = at->second;
    ChannelStats stats;
    static_cast<Counters&>(stats) = channel.counters;
    stats.name = name;
    stats.state = channel.phase;
    stats.watches = static_cast<std::uint32_t>(channel.watches.size());
    stats.ready_watches = static_cast<std::uint32_t>(channel.ready.size());
    for (const auto& entry : retries_.in_order()) stats.backing_off += entry.item.channel == name ? 1 : 0;
    if (channel.sending) {
        stats.in_flight = static_cast<std::uint32_t>(channel.sending->watches.size());
        stats.ticket = channel.sending->ticket;
    }
    stats.failure_count = channel.failure_count;
    return stats;
}

std::vector<std::string> Model::channels() const {
    std::vector<std::string> names;
    for (const auto& [name, channel] : channels_) names.push_back(name);
    return names;
}

std::optional<std::vector<std::pair<std::string, Index>>> Model::watches(std::string_view name) const {
    const auto at = channels_.find(std::string(name));
    if (at == channels_.end()) return std::nullopt;
    std::vector<std::pair<std::string, Index>> watches;
    for (const auto& [key, watch] : at->second.watches) watches.emplace_back(key, watch.notified);
    return watches;
}

std::optional<Nanoseconds> Model::next_deadline() const {
    if (cut_ || !changed_.empty() || !ready_.empty()) return 0;
    std::optional<Nanoseconds> first;
    const auto look = [&](const auto& deadlines) {
        for (const auto& entry : deadlines.in_order()) first = std::min(first.value_or(entry.at), entry.at);
    };
    look(answers_);
    look(silences_);
    look(retries_);
    if (!first) return std::nullopt;
    return std::max<Nanoseconds>(0, *first - std::max(now_, clock));
}

const Sending* Model::in_flight(const std::string& name) const {
    const auto at = channels_.find(name);
    return at == channels_.end() || !at->second.sending ? nullptr : &*at->second.sending;
}

std::optional<Nanoseconds> Model::next_moment() const {
    std::optional<Nanoseconds> first;
    const auto look = [&](const auto& deadlines) {
        for (const auto& entry : deadlines.in_order())
            if (entry.at > clock) first = std::min(first.value_or(entry.at), entry.at);
    };
    look(answers_);
    look(silences_);
    look(retries_);
    return first;
}

}  // namespace watchtree::naive
