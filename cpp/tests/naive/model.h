// model.h: a tree with one dispatcher, word by word from contract §1 to §3: obvious before fast, and copied with `=`.
//
// Methods have the names and arguments of watchtree::Tree and watchtree::Dispatcher. It measures no durations.
// Order       nothing is walked but in the contract's order, or where the order cannot be seen.
// Cost        that of std::map and of searches from the front; for a handful of keys and channels.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/naive/batch.h"
#include "tests/naive/deadlines.h"
#include "tests/naive/holders.h"
#include "tests/naive/tree.h"
#include "watchtree/known.h"
#include "watchtree/stats.h"

namespace watchtree::naive {

using Phase = ChannelState;  // a watch has the same four

inline constexpr Index never = -1;

struct Watch {
    std::uint64_t registration;  // names its generation, and its place on its holder
    Index notified = never;
    Phase phase = Phase::idle;
    std::uint32_t failure_count = 0;
    bool is_unacknowledged = false;    // its last sending, in this registration, was not acknowledged
    bool was_found_in_flight = false;  // phase 1 found it due while its batch was unanswered
};

// A watch as it stands in a batch.
struct SentWatch {
    std::string key;
    std::uint64_t registration;
    Index index;
};

struct Sending {
    std::uint64_t ticket;
    std::vector<SentWatch> watches;
    bool more;
};

struct Channel {
    Phase phase = Phase::idle;
    std::map<std::string, Watch, KeyOrder> watches;
    Keys ready;                      // in the order in which they became ready
    std::uint64_t left_by_cut = 0;   // of those that were ready at the first cut, how many were not looked at yet
    std::optional<Sending> sending;  // the batch in flight
    std::uint32_t failure_count = 0;
    Counters counters;
};

// What waits for its next try: a channel, or one watch of it.
struct Retry {
    std::string channel;
    std::optional<std::string> key;

    bool operator==(const Retry&) const = default;
};

// The holder whose turn it is, and its watch that was looked at last.
struct CutHolder {
    std::string key;
    std::uint64_t looked_at;
};

class Model {
  public:
    explicit Model(const Config& config);

    // Where batches go, and the time. Borrowed: a copy must be given its own.
    Receiver* receiver = nullptr;
    Nanoseconds clock = 0;

    // The tree.
    Change change(const Operation& operation, AskedIndex asked = {});
    Status batch(std::span<const Operation> operations, std::vector<Change>& changes, AskedIndex asked = {});
    [[nodiscard]] Tree snapshot() const { return tree_; }
    Status restore(const Tree& image);
    [[nodiscard]] const Tree& tree() const { return tree_; }

    // The dispatcher.
    Status sync(std::string_view name, std::span<const Known> known, bool replace, Synced* synced, std::size_t* bad);
    bool dispatch();
    bool acknowledge(std::uint64_t ticket);
    bool acknowledge(std::uint64_t ticket, std::span<const std::int64_t> results);
    bool remove_all(std::uint64_t ticket);
    bool fail(std::uint64_t ticket, Failure reason);
    std::uint32_t touch(std::string_view name);
    bool close(std::string_view name);
    void reset();

    [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
    [[nodiscard]] DispatcherStats stats() const;
    [[nodiscard]] std::optional<ChannelStats> channel(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> channels() const;
    [[nodiscard]] std::optional<std::vector<std::pair<std::string, Index>>> watches(std::string_view name) const;
    [[nodiscard]] std::optional<Nanoseconds> next_deadline() const;

    // For those who choose what to do next.
    [[nodiscard]] Index index_of(const std::string& key) const { return holders_.index(tree_, key); }
    [[nodiscard]] std::uint64_t tickets() const { return tickets_; }  // given out so far
    [[nodiscard]] const Sending* in_flight(const std::string& name) const;
    // The first moment that has not come yet.
    [[nodiscard]] std::optional<Nanoseconds> next_moment() const;

  private:
    friend class Form;

    Nanoseconds read_clock();
    void queue_changed(const Keys& changed);

    // Registration (§2), in registration.cc.
    Status check_known(std::span<const Known> known, std::size_t& bad) const;
    void register_watch(const std::string& name, const std::string& key, Index index);
    void begin_again(const std::string& name, const std::string& key);
    void drop(const std::string& name, const std::string& key);
    void shut(const std::string& name);

    // The step (§3), in step.cc. Each part answers whether the limit cut it short.
    bool handle_overdue_answers();
    bool handle_silent_channels();
    bool look_at_changed_holders();
    bool serve_ready_channels();
    bool serve_retries();
    [[nodiscard]] std::vector<Place> rest_of_cut_holder() const;
    void look_at(const Place& place, const std::string& key);
    void retry_watch(const std::string& name, const std::string& key);

    // Becoming ready, being sent, in sending.cc.
    [[nodiscard]] bool is_due(const std::string& name, const std::string& key) const;
    [[nodiscard]] Told state_of(const std::string& key) const;
    void make_idle(Watch& watch);
    void join_ready_set(Channel& channel, const std::string& key);
    void make_ready(const std::string& name, const std::string& key);
    void join_ready_channels(const std::string& name);
    void serve(const std::string& name);
    void begin_flight(const std::string& name, const std::vector<Told>& notifications, bool more);
    void hand_over();

    // Answers (§3), in answers.cc.
    [[nodiscard]] const std::string* channel_of(std::uint64_t ticket);
    void apply_results(const std::string& name, const std::vector<std::int64_t>& results);
    void apply_result(const std::string& name, const SentWatch& sent, std::int64_t result);
    void fail_sending(const std::string& name, Failure reason);
    void count_change_that_waits_for_the_retry(Channel& channel, Watch& watch);
    [[nodiscard]] bool still_counts(const std::string& name, const SentWatch& sent) const;
    [[nodiscard]] Nanoseconds backoff(std::uint32_t failures) const;

    void count(Channel& channel, std::uint64_t Counters::* counter, std::uint64_t by = 1) {
        channel.counters.*counter += by;
        totals_.*counter += by;
    }

    Config config_;
    Tree tree_;
    Nanoseconds now_ = 0;
    std::uint64_t epoch_ = 1;
    std::uint64_t tickets_ = 0;
    std::uint64_t registrations_ = 0;
    DispatcherStats totals_;  // only what is counted over all epochs
    bool is_handing_over_ = false;
    std::vector<HandedOver> outbox_;

    // What an epoch ends.
    std::map<std::string, Channel> channels_;
    Holders holders_;
    Keys changed_;  // the queue of changed holders
    std::optional<CutHolder> cut_;
    std::vector<std::string> ready_;  // the queue of ready channels
    Deadlines<std::string> answers_;  // of channels in flight
    Deadlines<std::string> silences_;
    Deadlines<Retry> retries_;
};

}  // namespace watchtree::naive
