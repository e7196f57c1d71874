// sending.cc: watches and channels become ready, are sent, and go to the transport (contract §3).
#include "tests/naive/model.h"

namespace watchtree::naive {

bool Model::is_due(const std::string& name, const std::string& key) const {
    static_assert(never < 0, "no index is, so a watch that was never notified is due");
    return index_of(key) > channels_.at(name).watches.at(key).notified;
}

void Model::make_idle(Watch& watch) {
    watch.phase = Phase::idle;
    watch.failure_count = 0;
}

void Model::join_ready_set(Channel& channel, const std::string& key) {
    channel.watches[key].phase = Phase::ready;
    channel.ready.push_back(key);
}

void Model::make_ready(const std::string& name, const std::string& key) {
    join_ready_set(channels_[name], key);
    if (channels_[name].phase == Phase::idle) join_ready_channels(name);
}

void Model::join_ready_channels(const std::string& name) {
    channels_[name].phase = Phase::ready;
    ready_.push_back(name);
}

Told Model::state_of(const std::string& key) const {
    const TreeNode* node = tree_.find(key);
    if (node == nullptr) return {key, State::missing, index_of(key), std::nullopt};
    return {key, node->is_directory() ? State::directory : State::value, node->update_index, node->value};
}

// Builds a batch for a channel that has left its queue.
void Model::serve(const std::string& name) {
    Channel& channel = channels_[name];
    std::vector<Told> notifications;
    std::size_t size = 0;
    bool more = false;
    while (!channel.ready.empty()) {
        const std::string key = channel.ready.front();
        if (is_due(name, key)) {
            const Told told = state_of(key);
            const std::size_t added = 24 + key.size() + told.value.value_or("").size();
            more = !notifications.empty() && size + added > config_.max_batch_bytes;
            if (more) break;
            size += added;
            notifications.push_back(told);
        } else {
            make_idle(channel.watches[key]);
        }
        channel.ready.erase(channel.ready.begin());
    }
    if (notifications.empty()) {
        channel.phase = Phase::idle;
        channel.failure_count = 0;
        return;
    }
    if (more) channel.left_by_cut = channel.ready.size();
    begin_flight(name, notifications, more);
}

void Model::begin_flight(const std::string& name, const std::vector<Told>& notifications, bool more) {
    Channel& channel = channels_[name];
    HandedOver batch = {name, ++tickets_, epoch_, more, 0, notifications};
    Sending sending = {batch.ticket, {}, more};
    count(channel, &Counters::batches_sent);
    for (const Told& told : notifications) {
        Watch& watch = channel.watches[told.key];
        watch.phase = Phase::in_flight;
        sending.watches.push_back({told.key, watch.registration, told.index});
        batch.size_bytes += static_cast<std::uint32_t>(24 + told.key.size() + told.value.value_or("").size());
        count(channel, &Counters::sent);
        count(channel, &Counters::resent, watch.is_unacknowledged ? 1 : 0);
        watch.is_unacknowledged = true;
    }
    channel.phase = Phase::in_flight;
    channel.sending = sending;
    answers_.set(name, now_ + config_.answer_timeout_ns);
    outbox_.push_back(batch);
}

// A transport is never called again before it returned: what a call from inside it builds waits for the call outside.
void Model::hand_over() {
    if (is_handing_over_) return;
    is_handing_over_ = true;
    while (!outbox_.empty()) {
        const HandedOver batch = outbox_.front();
        outbox_.erase(outbox_.begin());
        if (receiver->receive(batch)) continue;
        fail(batch.ticket, Failure::raised);
        receiver->on_error(batch.channel);
    }
    is_handing_over_ = false;
}

}  // namespace watchtree::naive
