// One bounded step: deadlines that have come, then the three phases (contract §3, dispatch).
#include <algorithm>

#include "core/dispatch/dispatcher.h"

namespace watchtree::core {

bool Dispatcher::step(Nanoseconds now) {
    ++steps_;
    busiest_part_ = 0;
    bool complete = fail_overdue(now);
    complete &= close_silent(now);
    complete &= look_at_changed();
    complete &= serve_ready(now);
    complete &= serve_retries(now);
    unfinished_steps_ += !complete;
    return complete;
}

// Each part handles items until there is none or the limit is reached, and says whether nothing was left.

bool Dispatcher::end_part(std::uint32_t items, bool complete) noexcept {
    busiest_part_ = std::max(busiest_part_, items);
    return complete;
}

bool Dispatcher::fail_overdue(Nanoseconds now) {
    for (std::uint32_t items = 0;; ++items) {
        BatchRecord* const record = unanswered_.oldest(last_ticket_);
        if (record == nullptr || now - record->sent_at < config_.answer_timeout_ns) return end_part(items, true);
        if (items == config_.max_batch_size) return end_part(items, false);
        withdraw(*record);
        if (recording_ != nullptr) [[unlikely]]
            recording_->overdue(record->ticket, record->name->view());
        fail_record(*record, Failure::timeout, now);
    }
}

bool Dispatcher::close_silent(Nanoseconds now) noexcept {
    for (std::uint32_t items = 0;; ++items) {
        if (silence_.empty()) return end_part(items, true);
        const Handle channel = silence_.front();
        if (now - channels_[channel].last_activity < config_.channel_timeout_ns) return end_part(items, true);
        if (items == config_.max_batch_size) return end_part(items, false);
        ++silent_channels_;
        close_channel(channel);
    }
}

bool Dispatcher::look_at_changed() noexcept {
    const auto visit = [this](Handle handle, Watch& watch, Index index) {
        if (index > watch.notified) look_at(handle, watch);
    };
    const auto approach = [this](const Watch& watch) { channels_.prefetch(watch.channel, 3); };
    const std::uint32_t visits = watch_tree_.look_at_changed(config_.max_batch_size, visit, approach);
    return end_part(visits, !watch_tree_.has_changed());
}

void Dispatcher::look_at(Handle handle, Watch& watch) noexcept {
    Channel& channel = channels_[watch.channel];
    switch (watch.state()) {
        case WatchState::idle:
            become_ready(handle, watch, channel);
            if (channel.state == ChannelState::idle) join_ready_channels(watch.channel, channel);
            return;
        case WatchState::in_flight:
            if (!watch.changed) {
                watch.changed = 1;
                return;
            }
            break;
        case WatchState::ready:
        case WatchState::backing_off: break;
    }
    ++counters_.coalesced;
    ++channel.counters.coalesced;
}

bool Dispatcher::serve_ready(Nanoseconds now) {
    for (std::uint32_t items = 0;; ++items) {
        if (ready_channels_.empty()) return end_part(items, true);
        if (items == config_.max_batch_size) return end_part(items, false);
        const Handle handle = ready_channels_.front();
        Channel& channel = channels_[handle];
        BatchRecord& record = prepare(channel);
        ready_channels_.pop_front(channels_);
        channel.state = ChannelState::idle;
        send_or_idle(handle, channel, record, now);
    }
}

bool Dispatcher::serve_retries(Nanoseconds now) {
    for (std::uint32_t items = 0;; ++items) {
        const Retry* retry = retries_.earliest();
        if (retry == nullptr || retry->at > now) return end_part(items, true);
        if (items == config_.max_batch_size) return end_part(items, false);
        if (retry->is_channel) {
            retry_channel(retry->target, now);
        } else {
            retry_watch(retry->target, now);
        }
    }
}

void Dispatcher::retry_channel(Handle handle, Nanoseconds now) {
    Channel& channel = channels_[handle];
    BatchRecord& record = prepare(channel);
    retries_.cancel(channel.retry);
    channel.state = ChannelState::idle;
    send_or_idle(handle, channel, record, now);
}

void Dispatcher::retry_watch(Handle handle, Nanoseconds now) {
    Watch& watch = watch_tree_.watch(handle);
    const Handle channel_handle = watch.channel;
    Channel& channel = channels_[channel_handle];
    const bool sends = channel.state == ChannelState::idle && watch_tree_.is_due(watch);
    BatchRecord* record = sends ? &prepare(channel) : nullptr;
    stop_backing_off(watch);
    if (watch_tree_.is_due(watch)) {
        become_ready(handle, watch, channel);
    } else {
        become_idle(watch);
    }
    if (sends) send_or_idle(channel_handle, channel, *record, now);
}

}  // namespace watchtree::core
