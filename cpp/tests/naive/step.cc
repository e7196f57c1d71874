// step.cc: dispatch(), one bounded step (contract §3).
#include <algorithm>

#include "tests/naive/model.h"

namespace watchtree::naive {

bool Model::dispatch() {
    read_clock();
    bool is_cut = handle_overdue_answers();
    is_cut |= handle_silent_channels();
    is_cut |= look_at_changed_holders();
    is_cut |= serve_ready_channels();
    is_cut |= serve_retries();
    ++totals_.steps;
    totals_.unfinished_steps += is_cut ? 1 : 0;
    hand_over();
    return !is_cut;
}

bool Model::handle_overdue_answers() {
    for (std::uint32_t items = 0; items < config_.max_batch_size; ++items) {
        const std::optional<std::string> name = answers_.come(now_);
        if (!name) return false;
        const std::uint64_t ticket = channels_[*name].sending->ticket;
        std::erase_if(outbox_, [&](const HandedOver& batch) { return batch.ticket == ticket; });
        fail_sending(*name, Failure::timeout);
    }
    return answers_.come(now_).has_value();
}

bool Model::handle_silent_channels() {
    for (std::uint32_t items = 0; items < config_.max_batch_size; ++items) {
        const std::optional<std::string> name = silences_.come(now_);
        if (!name) return false;
        ++totals_.silent_channels;
        shut(*name);
    }
    return silences_.come(now_).has_value();
}

bool Model::look_at_changed_holders() {
    for (std::uint32_t items = 0; items < config_.max_batch_size; ++items) {
        if (!cut_) {
            if (changed_.empty()) return false;
            cut_ = {changed_.front(), 0};
            changed_.erase(changed_.begin());
        }
        const Place place = rest_of_cut_holder().front();
        look_at(place, cut_->key);
        cut_->looked_at = place.registration;
        if (rest_of_cut_holder().empty()) cut_.reset();
    }
    return cut_ || !changed_.empty();
}

std::vector<Place> Model::rest_of_cut_holder() const {
    std::vector<Place> rest;
    if (!cut_) return rest;
    for (const Place& place : holders_.watches(cut_->key))
        if (place.registration > cut_->looked_at) rest.push_back(place);
    return rest;
}

void Model::look_at(const Place& place, const std::string& key) {
    if (!is_due(place.channel, key)) return;
    Channel& channel = channels_[place.channel];
    Watch& watch = channel.watches[key];
    if (watch.phase == Phase::idle)
        make_ready(place.channel, key);
    else if (watch.phase == Phase::in_flight && !watch.was_found_in_flight)
        watch.was_found_in_flight = true;
    else
        count(channel, &Counters::coalesced);
}

bool Model::serve_ready_channels() {
    for (std::uint32_t items = 0; items < config_.max_batch_size; ++items) {
        if (ready_.empty()) return false;
        const std::string name = ready_.front();
        ready_.erase(ready_.begin());
        serve(name);
    }
    return !ready_.empty();
}

bool Model::serve_retries() {
    for (std::uint32_t items = 0; items < config_.max_batch_size; ++items) {
        const std::optional<Retry> retry = retries_.come(now_);
        if (!retry) return false;
        retries_.forget(*retry);
        if (retry->key)
            retry_watch(retry->channel, *retry->key);
        else
            serve(retry->channel);
    }
    return retries_.come(now_).has_value();
}

void Model::retry_watch(const std::string& name, const std::string& key) {
    Channel& channel = channels_[name];
    if (!is_due(name, key)) {
        make_idle(channel.watches[key]);
        return;
    }
    join_ready_set(channel, key);
    if (channel.phase == Phase::idle) serve(name);
}

}  // namespace watchtree::naive
