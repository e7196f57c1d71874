// dispatcher.h: brings every channel the newest state of what it watches, in bounded steps (contract §2 and §3).
//
// Owns        channels, ready channels, retries, batches, the outbox. Borrows the tree and the watch tree, which must
//             outlive it.
// Threads     none; every call is made under the engine's lock. Never calls out: batches go to the outbox.
// Invariants  1. a channel is in exactly the queue that its state names, and has a watch.
//             2. at most one batch of a channel is unanswered, and only its ticket is listened to.
//             3. a watch is idle, ready, in flight or backing off, never two of them.
//             4. an idle channel has an empty ready set, a ready one has not.
//             5. unanswered batches stand in the order they were sent, channels in the order of their last activity: with
//                one time-out for each kind, that is the order of their deadlines.
// Order       queues are first in, first out; no unordered container is walked where its order could be seen. `now` is an
//             argument, never read here, and never goes backwards.
// Cost        step(): at most max_batch_size visits in each of five parts, no allocation for a visit. An answer:
//             O(notifications in the batch). sync(): O(keys named), with replace O(watches of the channel).
// Errors      Status before anything was touched. Out of memory is std::bad_alloc: every structure stays consistent, a
//             sync may then be half done.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/intrusive_list.h"
#include "core/base/probe_table.h"
#include "core/base/slab.h"
#include "core/dispatch/batch_record.h"
#include "core/dispatch/channel.h"
#include "core/dispatch/retries.h"
#include "core/dispatch/unanswered.h"
#include "core/trace/recording.h"
#include "core/tree/tree.h"
#include "core/watch/watch_tree.h"
#include "watchtree/config.h"
#include "watchtree/known.h"
#include "watchtree/stats.h"

namespace watchtree::core {

// What became of an answer.
enum class Outcome : std::uint8_t { ignored, counted, wrong_count };

// What a channel watches: the key and its notified index.
struct WatchedKey {
    BufferRef key;
    Index notified;
};

class Dispatcher {
  public:
    Dispatcher(Tree& tree, WatchTree& watch_tree, const Config& config);
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;
    ~Dispatcher();

    // Registration. bad: the position of the item that is to blame, where there is one.
    Status sync(std::string_view channel, std::span<const Known> known, bool replace, Nanoseconds now,
                std::size_t& bad);
    [[nodiscard]] std::uint32_t touch(std::string_view channel, Nanoseconds now) noexcept;
    bool close(std::string_view channel) noexcept;
    void reset() noexcept;

    // One bounded step: false if a limit cut something short.
    [[nodiscard]] bool step(Nanoseconds now);

    // Answers. results: one for each notification; without, all are ok.
    // The record of a ticket that was given out and not answered, null for any other. An answer for null is ignored.
    [[nodiscard]] BatchRecord* find_unanswered(std::uint64_t ticket) const noexcept { return unanswered_.find(ticket); }
    // record: pinned, or just found; it is ignored if it is not unanswered any more.
    // culprit: gets the name of the channel that was closed for a wrong number of results.
    Outcome acknowledge(BatchRecord* record, Nanoseconds now) noexcept;
    Outcome acknowledge(BatchRecord* record, std::span<const std::int64_t> results, Nanoseconds now,
                        std::string& culprit);
    Outcome remove_all(BatchRecord* record) noexcept;
    Outcome fail(BatchRecord* record, Failure failure, Nanoseconds now);

    // Delivery. Batches that were built wait in the outbox, each with a pin; the one who hands them over moves them, all at
    // once, into the list of those being handed over, where closing a channel still finds and cancels them.
    [[nodiscard]] bool outbox_is_empty() const noexcept { return outbox_.empty(); }
    [[nodiscard]] std::vector<BatchRecord*>& take_outbox() noexcept;  // Requires: the last ones taken are done.
    void done_until(std::size_t position) noexcept;                   // unpins those before it, puts back the others
    void drop_outbox() noexcept;
    void unpin(BatchRecord& record) noexcept;
    // Requires: the last pin is gone.
    void recycle(BatchRecord& record) noexcept;
    [[nodiscard]] std::uint32_t records_in_use() const noexcept { return records_.size() - spares_; }

    // What there is to do, but for handing over.
    [[nodiscard]] bool has_work() const noexcept { return watch_tree_.has_changed() || !ready_channels_.empty(); }
    // When a deadline comes; none if there is nothing to wait for.
    [[nodiscard]] std::optional<Nanoseconds> next_deadline() noexcept;

    // Numbers.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
    [[nodiscard]] DispatcherStats stats() const;
    [[nodiscard]] std::optional<ChannelStats> channel_stats(std::string_view channel);
    [[nodiscard]] std::vector<BufferRef> channels();
    [[nodiscard]] bool watches(std::string_view channel, std::vector<WatchedKey>& watches);
    [[nodiscard]] Memory memory();
    void count_step_time(Nanoseconds duration) noexcept;

    // What follows from a call goes to the recording, which must outlive its use here; null: nowhere.
    [[nodiscard]] const Config& config() const noexcept { return config_; }
    void record_to(Recording* recording) noexcept {
        recording_ = recording;
        coalesced_before_ = coalesced();
    }
    [[nodiscard]] Ending ending(std::uint64_t outcome) const noexcept;
    [[nodiscard]] std::uint32_t busiest_part() const noexcept { return busiest_part_; }
    // Whether it is as one just made, for all that a recording of it can show.
    [[nodiscard]] bool is_new() const noexcept { return last_ticket_ == 0 && epoch_ == 1 && channels_.size() == 0; }

    void verify();

  private:
    static Links& ready_channel_links(Channel& channel) noexcept { return channel.in_ready; }
    static Links& silence_links(Channel& channel) noexcept { return channel.in_silence; }
    using ReadyChannels = IntrusiveList<Channel, ready_channel_links>;
    using Silence = IntrusiveList<Channel, silence_links>;

    // Registration (registration.cc).
    [[nodiscard]] Status check(std::span<const Known> known, std::size_t& bad);
    [[nodiscard]] bool is_named_before(std::span<const Known> known, std::size_t position) noexcept;
    void trim_scratch() noexcept;
    void apply(Handle channel, std::span<const Known> known, bool replace);
    [[nodiscard]] Handle find_channel(std::string_view name) const noexcept;
    [[nodiscard]] Handle make_channel(std::string_view name, Nanoseconds now);
    void count_activity(Handle handle, Channel& channel, Nanoseconds now) noexcept;
    void unwatch(Handle channel, std::string_view key, std::uint32_t hash) noexcept;
    void watch(Handle channel, const Known& known, std::uint32_t hash, bool name_it);
    void register_again(Handle watch) noexcept;
    void drop_unnamed(Handle channel);
    [[nodiscard]] Handle find_watch(const Channel& channel, Handle holder) const noexcept;
    void drop(Handle watch) noexcept;
    void end_state(Handle watch) noexcept;
    void close_channel(Handle channel) noexcept;

    // Moves between states (states.cc).
    void become_ready(Handle handle, Watch& watch, Channel& channel) noexcept;
    void become_idle(Watch& watch) noexcept;
    void back_off(Handle watch, Nanoseconds now) noexcept;
    void join_ready_channels(Handle handle, Channel& channel) noexcept;
    void leave_ready_channels(Handle channel) noexcept;
    void back_off_channel(Handle channel, Nanoseconds now) noexcept;
    void stop_backing_off(Watch& watch) noexcept;
    [[nodiscard]] std::uint64_t coalesced() const noexcept { return counters_.coalesced + watch_tree_.coalesced(); }
    [[nodiscard]] std::uint32_t lane_of(std::uint32_t failures) const noexcept;

    // The step (step.cc).
    [[nodiscard]] bool end_part(std::uint32_t items, bool complete) noexcept;
    [[nodiscard]] bool fail_overdue(Nanoseconds now);
    [[nodiscard]] bool close_silent(Nanoseconds now) noexcept;
    [[nodiscard]] bool look_at_changed() noexcept;
    void retry_channel(Handle channel, Nanoseconds now);
    void retry_watch(Handle watch, Nanoseconds now);
    [[nodiscard]] bool serve_ready(Nanoseconds now);
    [[nodiscard]] bool serve_retries(Nanoseconds now);
    void look_at(Handle handle, Watch& watch) noexcept;  // Requires: due.

    // Building batches (batch_builder.cc).
    // A record with room for a batch of the channel, so that nothing can fail once the channel leaves its state.
    [[nodiscard]] BatchRecord& prepare(const Channel& channel) {
        if (spare_ == nullptr || outbox_.size() == outbox_.capacity() || !unanswered_.has_room(last_ticket_ + 1) ||
            spare_->entries.capacity() <= channel.ready.size())
            return make_room(channel);
        return take_spare();
    }
    [[nodiscard]] BatchRecord& make_room(const Channel& channel);
    void put_spare(BatchRecord& record) noexcept {
        record.next_spare = spare_;
        spare_ = &record;
        ++spares_;
    }
    [[nodiscard]] BatchRecord& take_spare() noexcept {
        BatchRecord& record = *spare_;
        spare_ = record.next_spare;
        --spares_;
        return record;
    }
    void send_or_idle(Handle handle, Channel& channel, BatchRecord& record, Nanoseconds now) noexcept;
    void fill(BatchRecord& record, Channel& channel) noexcept;
    void keep_spare(BatchRecord& record) noexcept;
    void withdraw(BatchRecord& record) noexcept;
    void cancel_undelivered(const Buffer* name) noexcept;
    void record_batch(const BatchRecord& record) noexcept;
    void record_move(Event event, const Channel& channel) noexcept {
        if (recording_ != nullptr) [[unlikely]]
            recording_->channel_moved(event, channel.name->view());
    }
    void free_spare() noexcept;

    // Answers (answers.cc).
    [[nodiscard]] bool listens_to(const BatchRecord* record) noexcept;
    void forget(BatchRecord& record, Channel& channel) noexcept;
    void begin_acknowledgement(BatchRecord& record, Channel& channel, Nanoseconds now) noexcept;
    void end_acknowledgement(BatchRecord& record, Handle handle, Channel& channel, Nanoseconds now) noexcept;
    void apply_ok(const BatchEntry& entry, Watch& watch, Channel& channel, Nanoseconds now) noexcept;
    void apply_result(const BatchEntry& entry, std::int64_t result, Channel& channel, Nanoseconds now) noexcept;
    void count_latency(Channel& channel, std::uint32_t stamp, Nanoseconds now) noexcept;
    void continue_after_answer(Handle handle, Channel& channel, bool more, Nanoseconds now) noexcept;
    void fail_record(BatchRecord& record, Failure failure, Nanoseconds now);

    [[nodiscard]] static std::uint32_t hash_holder(Handle holder) noexcept { return holder * 0x9E3779B1u; }

    Tree& tree_;
    WatchTree& watch_tree_;
    const Config config_;
    Recording* recording_ = nullptr;
    std::uint64_t coalesced_before_ = 0;  // the recording
    std::uint64_t epoch_ = 1;
    bool resetting_ = false;

    Slab<Channel> channels_{max_channels};
    ProbeTable<HashedHandle> names_;
    ReadyChannels ready_channels_;
    Silence silence_;
    Retries retries_;

    Slab<BatchRecord> records_;
    Unanswered unanswered_{records_};
    BatchRecord* spare_ = nullptr;  // the last one that was kept comes first: it is still near
    std::uint32_t spares_ = 0;
    std::uint64_t last_ticket_ = 0;
    std::vector<BatchRecord*> outbox_;
    std::vector<BatchRecord*> handing_over_;

    std::vector<std::uint32_t> hashes_;  // of the keys of the sync at hand
    std::vector<std::uint32_t> places_;  // the same in an open hash table, to find a key named twice
    std::vector<Handle> unnamed_;        // watches that a replacing sync drops

    Counters counters_;
    std::uint64_t steps_ = 0;
    std::uint32_t busiest_part_ = 0;  // of the last step: the most items that one of its parts handled
    std::uint64_t unfinished_steps_ = 0;
    std::uint64_t ignored_answers_ = 0;
    std::uint64_t silent_channels_ = 0;
    Histogram step_time_{};
};

}  // namespace watchtree::core
