// What an answer does (contract §3, Answers).
#include <algorithm>

#include "core/dispatch/dispatcher.h"

namespace watchtree::core {

bool Dispatcher::listens_to(const BatchRecord* record) noexcept {
    if (record != nullptr && record->channel != none) return true;
    ++ignored_answers_;
    return false;
}

// No answer to it counts any more. The caller gives back the pin, when it has done with the record.
void Dispatcher::forget(BatchRecord& record) noexcept {
    unanswered_.remove(record);
    Channel& channel = channels_[record.channel];
    channel.batch = none;
    channel.state = ChannelState::idle;
    record.channel = none;
}

Outcome Dispatcher::acknowledge(BatchRecord* record, std::optional<std::span<const std::int64_t>> results,
                                Nanoseconds now, std::string& culprit) {
    if (!listens_to(record)) return Outcome::ignored;
    const Handle channel = record->channel;
    if (results) {
        if (results->size() != record->entries.size()) {
            culprit = record->name->view();
            close_channel(channel);
            return Outcome::wrong_count;
        }
        retries_.reserve(static_cast<std::uint32_t>(results->size()));
    }
    count_activity(channel, now);
    ++counters_.batches_acknowledged;
    ++channels_[channel].counters.batches_acknowledged;
    channels_[channel].failures = 0;
    forget(*record);
    for (std::size_t i = 0; i < record->entries.size(); ++i)
        if (record->entries[i].watch != none)
            apply_result(record->entries[i], results ? (*results)[i] : static_cast<std::int64_t>(Result::ok), now);
    const bool more = record->more;
    unpin(*record);
    continue_after_answer(channel, more, now);
    return Outcome::counted;
}

void Dispatcher::apply_result(const BatchEntry& entry, std::int64_t result, Nanoseconds now) noexcept {
    Watch& watch = watch_tree_.watch(entry.watch);
    Channel& channel = channels_[watch.channel];
    if (result == static_cast<std::int64_t>(Result::ok)) {
        watch.notified = std::max(watch.notified, entry.index);
        watch.resend = 0;
        watch.changed = 0;
        become_idle(watch);
        if (!watch.unacknowledged) count_latency(channel, entry.stamp, now);
        watch.unacknowledged = 0;
        ++counters_.acknowledged;
        ++channel.counters.acknowledged;
        if (watch_tree_.is_due(watch)) become_ready(entry.watch);
    } else if (result == static_cast<std::int64_t>(Result::remove_watch)) {
        become_idle(watch);
        drop(entry.watch);
    } else {
        ++counters_.watch_errors;
        ++channel.counters.watch_errors;
        counters_.coalesced += watch.changed;
        channel.counters.coalesced += watch.changed;
        watch.changed = 0;
        watch.resend = 1;
        back_off(entry.watch, now);
    }
}

void Dispatcher::count_latency(Channel& channel, std::uint32_t stamp, Nanoseconds now) noexcept {
    if (stamp == 0) return;
    const std::uint32_t bucket = std::min(latency_bucket(stamp, watch_tree_.stamp_of(now)), latency_buckets - 1);
    ++counters_.latency[bucket];
    ++channel.counters.latency[bucket];
}

// Requires: idle, and in no queue, though something may be ready.
void Dispatcher::continue_after_answer(Handle handle, bool more, Nanoseconds now) noexcept {
    Channel& channel = channels_[handle];
    if (channel.watches.size() == 0) {
        close_channel(handle);
        return;
    }
    if (channel.ready.empty()) return;
    if (more) {
        try {
            send_or_idle(handle, prepare(channel), now);
            return;
        } catch (const std::bad_alloc&) {  // the next step will try again
        }
    }
    join_ready_channels(handle);
}

Outcome Dispatcher::remove_all(BatchRecord* record) noexcept {
    if (!listens_to(record)) return Outcome::ignored;
    ++counters_.batches_acknowledged;
    close_channel(record->channel);
    return Outcome::counted;
}

Outcome Dispatcher::fail(BatchRecord* record, Failure failure, Nanoseconds now) {
    if (!listens_to(record)) return Outcome::ignored;
    fail_record(*record, failure, now);
    return Outcome::counted;
}

void Dispatcher::fail_record(BatchRecord& record, Failure failure, Nanoseconds now) {
    retries_.reserve(1);
    const Handle handle = record.channel;
    Channel& channel = channels_[handle];
    ++counters_.failures[static_cast<std::size_t>(failure)];
    ++channel.counters.failures[static_cast<std::size_t>(failure)];
    if (is_permanent(failure)) {
        close_channel(handle);
        return;
    }
    forget(record);
    for (const BatchEntry& entry : record.entries) {
        if (entry.watch == none) continue;
        Watch& watch = watch_tree_.watch(entry.watch);
        counters_.coalesced += watch.changed;
        channel.counters.coalesced += watch.changed;
        watch.changed = 0;
        watch.resend = 1;
        if (watch_tree_.is_due(watch)) {
            become_ready(entry.watch);
        } else {
            become_idle(watch);
        }
    }
    unpin(record);
    back_off_channel(handle, now);
}

}  // namespace watchtree::core
