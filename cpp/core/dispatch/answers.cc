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
void Dispatcher::forget(BatchRecord& record, Channel& channel) noexcept {
    unanswered_.remove(record);
    if (!record.handed_over.load(std::memory_order_relaxed)) channel.answered_early = true;
    channel.batch = none;
    channel.state = ChannelState::idle;
    record.channel = none;
}

Outcome Dispatcher::acknowledge(BatchRecord* record, Nanoseconds now) noexcept {
    if (!listens_to(record)) return Outcome::ignored;
    const Handle handle = record->channel;
    Channel& channel = channels_[handle];
    begin_acknowledgement(*record, channel, now);
    for (const BatchEntry& entry : record->entries)
        if (entry.watch != none) apply_ok(entry, watch_tree_.watch(entry.watch), channel, now);
    end_acknowledgement(*record, handle, channel, now);
    return Outcome::counted;
}

Outcome Dispatcher::acknowledge(BatchRecord* record, std::span<const std::int64_t> results, Nanoseconds now,
                                std::string& culprit) {
    if (!listens_to(record)) return Outcome::ignored;
    const Handle handle = record->channel;
    if (results.size() != record->entries.size()) {
        culprit = record->name->view();
        close_channel(handle);
        return Outcome::wrong_count;
    }
    retries_.reserve(static_cast<std::uint32_t>(results.size()));
    Channel& channel = channels_[handle];
    begin_acknowledgement(*record, channel, now);
    for (std::size_t i = 0; i < results.size(); ++i)
        if (record->entries[i].watch != none) apply_result(record->entries[i], results[i], channel, now);
    end_acknowledgement(*record, handle, channel, now);
    return Outcome::counted;
}

void Dispatcher::begin_acknowledgement(BatchRecord& record, Channel& channel, Nanoseconds now) noexcept {
    count_activity(record.channel, channel, now);
    ++counters_.batches_acknowledged;
    ++channel.counters.batches_acknowledged;
    channel.failures = 0;
    forget(record, channel);
}

void Dispatcher::end_acknowledgement(BatchRecord& record, Handle handle, Channel& channel, Nanoseconds now) noexcept {
    const bool more = record.more;
    unpin(record);
    if (channel.watches.size() == 0) {
        close_channel(handle);
    } else if (!channel.ready.empty()) {
        continue_after_answer(handle, channel, more, now);
    }
}

void Dispatcher::apply_ok(const BatchEntry& entry, Watch& watch, Channel& channel, Nanoseconds now) noexcept {
    watch.notified = std::max(watch.notified, entry.index);
    watch.resend = 0;
    watch.changed = 0;
    if (!watch.unacknowledged) count_latency(channel, entry.stamp, now);
    watch.unacknowledged = 0;
    ++counters_.acknowledged;
    ++channel.counters.acknowledged;
    become_idle(watch);
    if (watch_tree_.is_due(watch)) become_ready(entry.watch, watch, channel);
}

void Dispatcher::apply_result(const BatchEntry& entry, std::int64_t result, Channel& channel,
                              Nanoseconds now) noexcept {
    Watch& watch = watch_tree_.watch(entry.watch);
    if (result == static_cast<std::int64_t>(Result::ok)) {
        apply_ok(entry, watch, channel, now);
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

// Requires: idle, and in no queue, though something is ready.
void Dispatcher::continue_after_answer(Handle handle, Channel& channel, bool more, Nanoseconds now) noexcept {
    // What became ready after the cut waits for the channel's turn, or one that changes all the time would never end.
    if (more && channel.left_by_cut != 0) {
        try {
            BatchRecord& record = prepare(channel);
            const std::uint32_t left = channel.left_by_cut;
            const std::uint32_t ready = channel.ready.size();
            send_or_idle(handle, channel, record, now);
            channel.left_by_cut = left - std::min(left, ready - channel.ready.size());
            return;
        } catch (const std::bad_alloc&) {  // the next step will try again
        }
    }
    join_ready_channels(handle, channel);
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
    forget(record, channel);
    for (const BatchEntry& entry : record.entries) {
        if (entry.watch == none) continue;
        Watch& watch = watch_tree_.watch(entry.watch);
        counters_.coalesced += watch.changed;
        channel.counters.coalesced += watch.changed;
        watch.changed = 0;
        watch.resend = 1;
        if (watch_tree_.is_due(watch)) {
            become_ready(entry.watch, watch, channel);
        } else {
            become_idle(watch);
        }
    }
    unpin(record);
    back_off_channel(handle, now);
}

}  // namespace watchtree::core
