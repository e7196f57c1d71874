// Moves of watches and channels between their states. Nothing else writes Watch::state_bits or Channel::state.
#include <algorithm>
#include <limits>

#include "core/dispatch/dispatcher.h"

namespace watchtree::core {

// Requires: idle, or in flight in a batch that was just answered.
void Dispatcher::become_ready(Handle handle, Watch& watch, Channel& channel) noexcept {
    watch.move_to(WatchState::ready);
    channel.ready.push_back(watch_tree_.records(), handle);
}

// Requires: linked nowhere.
void Dispatcher::become_idle(Watch& watch) noexcept {
    watch.move_to(WatchState::idle);
    watch.failures = 0;
}

// Requires: in flight in a batch that was just answered; room for a retry.
void Dispatcher::back_off(Handle handle, Nanoseconds now) noexcept {
    Watch& watch = watch_tree_.watch(handle);
    if (watch.failures < max_counted_failures) ++watch.failures;
    const std::uint32_t lane = lane_of(watch.failures);
    watch.move_to(WatchState::backing_off);
    watch.retry = retries_.add(lane, later(now, config_.backoff_ns[lane]), handle, false);
    ++channels_[watch.channel].watches_backing_off;
}

void Dispatcher::stop_backing_off(Watch& watch) noexcept {
    retries_.cancel(watch.retry);
    --channels_[watch.channel].watches_backing_off;
    watch.move_to(WatchState::idle);
}

// Requires: idle, with something ready.
void Dispatcher::join_ready_channels(Handle handle, Channel& channel) noexcept {
    WATCHTREE_ASSERT(channel.state == ChannelState::idle && !channel.ready.empty());
    channel.state = ChannelState::ready;
    ready_channels_.push_back(channels_, handle);
    record_move(Event::ready, channel);
}

void Dispatcher::leave_ready_channels(Handle handle) noexcept {
    WATCHTREE_ASSERT(channels_[handle].state == ChannelState::ready);
    ready_channels_.erase(channels_, handle);
    channels_[handle].state = ChannelState::idle;
    record_move(Event::idle, channels_[handle]);
}

// Requires: its batch was just forgotten; room for a retry.
void Dispatcher::back_off_channel(Handle handle, Nanoseconds now) noexcept {
    Channel& channel = channels_[handle];
    if (channel.failures < std::numeric_limits<std::uint8_t>::max()) ++channel.failures;
    const std::uint32_t lane = lane_of(channel.failures);
    channel.state = ChannelState::backing_off;
    channel.retry = retries_.add(lane, later(now, config_.backoff_ns[lane]), handle, true);
    if (recording_ != nullptr) [[unlikely]]
        recording_->backs_off(channel.name->view(), config_.backoff_ns[lane]);
}

std::uint32_t Dispatcher::lane_of(std::uint32_t failures) const noexcept {
    return std::min(failures, static_cast<std::uint32_t>(config_.backoff_ns.size())) - 1;
}

// Takes a watch out of whatever its state links it to, and leaves it idle.
void Dispatcher::end_state(Handle handle) noexcept {
    Watch& watch = watch_tree_.watch(handle);
    Channel& channel = channels_[watch.channel];
    switch (watch.state()) {
        case WatchState::idle: break;
        case WatchState::ready:
            channel.ready.erase(watch_tree_.records(), handle);
            if (channel.ready.empty() && channel.state == ChannelState::ready) leave_ready_channels(watch.channel);
            break;
        case WatchState::in_flight: records_[channel.batch].entries[watch.batch_position].watch = none; break;
        case WatchState::backing_off: stop_backing_off(watch); break;
    }
    become_idle(watch);
}

}  // namespace watchtree::core
