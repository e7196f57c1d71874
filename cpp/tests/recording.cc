// recording.cc: calls of all sizes, around each boundary of a segment, are read back as they were written, the newest ones, or as
// lost where they are too large; and whatever bytes a log is made of, it is read or refused.
//
// The seeds are fixed and the engine is std::mt19937, so a failure comes again. Run with the sanitizers in .ci/run, which see a
// write beyond the block.
#include "core/trace/recording.h"

#include <cstdint>
#include <cstdio>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "core/trace/call.h"
#include "core/trace/columns.h"
#include "core/trace/log.h"
#include "tests/check.h"

using namespace watchtree;
using namespace watchtree::core;

namespace {

// What was written, to be compared with what is read.
struct Written {
    Event event;
    Nanoseconds time;
    std::string text;  // the first of the call: a channel or a key
    std::size_t items;
    Ending ending;
    bool may_be_lost;
};

class Writer {
  public:
    explicit Writer(std::uint32_t seed)
        : chance_(seed),
          bytes_(Recording::least_bytes + below(below(2) == 0 ? 257 : 100'000)),
          segment_(bytes_ / Recording::usual_segments),
          recording_(bytes_, below(4) != 0) {}

    void run(int calls) {
        for (int i = 0; i < calls; ++i) {
            now_ += static_cast<Nanoseconds>(below(3) == 0 ? number() >> 24 : below(1000));
            write_call();
            write_consequences();
            end();
            if (below(8) == 0) read_back();
        }
        read_back();
    }

  private:
    std::uint64_t number() { return std::uint64_t{chance_()} << 32 | chance_(); }
    std::uint64_t below(std::uint64_t limit) { return number() % limit; }
    std::int64_t signed_number() { return static_cast<std::int64_t>(number()); }
    std::uint32_t size() { return static_cast<std::uint32_t>(number()); }

    // Short, of the length of a segment or of the largest value that is kept, or any.
    std::string text() {
        switch (below(5)) {
            case 0: return std::string(segment_ - 150 + below(150), 'x');
            case 1: return std::string(segment_ / 4 - 10 + below(20), 'x');
            case 2: return std::string(below(segment_ + 20), 'x');
            default: return std::string(below(100), 'x');
        }
    }

    void write_call() {
        Written written{Event::touch, now_, text(), 0, {}, true};
        switch (below(8)) {
            case 0:
                written = {Event::dispatch, now_, {}, 0, {}, false};
                recording_.plain_call(Event::dispatch, now_);
                break;
            case 1: {
                const std::string value = text();
                const std::string expected = text();
                written.event = Event::compare_and_set;
                written.items = 1;
                recording_.change(now_, Operation::compare_and_set(written.text, expected, value),
                                  AskedIndex::given(signed_number()));
                break;
            }
            case 2: {
                const std::string value = text();
                std::vector<Operation> operations(below(20), Operation::put(written.text, value));
                written.event = Event::changes;
                written.text.clear();
                written.items = operations.size();
                recording_.changes(now_, operations, {});
                break;
            }
            case 3: {
                const std::string key = text();
                const std::vector<Known> known(below(20), Known{key, signed_number()});
                written.event = Event::sync;
                written.items = known.size();
                recording_.sync(now_, written.text, known, true);
                break;
            }
            case 4: {
                std::vector<std::int64_t> results(below(700));
                for (std::int64_t& result : results) result = signed_number();
                written.event = Event::results;
                written.items = results.size();
                recording_.results(now_, number(), written.text, results);
                break;
            }
            case 5:
                written.event = Event::fail;
                recording_.failure(Event::fail, now_, number(), written.text, Failure::raised);
                break;
            case 6:
                written.event = Event::restore;
                recording_.restore(now_, written.text);
                written.text.clear();
                break;
            default: recording_.channel_call(Event::touch, now_, written.text); break;
        }
        written_.push_back(written);
    }

    void write_consequences() {
        if (below(3) != 0) return;
        for (std::uint64_t left = below(50); left != 0; --left) {
            const std::string name = text();
            switch (below(4)) {
                case 0: recording_.channel_moved(Event::ready, name); break;
                case 1: recording_.backs_off(name, signed_number() & INT64_MAX); break;
                case 2: recording_.overdue(number(), name); break;
                default: {
                    const std::uint64_t notes = below(5);
                    recording_.batch(name, number(), size(), true, notes);
                    for (std::uint64_t i = 0; i < notes; ++i)
                        recording_.notification(name, State::directory, signed_number() & INT64_MAX, number());
                }
            }
            written_.back().may_be_lost = true;
        }
    }

    void end() {
        ++calls_;
        Written& last = written_.back();
        if (below(20) == 0) {  // it has thrown
            last.event = Event::lost;
            CHECK(!recording_.content().complete);
            // The call that follows at once closes it.
            recording_.plain_call(Event::reset, now_);
            written_.push_back({Event::reset, now_, {}, 0, {}, false});
            ++calls_;
        }
        Ending& ending = written_.back().ending;
        ending = {number(), signed_number(), {size(), size(), size(), size()}, number(), signed_number()};
        const std::vector<Change> outcomes(written_.back().event == Event::changes ? written_.back().items : 0,
                                           Change{Status::not_found, 0});
        if (outcomes.empty()) {
            recording_.end(ending);
        } else {
            recording_.end(ending, outcomes);
        }
    }

    void read_back() {
        const Recording::Content content = recording_.content();
        CHECK(content.calls.size() <= bytes_);
        CHECK(content.first <= calls_);
        while (written_.size() > calls_ - content.first) written_.pop_front();
        CallReader reader(content.calls, content.base);
        Call call;
        bool lost = false;
        for (const Written& written : written_) {
            CHECK(reader.next(call));
            CHECK(call.time == written.time);
            if (call.event == Event::lost) {
                CHECK(written.may_be_lost || written.event == Event::lost);
                lost = true;
                continue;
            }
            CHECK(call.event == written.event);
            CHECK(call.ending.outcome == written.ending.outcome && call.ending.index == written.ending.index);
            CHECK(call.ending.queues == written.ending.queues && call.ending.coalesced == written.ending.coalesced);
            CHECK(call.ending.elapsed == written.ending.elapsed);
            const std::size_t items = call.operations.size() + call.known.size() + call.results.size();
            CHECK(items == written.items);
            CHECK(written.event == Event::compare_and_set ? call.operations.front().operation.key == written.text
                                                          : call.channel == written.text);
            for (const RecordedOperation& each : call.operations)
                CHECK(written.event != Event::changes || each.status == Status::not_found);
        }
        CHECK(!reader.next(call) && reader.ok());
        CHECK((!lost && content.first == 0) || !content.complete);
    }

    std::mt19937 chance_;
    std::size_t bytes_;
    std::size_t segment_;
    Recording recording_;
    Nanoseconds now_ = 0;
    std::uint64_t calls_ = 0;
    std::deque<Written> written_;
};

void recordings_are_read_as_they_were_written() {
    for (std::uint32_t seed = 0; seed < 150; ++seed) Writer(seed).run(300);
}

// A recording of the last call alone has it whole, whatever it is.
void the_last_call_is_there() {
    std::mt19937 chance(7);
    for (int i = 0; i < 300; ++i) {
        const std::string key(chance() % 3000, 'k');
        const std::string value(chance() % 9000, 'v');
        const std::size_t most = key.size() + value.size() + 64;
        Recording recording = Recording::of_last_call(most);
        for (int call = 0; call < 40; ++call) {
            recording.change(call, Operation::put(key, value), {});
            recording.end({});
            CHECK(recording.last_call().size() <= most);
            CallReader reader(recording.last_call(), 0);
            Call read;
            CHECK(reader.next(read) && read.event == Event::put);
            CHECK(read.operations.front().operation.key == key && read.operations.front().operation.value == value);
            CHECK(!reader.next(read) && reader.ok());
        }
    }
}

}  // namespace

int main() {
    recordings_are_read_as_they_were_written();
    the_last_call_is_there();
    std::puts("ok");
}
