// engine.h: a dispatcher for any number of threads: takes the lock, reads the clock, hands batches over.
//
// Owns        the watch tree and the dispatcher. Shares the group, the clock and the courier.
// Threads     any. The courier and the waker are called with no lock held; one hand-over at a time.
// Life        a batch may outlive the dispatcher it came from. retire() ends the dispatcher; the memory goes when the last
//             batch is given back.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dispatch/dispatcher.h"
#include "core/engine/forward_clock.h"
#include "core/engine/group.h"
#include "core/engine/recorder.h"
#include "core/watch/watch_tree.h"
#include "watchtree/clock.h"
#include "watchtree/config.h"

namespace watchtree::core {

// Carries batches to the transport.
class Courier {
  public:
    // False: it failed, and was reported. An exception interrupts the program: it leaves deliver(), and the batches that
    // were not handed over yet wait for the next one.
    [[nodiscard]] virtual bool hand_over(BatchRecord& record) = 0;

    virtual ~Courier() = default;
};

// What became of an answer, and whether the next part of a cut batch waits in the outbox.
struct Answered {
    Outcome outcome;
    bool must_deliver;
};

// One place where watches hang.
struct HolderView {
    std::string key;
    bool mounted;  // else the key is missing
    std::uint32_t watches;
    Index index;  // of its key's state
    bool queued;  // in the queue of changed holders
};

class Engine;
struct Retire {
    void operator()(Engine* engine) const noexcept;
};
using EngineOwner = std::unique_ptr<Engine, Retire>;

class Engine {
  public:
    [[nodiscard]] static EngineOwner make(std::shared_ptr<Group> group, const Config& config,
                                          std::shared_ptr<Clock> clock, std::shared_ptr<Courier> courier);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    void retire() noexcept;  // by its owner

    [[nodiscard]] Group& group() noexcept { return *group_; }
    [[nodiscard]] Courier& courier() noexcept { return *courier_; }

    Status sync(std::string_view channel, std::span<const Known> known, bool replace, Synced& synced, std::size_t& bad);
    [[nodiscard]] std::uint32_t touch(std::string_view channel);
    bool close(std::string_view channel);
    void reset();

    // One step; the batches wait until deliver().
    [[nodiscard]] bool step();
    void deliver();

    // By the ticket, or by the record, which must be pinned.
    Answered acknowledge(std::uint64_t ticket);
    Answered acknowledge(BatchRecord& record);
    Answered acknowledge(std::uint64_t ticket, std::span<const std::int64_t> results, std::string& culprit);
    Answered acknowledge(BatchRecord& record, std::span<const std::int64_t> results, std::string& culprit);
    Answered remove_all(std::uint64_t ticket);
    Answered remove_all(BatchRecord& record);
    Answered fail(std::uint64_t ticket, Failure failure);
    Answered fail(BatchRecord& record, Failure failure);
    void raised(std::uint64_t ticket);  // the transport, when it was handed this batch

    // Batches that were handed over. The one who keeps a record pins it, while it is handed over, and gives it back later.
    static void pin(BatchRecord& record) noexcept { record.pins.fetch_add(1, std::memory_order_relaxed); }
    void give_back(BatchRecord& record) noexcept;

    void set_waker(std::shared_ptr<Waker> waker);

    [[nodiscard]] std::uint64_t epoch();
    [[nodiscard]] DispatcherStats stats();
    [[nodiscard]] std::optional<ChannelStats> channel_stats(std::string_view channel);
    [[nodiscard]] std::vector<std::string> channels();
    [[nodiscard]] std::optional<std::vector<std::pair<std::string, Index>>> watches(std::string_view channel);
    [[nodiscard]] std::vector<HolderView> holders();  // in key order
    // Nanoseconds until there is something to do, 0 now; none: nothing unless something changes.
    [[nodiscard]] std::optional<Nanoseconds> next_deadline();
    [[nodiscard]] Memory memory();
    void verify();

  private:
    friend class Group;
    friend class Recorder;
    friend class Replay;
    friend class Turn;

    Engine(std::shared_ptr<Group> group, const Config& config, std::shared_ptr<Clock> clock,
           std::shared_ptr<Courier> courier);
    ~Engine() = default;

    [[nodiscard]] bool begin_recorded_hand_over(BatchRecord& record);
    [[nodiscard]] std::vector<BatchRecord*>* start_delivery();
    [[nodiscard]] std::vector<BatchRecord*>* end_delivery(std::size_t done, bool interrupted);

    // The rest: in a turn.
    [[nodiscard]] std::shared_ptr<Waker> waker_if_due() noexcept;
    void arm() noexcept;  // Requires: not armed.
    void disarm() noexcept;
    void reset_in_turn() noexcept { dispatcher_.reset(); }
    void set_recorder(std::shared_ptr<Recorder> recorder) noexcept;
    void record_to(Recording* recording) noexcept;  // null: nowhere
    void end_recorded(std::uint64_t outcome, Nanoseconds elapsed = 0) noexcept {
        if (recording_ != nullptr) [[unlikely]]
            write_end(outcome, elapsed);
    }
    void write_end(std::uint64_t outcome, Nanoseconds elapsed) noexcept;
    [[nodiscard]] Outcome recorded(Outcome outcome) noexcept {
        end_recorded(static_cast<std::uint64_t>(outcome));
        return outcome;
    }
    Outcome acknowledge_in_turn(BatchRecord* record, std::uint64_t ticket);
    Outcome acknowledge_in_turn(BatchRecord* record, std::uint64_t ticket, std::span<const std::int64_t> results,
                                std::string& culprit);
    Outcome remove_all_in_turn(BatchRecord* record, std::uint64_t ticket);
    Outcome fail_in_turn(Event event, BatchRecord* record, std::uint64_t ticket, Failure failure);
    void verify_in_turn();
    [[nodiscard]] bool is_unused() const noexcept {
        return retired_ && !delivering_ && dispatcher_.records_in_use() == 0;
    }
    [[nodiscard]] Answered answered(Outcome outcome) const noexcept { return {outcome, must_deliver()}; }
    [[nodiscard]] bool must_deliver() const noexcept { return !delivering_ && !dispatcher_.outbox_is_empty(); }

    std::shared_ptr<Group> group_;
    ForwardClock clock_;
    std::shared_ptr<Courier> courier_;
    std::optional<WatchTree> watch_tree_;  // none once retired
    Dispatcher dispatcher_;
    std::shared_ptr<Recorder> recorder_;
    Recording* recording_ = nullptr;        // the recorder's, or that of a replay
    std::atomic<bool> is_recorded_{false};  // the same, for a look without the lock
    bool delivering_ = false;
    bool retired_ = false;
    std::shared_ptr<Waker> waker_;
    bool armed_ = false;    // a step left nothing to do, and nobody was woken since
    Nanoseconds told_ = 0;  // when whoever would be woken calls anyway
    const Nanoseconds dispatch_interval_;
};

}  // namespace watchtree::core
