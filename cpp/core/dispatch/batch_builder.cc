// Building batches, and their way to the transport (contract §3, batch).
#include <algorithm>

#include "core/dispatch/dispatcher.h"

namespace watchtree::core {

namespace {
constexpr std::uint32_t notification_bytes = 24;
constexpr std::uint32_t max_spare_records = 1024;
constexpr std::size_t max_spare_entries = 128;  // more go back to the allocator; a large batch pays for its own
}  // namespace

BatchRecord& Dispatcher::make_room(const Channel& channel) {
    if (outbox_.size() == outbox_.capacity()) outbox_.reserve(std::max<std::size_t>(16, outbox_.size() * 2));
    unanswered_.reserve();
    if (spare_ == nullptr) {
        const Handle handle = records_.make();
        records_[handle].self = handle;
        put_spare(records_[handle]);
    }
    // One more than is ready now: a retry may add its watch.
    spare_->entries.reserve(
        std::min<std::size_t>(channel.ready.size() + 1, config_.max_batch_bytes / notification_bytes + 1));
    return take_spare();
}

// Requires: the channel is idle and in no queue.
void Dispatcher::send_or_idle(Handle handle, Channel& channel, BatchRecord& record, Nanoseconds now) noexcept {
    fill(record, channel);
    if (record.entries.empty()) {
        channel.failures = 0;
        keep_spare(record);
        record_move(Event::idle, channel);
        return;
    }
    channel.name->retain();
    record.name = channel.name;
    record.channel = handle;
    record.ticket = ++last_ticket_;
    record.epoch = epoch_;
    record.sent_at = now;
    record.cancelled.store(false, std::memory_order_relaxed);
    record.handed_over.store(false, std::memory_order_relaxed);
    record.own_pins = 2;  // the answer's, and the outbox's
    record.pins.store(1, std::memory_order_relaxed);
    channel.state = ChannelState::in_flight;
    channel.batch = record.self;
    unanswered_.add(record);
    outbox_.push_back(&record);

    const std::size_t sent = record.entries.size();
    counters_.sent += sent;
    ++counters_.batches_sent;
    channel.counters.sent += sent;
    ++channel.counters.batches_sent;
    if (record.more) channel.left_by_cut = channel.ready.size();
    if (recording_ != nullptr) [[unlikely]]
        record_batch(record);
}

void Dispatcher::record_batch(const BatchRecord& record) noexcept {
    recording_->batch(record.name->view(), record.ticket, record.size_bytes, record.more, record.entries.size());
    for (const BatchEntry& entry : record.entries)
        recording_->notification(entry.key->view(), entry.state(), entry.index,
                                 entry.value == nullptr ? 0 : entry.value->size());
}

void Dispatcher::fill(BatchRecord& record, Channel& channel) noexcept {
    Slab<Watch>& watches = watch_tree_.records();
    std::uint64_t bytes = 0;  // of the batch so far
    std::uint64_t resent = 0;
    std::uint32_t looked_at = 0;
    Handle next = channel.ready.front();
    record.more = false;
    for (; next != none; ++looked_at) {
        const Handle handle = next;
        Watch& watch = watches[handle];
        const KeyState state = watch_tree_.state_of(watch.holder);
        if (state.index <= watch.notified) {
            next = watch.ready_links.next;
            become_idle(watch);
            continue;
        }
        const Holder& holder = watch_tree_.holder(watch.holder);
        const std::uint64_t more =
            notification_bytes + holder.key->size() + (state.value == nullptr ? 0 : state.value->size());
        if (!record.entries.empty() && bytes + more > config_.max_batch_bytes) {
            record.more = true;
            break;
        }
        bytes += more;
        next = watch.ready_links.next;
        watches.prefetch(next);
        watch.move_to(WatchState::in_flight);
        watch.batch_position = static_cast<Handle>(record.entries.size());
        watch.changed = 0;
        resent += watch.resend;
        holder.key->retain();
        if (state.value != nullptr) state.value->retain();
        record.entries.push_back({holder.key, state.value, state.index, handle,
                                  watch_tree_.stamp_of(holder) & stamp_mask,
                                  static_cast<std::uint32_t>(state.state) & 3});
    }
    if (looked_at != 0) channel.ready.drop_front(watches, next, looked_at);
    record.size_bytes = static_cast<std::uint32_t>(bytes);
    if (resent != 0) {
        counters_.resent += resent;
        channel.counters.resent += static_cast<std::uint32_t>(resent);
    }
}

std::vector<BatchRecord*>& Dispatcher::take_outbox() noexcept {
    WATCHTREE_ASSERT(handing_over_.empty());
    handing_over_.swap(outbox_);
    return handing_over_;
}

void Dispatcher::done_until(std::size_t position) noexcept {
    for (std::size_t i = 0; i < position; ++i) unpin(*handing_over_[i]);
    handing_over_.erase(handing_over_.begin(), handing_over_.begin() + static_cast<std::ptrdiff_t>(position));
    if (!handing_over_.empty()) {
        // Rare: a transport interrupted the program. The rest stays first in line.
        handing_over_.insert(handing_over_.end(), outbox_.begin(), outbox_.end());
        outbox_.clear();
        outbox_.swap(handing_over_);
    }
}

void Dispatcher::drop_outbox() noexcept {
    for (BatchRecord* record : outbox_) unpin(*record);
    outbox_.clear();
}

// Not to be handed over any more: it waited too long for a slow transport. Requires: unanswered.
void Dispatcher::withdraw(BatchRecord& record) noexcept {
    record.cancelled.store(true, std::memory_order_relaxed);
    const auto waiting = std::find(outbox_.begin(), outbox_.end(), &record);
    if (waiting == outbox_.end()) return;
    outbox_.erase(waiting);
    unpin(record);
}

void Dispatcher::cancel_undelivered(const Buffer* name) noexcept {
    const auto cancel = [&](const std::vector<BatchRecord*>& records) {
        for (BatchRecord* record : records)
            if (record->name == name) record->cancelled.store(true, std::memory_order_relaxed);
    };
    cancel(outbox_);
    cancel(handing_over_);
}

// Gives back one of our own pins.
void Dispatcher::unpin(BatchRecord& record) noexcept {
    if (--record.own_pins != 0) return;
    // Mostly nobody else has it, which a load tells for less than a locked instruction.
    if (record.pins.load(std::memory_order_acquire) == 1 || record.pins.fetch_sub(1, std::memory_order_acq_rel) == 1)
        recycle(record);
}

void Dispatcher::recycle(BatchRecord& record) noexcept {
    for (const BatchEntry& entry : record.entries) {
        entry.key->release();
        if (entry.value != nullptr) entry.value->release();
    }
    record.entries.clear();
    record.name->release();
    keep_spare(record);
}

void Dispatcher::keep_spare(BatchRecord& record) noexcept {
    if (channels_.size() == 0 || spares_ >= max_spare_records) {
        records_.free(record.self);
        return;
    }
    if (record.entries.capacity() > max_spare_entries) std::vector<BatchEntry>().swap(record.entries);
    put_spare(record);
}

void Dispatcher::free_spare() noexcept {
    while (spare_ != nullptr) records_.free(take_spare().self);
    unanswered_.give_memory_back();
}

}  // namespace watchtree::core
