// Registration: sync, touch, close, reset (contract §2, and the end of §3).
#include <algorithm>
#include <bit>
#include <limits>

#include "core/dispatch/dispatcher.h"
#include "core/tree/key.h"

namespace watchtree::core {

namespace {
constexpr std::size_t max_kept_scratch = 1u << 14;  // items; a larger sync gives its memory back
}  // namespace

Status Dispatcher::sync(std::string_view name, std::span<const Known> known, bool replace, Nanoseconds now,
                        std::size_t& bad) {
    struct Trim {
        Dispatcher& dispatcher;
        ~Trim() { dispatcher.trim_scratch(); }
    } const trim{*this};
    const Status status = check(known, bad);
    if (status != Status::ok) return status;

    Handle channel = find_channel(name);
    if (channel == none) {
        if (std::none_of(known.begin(), known.end(), [](const Known& k) { return k.index >= 0; })) return Status::ok;
        channel = make_channel(name, now);
    } else {
        count_activity(channel, channels_[channel], now);
    }
    try {
        apply(channel, known, replace);
    } catch (...) {  // out of memory: what was registered stays, and is consistent
        channels_[channel].watches.for_each([&](Handle watch) { watch_tree_.watch(watch).named = 0; });
        if (channels_[channel].watches.size() == 0) close_channel(channel);
        throw;
    }
    if (channels_[channel].watches.size() == 0) close_channel(channel);
    return Status::ok;
}

void Dispatcher::apply(Handle channel, std::span<const Known> known, bool replace) {
    for (std::size_t i = 0; i < known.size(); ++i) {
        tree_.prefetch_ahead(hashes_, i);
        if (known[i].index < 0) {
            unwatch(channel, known[i].key, hashes_[i]);
        } else {
            watch(channel, known[i], hashes_[i], replace);
        }
    }
    if (replace) drop_unnamed(channel);
}

Status Dispatcher::check(std::span<const Known> known, std::size_t& bad) {
    hashes_.resize(known.size());
    places_.assign(std::bit_ceil(known.size() * 2), none);
    for (bad = 0; bad < known.size(); ++bad) {
        const Status status = check_key(known[bad].key, config_.max_key_bytes);
        if (status != Status::ok) return status;
        if (known[bad].index < -1) return Status::index_out_of_range;
        hashes_[bad] = hash_bytes(known[bad].key);
        if (is_named_before(known, bad)) return Status::duplicate_key;
    }
    return Status::ok;
}

bool Dispatcher::is_named_before(std::span<const Known> known, std::size_t position) noexcept {
    const std::size_t mask = places_.size() - 1;
    for (std::size_t i = hashes_[position] & mask;; i = (i + 1) & mask) {
        if (places_[i] == none) {
            places_[i] = static_cast<std::uint32_t>(position);
            return false;
        }
        if (hashes_[places_[i]] == hashes_[position] && known[places_[i]].key == known[position].key) return true;
    }
}

void Dispatcher::trim_scratch() noexcept {
    if (hashes_.capacity() <= max_kept_scratch && unnamed_.capacity() <= max_kept_scratch) return;
    std::vector<std::uint32_t>().swap(hashes_);
    std::vector<std::uint32_t>().swap(places_);
    std::vector<Handle>().swap(unnamed_);
}

Handle Dispatcher::find_channel(std::string_view name) const noexcept {
    const std::uint32_t hash = hash_bytes(name);
    const auto* slot = names_.find(
        hash, [&](const HashedHandle::Slot& s) { return s.hash == hash && channels_[s.handle].name->equals(name); });
    return slot == nullptr ? none : slot->handle;
}

Handle Dispatcher::make_channel(std::string_view name, Nanoseconds now) {
    names_.reserve(HashedHandle::hash_of);
    BufferRef bytes = BufferRef::adopt(Buffer::make(name));
    const Handle handle = channels_.make();
    Channel& channel = channels_[handle];
    channel.name = bytes.leave();
    channel.last_activity = now;
    const std::uint32_t hash = hash_bytes(name);
    names_.insert(hash, {hash, handle}, HashedHandle::hash_of);
    silence_.push_back(channels_, handle);
    return handle;
}

void Dispatcher::count_activity(Handle handle, Channel& channel, Nanoseconds now) noexcept {
    channel.last_activity = now;
    silence_.move_to_back(channels_, handle);
}

Handle Dispatcher::find_watch(const Channel& channel, Handle holder) const noexcept {
    const Handle* slot = channel.watches.find(hash_holder(holder),
                                              [&](Handle watch) { return watch_tree_.watch(watch).holder == holder; });
    return slot == nullptr ? none : *slot;
}

void Dispatcher::watch(Handle channel_handle, const Known& known, std::uint32_t hash, bool name_it) {
    const auto hash_of = [&](Handle watch) { return hash_holder(watch_tree_.watch(watch).holder); };
    Channel& channel = channels_[channel_handle];
    channel.watches.reserve(hash_of);
    const Handle holder = watch_tree_.holder_for(known.key, hash);
    Handle handle = watch_tree_.holder(holder).watch_count == 0 ? none : find_watch(channel, holder);
    if (handle == none) {
        handle = watch_tree_.hang(holder, channel_handle, known.index == 0 ? -1 : known.index);
        channel.watches.insert(hash_holder(holder), handle, hash_of);
        Watch& made = watch_tree_.watch(handle);
        if (watch_tree_.is_due(made)) become_ready(handle, made, channel);
    } else if (known.index == 0) {
        register_again(handle);
    } else {
        Watch& watch = watch_tree_.watch(handle);
        watch.notified = known.index;
        if (watch.state() == WatchState::idle && watch_tree_.is_due(watch)) become_ready(handle, watch, channel);
    }
    watch_tree_.watch(handle).named = name_it;
    if (channel.state == ChannelState::idle && !channel.ready.empty()) join_ready_channels(channel_handle, channel);
}

// A new generation of the watch: nothing of the old one counts any more.
void Dispatcher::register_again(Handle handle) noexcept {
    Watch& watch = watch_tree_.watch(handle);
    const bool keeps_its_place = watch.state() == WatchState::ready;
    if (!keeps_its_place) end_state(handle);
    watch.notified = -1;
    watch.unacknowledged = 1;
    watch.failures = 0;
    watch.changed = 0;
    watch.resend = 0;
    watch_tree_.move_to_back(handle);
    if (!keeps_its_place) become_ready(handle, watch, channels_[watch.channel]);
}

void Dispatcher::unwatch(Handle channel, std::string_view key, std::uint32_t hash) noexcept {
    const Handle holder = watch_tree_.find_holder(key, hash);
    if (holder == none) return;
    const Handle watch = find_watch(channels_[channel], holder);
    if (watch != none) drop(watch);
}

void Dispatcher::drop_unnamed(Handle channel) {
    unnamed_.clear();
    channels_[channel].watches.for_each([&](Handle handle) {
        Watch& watch = watch_tree_.watch(handle);
        if (!watch.named) unnamed_.push_back(handle);
        watch.named = 0;
    });
    for (const Handle watch : unnamed_) drop(watch);
}

void Dispatcher::drop(Handle handle) noexcept {
    end_state(handle);
    const Watch& watch = watch_tree_.watch(handle);
    ProbeTable<BareHandle>& watches = channels_[watch.channel].watches;
    Handle* slot = watches.find(hash_holder(watch.holder), [&](Handle other) { return other == handle; });
    const auto hash_of = [&](Handle other) { return hash_holder(watch_tree_.watch(other).holder); };
    watches.erase(slot, hash_of);
    watches.trim(hash_of);
    watch_tree_.drop(handle);
}

std::uint32_t Dispatcher::touch(std::string_view name, Nanoseconds now) noexcept {
    const Handle channel = find_channel(name);
    if (channel == none) return 0;
    count_activity(channel, channels_[channel], now);
    return channels_[channel].watches.size();
}

bool Dispatcher::close(std::string_view name) noexcept {
    const Handle channel = find_channel(name);
    if (channel == none) return false;
    close_channel(channel);
    return true;
}

void Dispatcher::close_channel(Handle handle) noexcept {
    Channel& channel = channels_[handle];
    switch (channel.state) {
        case ChannelState::idle: break;
        case ChannelState::ready: leave_ready_channels(handle); break;
        case ChannelState::in_flight: break;
        case ChannelState::backing_off: retries_.cancel(channel.retry); break;
    }
    channel.watches.for_each([&](Handle watch) {
        end_state(watch);
        watch_tree_.drop(watch);
    });
    if (channel.answered_early && !resetting_) cancel_undelivered(channel.name);
    if (channel.state == ChannelState::in_flight) {
        BatchRecord& record = records_[channel.batch];
        record.cancelled.store(true, std::memory_order_relaxed);
        forget(record, channel);
        unpin(record);
    }
    const std::uint32_t hash = hash_bytes(channel.name->view());
    names_.erase(names_.find(hash, [&](const HashedHandle::Slot& slot) { return slot.handle == handle; }),
                 HashedHandle::hash_of);
    names_.trim(HashedHandle::hash_of);
    silence_.erase(channels_, handle);
    record_move(Event::closed, channel);
    channel.name->release();
    channels_.free(handle);
    if (channels_.size() == 0) free_spare();
}

void Dispatcher::reset() noexcept {
    for (const auto* records : {&outbox_, &handing_over_})
        for (BatchRecord* record : *records) record->cancelled.store(true, std::memory_order_relaxed);
    resetting_ = true;  // so that no channel looks for its own among them
    while (!silence_.empty()) close_channel(silence_.front());
    resetting_ = false;
    watch_tree_.forget_stamp();
    ++epoch_;
}

}  // namespace watchtree::core
