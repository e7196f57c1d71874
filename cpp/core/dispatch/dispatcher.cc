#include "core/dispatch/dispatcher.h"

#include <algorithm>

#include "core/tree/key.h"

namespace watchtree::core {

Dispatcher::Dispatcher(Tree& tree, WatchTree& watch_tree, const Config& config)
    : tree_(tree), watch_tree_(watch_tree), config_(config) {}

Dispatcher::~Dispatcher() { WATCHTREE_ASSERT(channels_.size() == 0 && records_in_use() == 0); }

std::optional<Nanoseconds> Dispatcher::next_deadline() noexcept {
    std::optional<Nanoseconds> earliest;
    const auto consider = [&](Nanoseconds at) { earliest = earliest ? std::min(*earliest, at) : at; };
    if (const BatchRecord* record = unanswered_.oldest(last_ticket_); record != nullptr)
        consider(later(record->sent_at, config_.answer_timeout_ns));
    if (!silence_.empty()) consider(later(channels_[silence_.front()].last_activity, config_.channel_timeout_ns));
    if (const Retry* retry = retries_.earliest(); retry != nullptr) consider(retry->at);
    return earliest;
}

void Dispatcher::count_step_time(Nanoseconds duration) noexcept {
    ++step_time_[bucket_of(static_cast<std::uint64_t>(duration) / 1000)];
}

Ending Dispatcher::ending(std::uint64_t outcome) const noexcept {
    return {.outcome = outcome,
            .index = tree_.index(),
            .queues = {watch_tree_.changed_holders(), ready_channels_.size(), retries_.size(), unanswered_.size()},
            .coalesced = coalesced() - coalesced_before_,
            .elapsed = 0};
}

DispatcherStats Dispatcher::stats() const {
    DispatcherStats stats;
    static_cast<Counters&>(stats) = counters_;
    stats.coalesced = coalesced();
    stats.epoch = epoch_;
    stats.channels = channels_.size();
    stats.watches = watch_tree_.watches();
    stats.holders = watch_tree_.holders();
    stats.changed_holders = watch_tree_.changed_holders();
    stats.ready_channels = ready_channels_.size();
    stats.backing_off = retries_.size();
    stats.in_flight = unanswered_.size();
    stats.steps = steps_;
    stats.unfinished_steps = unfinished_steps_;
    stats.ignored_answers = ignored_answers_;
    stats.silent_channels = silent_channels_;
    stats.step_time = step_time_;
    return stats;
}

std::optional<ChannelStats> Dispatcher::channel_stats(std::string_view name) {
    const Handle handle = find_channel(name);
    if (handle == none) return std::nullopt;
    const Channel& channel = channels_[handle];
    const ChannelCounters& counters = channel.counters;
    ChannelStats stats;
    stats.batches_sent = counters.batches_sent;
    stats.sent = counters.sent;
    stats.acknowledged = counters.acknowledged;
    stats.resent = counters.resent;
    stats.coalesced = counters.coalesced;
    stats.batches_acknowledged = counters.batches_acknowledged;
    std::copy(counters.failures.begin(), counters.failures.end(), stats.failures.begin());
    stats.watch_errors = counters.watch_errors;
    std::copy(counters.latency.begin(), counters.latency.end(), stats.latency.begin());
    stats.name = name;
    stats.state = channel.state;
    stats.watches = channel.watches.size();
    stats.ready_watches = channel.ready.size();
    stats.backing_off = channel.watches_backing_off + (channel.state == ChannelState::backing_off ? 1 : 0);
    if (channel.state == ChannelState::in_flight) {
        const BatchRecord& record = records_[channel.batch];
        stats.in_flight = static_cast<std::uint32_t>(record.entries.size());
        stats.ticket = record.ticket;
    }
    stats.failure_count = channel.failures;
    return stats;
}

std::vector<BufferRef> Dispatcher::channels() {
    std::vector<BufferRef> names;
    names.reserve(channels_.size());
    channels_.for_each([&](Handle, const Channel& channel) { names.push_back(BufferRef::share(channel.name)); });
    std::sort(names.begin(), names.end(),
              [](const BufferRef& a, const BufferRef& b) { return a.get()->view() < b.get()->view(); });
    return names;
}

bool Dispatcher::watches(std::string_view name, std::vector<WatchedKey>& watches) {
    const Handle handle = find_channel(name);
    if (handle == none) return false;
    watches.reserve(channels_[handle].watches.size());
    channels_[handle].watches.for_each([&](Handle w) {
        const Watch& watch = watch_tree_.watch(w);
        watches.push_back({BufferRef::share(watch_tree_.holder(watch.holder).key), watch.notified});
    });
    std::sort(watches.begin(), watches.end(), [](const WatchedKey& a, const WatchedKey& b) {
        return key_less(a.key.get()->view(), b.key.get()->view());
    });
    return true;
}

Memory Dispatcher::memory() {
    Memory memory;
    memory.watches = watch_tree_.watch_memory();
    memory.holders = watch_tree_.holder_memory();
    memory.keys = watch_tree_.key_memory();
    memory.channels = channels_.memory() + names_.memory();
    channels_.for_each([&](Handle, const Channel& channel) {
        memory.watches += channel.watches.memory();
        memory.channels += channel.name->memory();
    });
    memory.queues = retries_.memory() + (hashes_.capacity() + places_.capacity()) * sizeof(std::uint32_t) +
                    unnamed_.capacity() * sizeof(Handle) +
                    (outbox_.capacity() + handing_over_.capacity()) * sizeof(BatchRecord*);
    memory.batches = records_.memory() + unanswered_.memory();
    records_.for_each(
        [&](Handle, const BatchRecord& record) { memory.batches += record.entries.capacity() * sizeof(BatchEntry); });
    return memory;
}

void Dispatcher::verify() {
    std::uint32_t watches = 0;
    std::uint32_t retries = 0;
    std::uint32_t in_flight = 0;
    std::uint32_t ready = 0;
    Nanoseconds active = std::numeric_limits<Nanoseconds>::min();

    const auto verify_watch = [&](Handle handle, Handle channel_handle, std::uint32_t& backing_off) {
        const Watch& watch = watch_tree_.watch(handle);
        const Channel& channel = channels_[channel_handle];
        require(watch.channel == channel_handle, "dispatcher 3: a watch knows its channel");
        require(find_watch(channel, watch.holder) == handle, "dispatcher 3: a channel finds each of its watches");
        require(!watch.named, "dispatcher 3: a sync left a watch marked");
        switch (watch.state()) {
            case WatchState::idle: require(watch.failures == 0, "dispatcher 3: an idle watch has no failures"); break;
            case WatchState::ready: break;
            case WatchState::in_flight: {
                require(channel.state == ChannelState::in_flight, "dispatcher 3: a watch in flight has a batch");
                const auto& entries = records_[channel.batch].entries;
                require(watch.batch_position < entries.size() && entries[watch.batch_position].watch == handle,
                        "dispatcher 3: a watch in flight stands in its batch");
                break;
            }
            case WatchState::backing_off:
                ++backing_off;
                require(retries_[watch.retry].target == handle && !retries_[watch.retry].is_channel,
                        "dispatcher 3: a watch that backs off has its retry");
                break;
        }
    };
    silence_.verify(channels_, "dispatcher 5: the list of channels by activity is broken", [&](Handle handle) {
        const Channel& channel = channels_[handle];
        require(channel.last_activity >= active, "dispatcher 5: channels stand in the order of their activity");
        active = channel.last_activity;
        require(channel.watches.size() != 0, "dispatcher 1: a channel has a watch");
        require(find_channel(channel.name->view()) == handle, "dispatcher 1: a channel is found by its name");
        std::uint32_t backing_off = 0;
        channel.watches.for_each([&](Handle watch) { verify_watch(watch, handle, backing_off); });
        channel.watches.verify([&](Handle w) { return hash_holder(watch_tree_.watch(w).holder); },
                               "dispatcher 3: the probes of a channel's watches");
        channel.ready.verify(watch_tree_.records(), "dispatcher 3: a ready set is broken", [&](Handle watch) {
            require(watch_tree_.watch(watch).state() == WatchState::ready && watch_tree_.watch(watch).channel == handle,
                    "dispatcher 3: what is in the ready set is ready");
        });
        require(backing_off == channel.watches_backing_off, "dispatcher 3: the watches that back off are counted");
        watches += channel.watches.size();
        retries += backing_off;
        switch (channel.state) {
            case ChannelState::idle:
                require(channel.ready.empty() && channel.failures == 0,
                        "dispatcher 4: an idle channel has no ready watch");
                break;
            case ChannelState::ready:
                ++ready;
                require(!channel.ready.empty(), "dispatcher 4: a ready channel has a ready watch");
                break;
            case ChannelState::in_flight:
                ++in_flight;
                require(records_[channel.batch].channel == handle, "dispatcher 2: a batch in flight knows its channel");
                break;
            case ChannelState::backing_off:
                ++retries;
                require(retries_[channel.retry].target == handle && retries_[channel.retry].is_channel,
                        "dispatcher 1: a channel that backs off has its retry");
                break;
        }
    });
    require(silence_.size() == channels_.size() && names_.size() == channels_.size(),
            "dispatcher 1: every channel has a name and a deadline");
    require(watches == watch_tree_.watches(), "dispatcher 3: every watch belongs to a channel");
    require(retries == retries_.size(), "dispatcher 1: every retry belongs to a channel or a watch");
    require(ready == ready_channels_.size(), "dispatcher 1: exactly the ready channels are in their queue");
    require(in_flight == unanswered_.size(), "dispatcher 2: exactly the channels in flight have a batch");
    ready_channels_.verify(channels_, "dispatcher 1: the queue of ready channels is broken", [](Handle) {});
    Nanoseconds sent = std::numeric_limits<Nanoseconds>::min();
    unanswered_.verify(last_ticket_, [&](Handle handle) {
        const BatchRecord& record = records_[handle];
        require(record.sent_at >= sent, "dispatcher 5: unanswered batches stand in the order they were sent");
        sent = record.sent_at;
        require(record.own_pins > 0 && record.pins.load(std::memory_order_relaxed) > 0,
                "dispatcher 2: an unanswered batch is pinned");
    });
    names_.verify(HashedHandle::hash_of, "dispatcher 1: the probes of the channels' names");
    retries_.verify();
}

}  // namespace watchtree::core
