#include "core/engine/replay.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/trace/call.h"
#include "core/trace/recording.h"

namespace watchtree::core {

// An engine that is recorded anew, and whose batches go where the log says.
class Replay {
  public:
    Replay(Engine& engine, std::size_t longest_call)
        : engine_(engine), recording_(Recording::of_last_call(longest_call)) {
        const Turn turn(engine_.group());
        engine_.record_to(&recording_);
    }
    Replay(const Replay&) = delete;
    Replay& operator=(const Replay&) = delete;
    ~Replay() {
        if (records_ != nullptr) (void)engine_.end_delivery(position_, true);
        const Turn turn(engine_.group());
        engine_.record_to(nullptr);
    }

    [[nodiscard]] static bool is_possible(Engine& engine) {
        const Turn turn(engine.group());
        return engine.recording_ == nullptr && engine.dispatcher_.is_new();
    }

    // Whether the same followed as when it was recorded.
    [[nodiscard]] bool make(const Call& call) {
        if (!call_again(call)) return false;
        CallReader made(recording_.last_call(), 0);
        return made.next(made_) && made_.event == call.event && made_.compared == call.compared;
    }

  private:
    [[nodiscard]] bool call_again(const Call& call);
    [[nodiscard]] bool hand_over(std::uint64_t ticket);

    Engine& engine_;
    Recording recording_;
    Call made_;
    std::vector<BatchRecord*>* records_ = nullptr;  // being handed over
    std::size_t position_ = 0;
};

// False for a call that cannot have been made as the log says.
bool Replay::call_again(const Call& call) {
    Group& group = engine_.group();
    std::string culprit;
    switch (call.event) {
        case Event::put:
        case Event::mkdir:
        case Event::remove:
        case Event::compare_and_set: (void)group.change(call.operations.front().operation, call.asked); return true;
        case Event::changes: {
            std::vector<Operation> operations;
            for (const RecordedOperation& each : call.operations) operations.push_back(each.operation);
            std::vector<Change> changes;
            Index index = 0;
            (void)group.batch(operations, call.asked, changes, index);
            return true;
        }
        case Event::restore: (void)group.restore(call.image); return true;
        case Event::sync: {
            Synced synced{};
            std::size_t bad = 0;
            (void)engine_.sync(call.channel, call.known, call.replace, synced, bad);
            return true;
        }
        case Event::touch: (void)engine_.touch(call.channel); return true;
        case Event::close: (void)engine_.close(call.channel); return true;
        case Event::reset: engine_.reset(); return true;
        case Event::dispatch: (void)engine_.step(); return true;
        case Event::hand_over: return hand_over(call.ticket);
        case Event::acknowledge: (void)engine_.acknowledge(call.ticket); return true;
        case Event::results: (void)engine_.acknowledge(call.ticket, call.results, culprit); return true;
        case Event::remove_all: (void)engine_.remove_all(call.ticket); return true;
        case Event::fail: (void)engine_.fail(call.ticket, call.failure); return true;
        case Event::raised: engine_.raised(call.ticket); return true;
        default: return false;
    }
}

// As Engine::deliver, one batch at a time.
bool Replay::hand_over(std::uint64_t ticket) {
    if (records_ == nullptr) {
        records_ = engine_.start_delivery();
        position_ = 0;
    }
    while (records_ != nullptr) {
        while (position_ < records_->size()) {
            BatchRecord& record = *(*records_)[position_++];
            if (engine_.begin_recorded_hand_over(record)) return record.ticket == ticket;
        }
        records_ = engine_.end_delivery(position_, false);
        position_ = 0;
    }
    return false;
}

namespace {

[[nodiscard]] std::size_t longest_call(const Log& log) {
    std::size_t longest = 0;
    std::size_t begin = 0;
    for (CallReader reader(log.calls, log.base); reader.skip(); begin = reader.read())
        longest = std::max(longest, reader.read() - begin);
    return longest;
}

}  // namespace

std::optional<Replayed> replay(const Log& log, Engine& engine, ManualClock& clock, std::uint64_t calls) {
    if (!Replay::is_possible(engine)) return std::nullopt;
    Replay replay(engine, longest_call(log));
    Replayed replayed;
    CallReader reader(log.calls, log.base);
    Call call;
    while (replayed.calls < calls && !replayed.differs && reader.next(call)) {
        (void)clock.advance(call.time - clock.now());
        ++replayed.calls;
        replayed.differs = !replay.make(call);
    }
    return replayed;
}

}  // namespace watchtree::core
