// dispatcher.cc: any bytes are a configuration and a sequence of calls, made on the engine and on the naive model.
//
//   CXX=clang++ cmake -S . -B build/fuzz -DWATCHTREE_FUZZ=ON -DWATCHTREE_CHECKED=ON -DWATCHTREE_SANITIZE='address;undefined'
//   cmake --build build/fuzz && mkdir found
//   build/fuzz/fuzz_dispatcher -max_len=400 -max_total_time=3600 found cpp/fuzz/corpus/dispatcher
//   build/fuzz/fuzz_dispatcher -set_cover_merge=1 -use_counters=0 cpp/fuzz/corpus/dispatcher found    # keep what is new
//
// What differs is printed with the calls, and aborts. WATCHTREE_FUZZ_TELL=1 prints each call before it is made, for inputs
// that end in an assertion or a sanitizer's report.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/side_by_side/differences.h"

using namespace watchtree;
using namespace watchtree::side_by_side;

namespace {

constexpr std::size_t max_calls = 300;
constexpr Index max_index = std::numeric_limits<Index>::max();

// The bytes of an input; 0 once they are used up.
class Bytes {
  public:
    Bytes(const std::uint8_t* bytes, std::size_t size) : next_(bytes), end_(bytes + size) {}

    [[nodiscard]] bool is_empty() const { return next_ == end_; }
    [[nodiscard]] std::uint32_t take() { return is_empty() ? 0u : *next_++; }
    [[nodiscard]] std::uint32_t below(std::uint32_t bound) { return take() % bound; }
    [[nodiscard]] bool one_in(std::uint32_t times) { return below(times) == times - 1; }
    template <typename Thing, std::size_t size>
    [[nodiscard]] const Thing& one_of(const Thing (&things)[size]) {
        return things[below(static_cast<std::uint32_t>(size))];
    }

  private:
    const std::uint8_t* next_;
    const std::uint8_t* end_;
};

Config take_config(Bytes& bytes) {
    const std::vector<Nanoseconds> backoffs[] = {{1, 3}, {1}, {2, 4, 8}};
    const Nanoseconds answer_timeouts[] = {2, 3, 20};
    const Nanoseconds channel_timeouts[] = {5, 3, 100};
    const std::uint32_t batch_bytes[] = {56, 30, 1, 90, 1000};
    Config config;
    config.max_key_bytes = 12;
    config.max_value_bytes = 8;
    config.max_batch_size = 1 + bytes.below(5);
    config.max_batch_bytes = bytes.one_of(batch_bytes);
    config.answer_timeout_ns = bytes.one_of(answer_timeouts);
    config.channel_timeout_ns = bytes.one_of(channel_timeouts);
    config.backoff_ns = bytes.one_of(backoffs);
    return config;
}

class Decoder {
  public:
    explicit Decoder(Bytes& bytes) : bytes_(bytes) {}

    Call call(const naive::Model& model) {
        Call call = plain_call(model);
        const bool is_step = std::holds_alternative<DispatchCall>(call.what);
        const bool hands_over = is_step || std::holds_alternative<AnswerCall>(call.what);
        clock_was_read_ = is_step;
        if (!hands_over || !bytes_.one_in(3)) return call;
        clock_was_read_ = false;
        call.batches_inside = 1 + bytes_.below(3);
        call.raises = bytes_.one_in(4);
        for (std::uint32_t left = bytes_.below(3); left > 0; --left)
            call.inside.push_back(bytes_.one_in(3) ? plain_call(model) : answer_inside());
        return call;
    }

  private:
    Call plain_call(const naive::Model& model) {
        switch (bytes_.below(16)) {
            case 0:
            case 1:
            case 2: return {DispatchCall{}};
            case 3:
            case 4: return {ChangeCall{op(), asked_index(model)}};
            case 5: return {batch(model)};
            case 6:
            case 7:
            case 8: return {sync(model)};
            case 9:
            case 10:
            case 11: return {answer(ticket(model))};
            case 12: return {AdvanceCall{time(model)}};
            case 13: return {TouchCall{channel()}};
            case 14: return {CloseCall{channel()}};
            default: break;
        }
        switch (bytes_.below(3)) {
            case 0: return {ResetCall{}};
            case 1: return {SnapshotCall{}};
            default: return {RestoreCall{}};
        }
    }

    std::string key() {
        const std::string good[] = {"a",   "a.b", "a.b.c", "a.c", "a.b.c.d", "b",
                                    "b.b", "c-d", "c.d",   "c",   "",        "\xC3\xA9"};
        // Empty parts, control characters, what is no UTF-8, and a byte too long.
        const std::string bad[] = {
            ".",    "a..b",         "a.",       ".a",       "a\x01",         "a\x7F",           "\xC2\x80",
            "\xFF", "\xED\xA0\x80", "\xC0\xAF", "\xE2\x82", "a.b.c.d.e.f.g", "\xF4\x90\x80\x80"};
        return bytes_.one_in(12) ? bytes_.one_of(bad) : bytes_.one_of(good);
    }
    std::string channel() {
        const std::string names[] = {"x", "y", "z", "w"};
        return bytes_.one_of(names);
    }
    std::string value() {
        const std::size_t sizes[] = {2, 0, 1, 8, 9};
        return std::string(bytes_.one_of(sizes), static_cast<char>(bytes_.take()));
    }
    Op op() {
        const Operation::Kind kinds[] = {Operation::Kind::put, Operation::Kind::mkdir, Operation::Kind::remove,
                                         Operation::Kind::compare_and_set};
        Op op = {.kind = bytes_.one_of(kinds), .key = key()};
        op.deep = bytes_.one_in(2);
        if (op.kind == Operation::Kind::put) op.value = value();
        if (op.kind != Operation::Kind::compare_and_set) return op;
        op.deep = false;
        if (bytes_.one_in(2)) op.value = value();
        if (bytes_.one_in(2)) op.expected = value();
        return op;
    }
    AskedIndex asked_index(const naive::Model& model) {
        if (!bytes_.one_in(6)) return {};
        const Index now = model.tree().index();
        const Index asked[] = {now, now < max_index ? now + 1 : now, now < max_index - 5 ? now + 5 : now, -1, 0};
        switch (bytes_.below(16)) {
            case 0: return AskedIndex::too_large();
            case 1: return AskedIndex::given(max_index);
            default: return AskedIndex::given(bytes_.one_of(asked));
        }
    }
    BatchCall batch(const naive::Model& model) {
        BatchCall call;
        for (std::uint32_t left = bytes_.below(4); left > 0; --left) call.operations.push_back(op());
        call.asked = asked_index(model);
        return call;
    }
    Index known_index(const naive::Model& model, const std::string& of) {
        const bool is_good = naive::check_key(of, 12) == Status::ok;
        const Index its = is_good ? model.index_of(of) : 1;
        const Index now = model.tree().index();
        const Index choices[] = {0, -1, its, its - 1, now < max_index ? now + 1 : now, 1, max_index};
        return bytes_.one_in(32) ? -2 : bytes_.one_of(choices);
    }
    SyncCall sync(const naive::Model& model) {
        SyncCall call = {channel(), {}, bytes_.one_in(5)};
        for (std::uint32_t left = bytes_.below(5); left > 0; --left) {
            const std::string of = key();
            call.known.emplace_back(of, known_index(model, of));
        }
        return call;
    }
    // Mostly that of a batch in flight.
    std::uint64_t ticket(const naive::Model& model) {
        if (bytes_.one_in(6)) return 1 + bytes_.take();
        const naive::Sending* sending = model.in_flight(channel());
        return sending == nullptr ? model.tickets() : sending->ticket;
    }
    AnswerCall answer(std::uint64_t ticket) {
        AnswerCall call = {AnswerCall::Kind::acknowledge, ticket};
        const std::uint32_t kind = bytes_.below(8);
        if (kind < 3) return call;
        if (kind == 3) call.kind = AnswerCall::Kind::remove_all;
        if (kind == 4) call = {AnswerCall::Kind::fail, ticket, {}, static_cast<Failure>(bytes_.below(failure_kinds))};
        if (kind <= 4) return call;
        const std::int64_t results[] = {0, 1, 2, -1, std::numeric_limits<std::int64_t>::max()};
        call.kind = AnswerCall::Kind::results;
        for (std::uint32_t left = bytes_.below(6); left > 0; --left) call.results.push_back(bytes_.one_of(results));
        return call;
    }
    // To the batch that the transport is called with, or to one that waits behind it.
    Call answer_inside() {
        AnswerCall call = answer(bytes_.one_in(3) ? 1 : 0);
        call.is_relative = true;
        return {call};
    }
    Nanoseconds time(const naive::Model& model) {
        const Nanoseconds next = model.next_moment().value_or(model.clock) - model.clock;
        const Nanoseconds choices[] = {next, next, 1, 0, clock_was_read_ ? -2 : 2, 30};
        return bytes_.one_of(choices);
    }

    Bytes& bytes_;
    // Which calls read the clock but the step is nobody's business, so only what the step has read is gone back from.
    bool clock_was_read_ = false;
};

void fail(const Config& config, const std::vector<Call>& calls, const std::string& difference) {
    std::fprintf(stderr, "a difference in %zu calls, with %s:\n", calls.size(), text_of(config).c_str());
    for (const Call& call : calls) std::fprintf(stderr, "    %s\n", text_of(call).c_str());
    std::fprintf(stderr, "%s", difference.c_str());
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    static const bool tells = std::getenv("WATCHTREE_FUZZ_TELL") != nullptr;
    Bytes bytes(input, size);
    const Config config = take_config(bytes);
    EngineSide engine(config, bytes.one_in(2));
    ModelSide model(config);
    Decoder decoder(bytes);
    std::vector<Call> calls;
    while (!bytes.is_empty() && calls.size() < max_calls) {
        calls.push_back(decoder.call(model.model()));
        if (tells) std::fprintf(stderr, "    %s\n", text_of(calls.back()).c_str());
        const std::string difference = make_and_compare(engine, model, calls.back());
        if (!difference.empty()) fail(config, calls, difference);
    }
    return 0;
}
