// answers.cc: what an answer does (contract §3, Answers).
#include <algorithm>

#include "tests/naive/model.h"

namespace watchtree::naive {

// The channel whose batch in flight a ticket names; any other ticket is counted as ignored.
const std::string* Model::channel_of(std::uint64_t ticket) {
    for (const auto& [name, channel] : channels_)
        if (channel.sending && channel.sending->ticket == ticket) return &name;
    ++totals_.ignored_answers;
    return nullptr;
}

bool Model::acknowledge(std::uint64_t ticket) {
    read_clock();
    const std::string* name = channel_of(ticket);
    if (name == nullptr) return false;
    const std::vector<std::int64_t> all_ok(channels_[*name].sending->watches.size(), 0);
    apply_results(*name, all_ok);
    hand_over();
    return true;
}

bool Model::acknowledge(std::uint64_t ticket, std::span<const std::int64_t> results) {
    read_clock();
    const std::string* found = channel_of(ticket);
    if (found == nullptr) return false;
    const std::string name = *found;
    if (results.size() == channels_[name].sending->watches.size()) {
        apply_results(name, {results.begin(), results.end()});
    } else {
        shut(name);
        receiver->on_wrong_result_count(name, results.size());
    }
    hand_over();
    return true;
}

bool Model::remove_all(std::uint64_t ticket) {
    read_clock();
    const std::string* found = channel_of(ticket);
    if (found == nullptr) return false;
    const std::string name = *found;
    count(channels_[name], &Counters::batches_acknowledged);
    shut(name);
    return true;
}

bool Model::fail(std::uint64_t ticket, Failure reason) {
    read_clock();
    const std::string* found = channel_of(ticket);
    if (found == nullptr) return false;
    const std::string name = *found;
    fail_sending(name, reason);
    return true;
}

void Model::apply_results(const std::string& name_in_map, const std::vector<std::int64_t>& results) {
    const std::string name = name_in_map;
    Channel& channel = channels_[name];
    const Sending sending = *channel.sending;
    channel.sending.reset();
    answers_.forget(name);
    silences_.set(name, now_ + config_.channel_timeout_ns);
    count(channel, &Counters::batches_acknowledged);
    channel.failure_count = 0;
    for (std::size_t i = 0; i < results.size(); ++i)
        if (still_counts(name, sending.watches[i])) apply_result(name, sending.watches[i], results[i]);
    channel.phase = Phase::idle;
    if (channel.watches.empty()) {
        shut(name);
    } else if (!channel.ready.empty() && sending.more && channel.left_by_cut > 0) {
        const std::uint64_t left = channel.left_by_cut;
        const std::size_t ready = channel.ready.size();
        serve(name);
        const std::size_t looked_at = ready - channel.ready.size();
        channel.left_by_cut = left > looked_at ? left - looked_at : 0;
    } else if (!channel.ready.empty()) {
        join_ready_channels(name);
    }
}

void Model::apply_result(const std::string& name, const SentWatch& sent, std::int64_t result) {
    Channel& channel = channels_[name];
    Watch& watch = channel.watches[sent.key];
    if (result == static_cast<std::int64_t>(Result::remove_watch)) {
        drop(name, sent.key);
    } else if (result == static_cast<std::int64_t>(Result::ok)) {
        count(channel, &Counters::acknowledged);
        watch.notified = std::max(watch.notified, sent.index);
        watch.is_unacknowledged = false;
        watch.was_found_in_flight = false;
        make_idle(watch);
        if (is_due(name, sent.key)) join_ready_set(channel, sent.key);
    } else {
        count(channel, &Counters::watch_errors);
        count_change_that_waits_for_the_retry(channel, watch);
        watch.phase = Phase::backing_off;
        retries_.set({name, sent.key}, now_ + backoff(++watch.failure_count));
    }
}

void Model::fail_sending(const std::string& name, Failure reason) {
    Channel& channel = channels_[name];
    ++channel.counters.failures[static_cast<std::size_t>(reason)];
    ++totals_.failures[static_cast<std::size_t>(reason)];
    if (is_permanent(reason)) {
        shut(name);
        return;
    }
    const Sending sending = *channel.sending;
    channel.sending.reset();
    answers_.forget(name);
    for (const SentWatch& sent : sending.watches) {
        if (!still_counts(name, sent)) continue;
        count_change_that_waits_for_the_retry(channel, channel.watches[sent.key]);
        if (is_due(name, sent.key))
            join_ready_set(channel, sent.key);
        else
            make_idle(channel.watches[sent.key]);
    }
    channel.phase = Phase::backing_off;
    retries_.set({name, std::nullopt}, now_ + backoff(++channel.failure_count));
}

void Model::count_change_that_waits_for_the_retry(Channel& channel, Watch& watch) {
    if (watch.was_found_in_flight) count(channel, &Counters::coalesced);
    watch.was_found_in_flight = false;
}

bool Model::still_counts(const std::string& name, const SentWatch& sent) const {
    const Channel& channel = channels_.at(name);
    const auto at = channel.watches.find(sent.key);
    return at != channel.watches.end() && at->second.registration == sent.registration;
}

Nanoseconds Model::backoff(std::uint32_t failures) const {
    return config_.backoff_ns[std::min<std::size_t>(failures, config_.backoff_ns.size()) - 1];
}

}  // namespace watchtree::naive
