// registration.cc: sync, touch, close, reset (contract §2).
#include <algorithm>
#include <set>

#include "tests/naive/model.h"

namespace watchtree::naive {

Status Model::sync(std::string_view name_view, std::span<const Known> known, bool replace, Synced* synced,
                   std::size_t* bad) {
    const std::string name(name_view);
    std::size_t position = 0;
    const Status refused = check_known(known, position);
    if (refused != Status::ok) {
        *bad = position;
        return refused;
    }
    const Nanoseconds now = read_clock();
    channels_[name];  // made here; shut again below if it has no watch
    for (const Known& item : known) register_watch(name, std::string(item.key), item.index);
    if (replace) {
        std::set<std::string> named;
        for (const Known& item : known) named.emplace(item.key);
        const auto before = channels_[name].watches;
        for (const auto& [key, watch] : before)
            if (!named.contains(key)) drop(name, key);
    }
    if (channels_[name].watches.empty())
        shut(name);
    else
        silences_.set(name, now + config_.channel_timeout_ns);
    synced->index = tree_.index();
    return Status::ok;
}

Status Model::check_known(std::span<const Known> known, std::size_t& bad) const {
    std::set<std::string> seen;
    for (bad = 0; bad < known.size(); ++bad) {
        const Status status = check_key(known[bad].key, config_.max_key_bytes);
        if (status != Status::ok) return status;
        if (known[bad].index < -1) return Status::index_out_of_range;
        if (!seen.emplace(known[bad].key).second) return Status::duplicate_key;
    }
    return Status::ok;
}

void Model::register_watch(const std::string& name, const std::string& key, Index index) {
    Channel& channel = channels_[name];
    const bool is_new = !channel.watches.contains(key);
    if (index == -1) {
        if (!is_new) drop(name, key);
        return;
    }
    if (is_new) {
        channel.watches[key] = {.registration = ++registrations_};
        holders_.add(tree_, key, {name, registrations_});
    }
    if (index > 0)
        channel.watches[key].notified = index;
    else if (!is_new)
        begin_again(name, key);
    if (channel.watches[key].phase == Phase::idle && is_due(name, key)) make_ready(name, key);
}

void Model::begin_again(const std::string& name, const std::string& key) {
    Watch& watch = channels_[name].watches[key];
    const bool is_ready = watch.phase == Phase::ready;
    watch = {.registration = ++registrations_, .phase = is_ready ? Phase::ready : Phase::idle};
    holders_.move_last(key, {name, registrations_});
    retries_.forget({name, key});
}

// The channel stays, even with no watch left, until the caller has done all it was asked.
void Model::drop(const std::string& name, const std::string& key) {
    Channel& channel = channels_[name];
    channel.watches.erase(key);
    retries_.forget({name, key});
    std::erase(channel.ready, key);
    if (channel.phase == Phase::ready && channel.ready.empty()) {
        std::erase(ready_, name);
        channel.phase = Phase::idle;
    }
    holders_.remove(tree_, key, name);
    if (holders_.watches(key).empty()) std::erase(changed_, key);
    if (rest_of_cut_holder().empty()) cut_.reset();
}

std::uint32_t Model::touch(std::string_view name_view) {
    const std::string name(name_view);
    const Nanoseconds now = read_clock();
    const auto at = channels_.find(name);
    if (at == channels_.end()) return 0;
    silences_.set(name, now + config_.channel_timeout_ns);
    return static_cast<std::uint32_t>(at->second.watches.size());
}

bool Model::close(std::string_view name) {
    if (!channels_.contains(std::string(name))) return false;
    shut(std::string(name));
    return true;
}

void Model::shut(const std::string& name) {
    const auto watches = channels_[name].watches;
    for (const auto& [key, watch] : watches) drop(name, key);
    answers_.forget(name);
    silences_.forget(name);
    retries_.forget({name, std::nullopt});
    std::erase_if(outbox_, [&](const HandedOver& batch) { return batch.channel == name; });
    channels_.erase(name);
}

void Model::reset() {
    ++epoch_;
    channels_.clear();
    holders_ = {};
    changed_.clear();
    cut_.reset();
    ready_.clear();
    answers_ = {};
    silences_ = {};
    retries_ = {};
    outbox_.clear();
}

}  // namespace watchtree::naive
