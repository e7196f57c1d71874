#include "core/engine/replay.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/engine/recorder.h"
#include "core/trace/call.h"

namespace watchtree::core {

namespace {

// False for a call that cannot have been made as the log says.
[[nodiscard]] bool make(const Call& call, Engine& engine) {
    Group& group = engine.group();
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
            (void)engine.sync(call.channel, call.known, call.replace, synced, bad);
            return true;
        }
        case Event::touch: (void)engine.touch(call.channel); return true;
        case Event::close: (void)engine.close(call.channel); return true;
        case Event::reset: engine.reset(); return true;
        case Event::dispatch: (void)engine.step(); return true;
        case Event::hand_over: return engine.hand_over_as_recorded(call.ticket);
        case Event::acknowledge: (void)engine.acknowledge(call.ticket); return true;
        case Event::results: (void)engine.acknowledge(call.ticket, call.results, culprit); return true;
        case Event::remove_all: (void)engine.remove_all(call.ticket); return true;
        case Event::fail:
            if (call.detail >= failure_kinds) return false;
            (void)engine.fail(call.ticket, static_cast<Failure>(call.detail));
            return true;
        case Event::raised: engine.raised(call.ticket); return true;
        default: return false;
    }
}

[[nodiscard]] std::size_t longest_call(const Log& log) {
    std::size_t longest = 0;
    std::size_t begin = 0;
    Call call;
    for (CallReader reader(log.calls, log.base); reader.next(call); begin = reader.read())
        longest = std::max(longest, reader.read() - begin);
    return longest;
}

}  // namespace

Replayed replay(const Log& log, Engine& engine, ManualClock& clock, std::uint64_t calls) {
    const std::shared_ptr<Recorder> recorder = Recorder::start(engine, Recording::enough_for(longest_call(log)), true);
    Replayed replayed;
    CallReader reader(log.calls, log.base);
    Call call;
    Call again;
    while (replayed.calls < calls && !replayed.differs && reader.next(call)) {
        (void)clock.advance(call.time - clock.now());
        ++replayed.calls;
        if (!make(call, engine)) {
            replayed.differs = true;
            break;
        }
        CallReader made(recorder->recording().last_call(), 0);
        replayed.differs = !made.next(again) || again.event != call.event || again.compared != call.compared;
    }
    recorder->stop();
    return replayed;
}

}  // namespace watchtree::core
