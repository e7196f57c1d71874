#include "tests/side_by_side/moves.h"

#include <algorithm>
#include <utility>

namespace watchtree::side_by_side {

namespace {

using naive::Keys;
using naive::Model;

Move always(Call call) {
    return [call = std::move(call)](const Model&) { return call; };
}

// The tree. Each put has a value of its own, of one size.

Move put(const std::string& key, bool parents) {
    return [=](const Model& model) {
        const Index next = model.tree().index() + 1;
        const std::string value = {static_cast<char>('0' + next / 10 % 10), static_cast<char>('0' + next % 10)};
        return Call{ChangeCall{{.kind = Operation::Kind::put, .key = key, .value = value, .deep = parents}}};
    };
}
Move mkdir(const std::string& key) {
    return always({ChangeCall{{.kind = Operation::Kind::mkdir, .key = key, .deep = true}}});
}
Move remove(const std::string& key, bool recursive) {
    return always({ChangeCall{{.kind = Operation::Kind::remove, .key = key, .deep = recursive}}});
}
Move batch_of(const std::string& removed, const std::string& made) {
    return always({BatchCall{{{.kind = Operation::Kind::remove, .key = removed, .deep = true},
                              {.kind = Operation::Kind::put, .key = made, .value = "bb", .deep = true}}}});
}

// Registration. An index is that of the key's state now, or one before it, or one that the tree does not have yet.

enum class Has { nothing, older, current, coming };

Move sync(const std::string& channel, const std::vector<std::pair<std::string, Has>>& known, bool replace = false) {
    return [=](const Model& model) -> std::optional<Call> {
        SyncCall call = {channel, {}, replace};
        for (const auto& [key, has] : known) {
            const Index index = has == Has::nothing   ? 0
                                : has == Has::older   ? model.index_of(key) - 1
                                : has == Has::current ? model.index_of(key)
                                                      : model.tree().index() + 1;
            if (has != Has::nothing && index < 1) return std::nullopt;
            call.known.emplace_back(key, index);
        }
        return Call{call};
    };
}
Move stop(const std::string& channel, const std::string& key) {
    return always({SyncCall{channel, {{key, -1}}, false}});
}

// Answers to the batch that a channel has in flight.

Move answer(const std::string& channel, AnswerCall::Kind kind, Failure reason = Failure::network) {
    return [=](const Model& model) -> std::optional<Call> {
        const naive::Sending* sending = model.in_flight(channel);
        if (sending == nullptr) return std::nullopt;
        return Call{AnswerCall{kind, sending->ticket, {}, reason}};
    };
}
// One result for the first or the last notification, ok for the others.
Move result(const std::string& channel, Result one, bool is_last) {
    return [=](const Model& model) -> std::optional<Call> {
        const naive::Sending* sending = model.in_flight(channel);
        if (sending == nullptr || (is_last && sending->watches.size() == 1)) return std::nullopt;
        AnswerCall call = {AnswerCall::Kind::results, sending->ticket};
        call.results.resize(sending->watches.size());
        (is_last ? call.results.back() : call.results.front()) = static_cast<std::int64_t>(one);
        return Call{call};
    };
}
Move too_many_results(const std::string& channel) {
    return [=](const Model& model) -> std::optional<Call> {
        const naive::Sending* sending = model.in_flight(channel);
        if (sending == nullptr) return std::nullopt;
        return Call{AnswerCall{AnswerCall::Kind::results, sending->ticket,
                               std::vector<std::int64_t>(sending->watches.size() + 1)}};
    };
}
// An answer to the oldest or newest ticket that is not in flight: timed out, answered before, of a closed channel or an
// earlier epoch, or never given out.
Move late_answer(bool is_oldest, AnswerCall::Kind kind) {
    return [=](const Model& model) {
        const auto is_in_flight = [&](std::uint64_t ticket) {
            return std::any_of(std::begin(channel_names), std::end(channel_names), [&](const char* name) {
                const naive::Sending* sending = model.in_flight(name);
                return sending != nullptr && sending->ticket == ticket;
            });
        };
        std::uint64_t ticket = is_oldest ? 1 : model.tickets();
        while (is_in_flight(ticket)) is_oldest ? ++ticket : --ticket;
        return Call{AnswerCall{kind, ticket == 0 ? model.tickets() + 1 : ticket}};
    };
}

// The step and the time.

Move dispatch() { return always({DispatchCall{}}); }
Move dispatch_with(std::vector<Call> inside, std::uint32_t batches, bool raises = false) {
    return always({DispatchCall{}, std::move(inside), batches, raises});
}
// From inside the transport, to the batch that it is called with, or the one that was built after that.
Call answer_inside(std::uint64_t after) {
    return {AnswerCall{.kind = AnswerCall::Kind::acknowledge, .ticket = after, .is_relative = true}};
}
// To the next moment at which something is due.
Move wait() {
    return [](const Model& model) -> std::optional<Call> {
        const std::optional<Nanoseconds> next = model.next_moment();
        if (!next) return std::nullopt;
        return Call{AdvanceCall{*next - model.clock}};
    };
}

void add_changes(std::vector<Move>& moves, const Keys& keys) {
    for (const std::string& key : keys) {
        moves.push_back(put(key, true));
        moves.push_back(remove(key, false));
    }
    const std::string& nested = *std::find_if(
        keys.begin(), keys.end(), [](const std::string& key) { return key.find('.') != std::string::npos; });
    moves.push_back(put(nested, false));
    moves.push_back(mkdir("a"));
    moves.push_back(mkdir(nested));
    moves.push_back(remove("a", true));
    moves.push_back(batch_of("a", keys.back()));
}

void add_registrations(std::vector<Move>& moves, const Keys& keys, const std::string& channel) {
    for (const std::string& key : keys) {
        for (const Has has : {Has::nothing, Has::older, Has::current}) moves.push_back(sync(channel, {{key, has}}));
        moves.push_back(stop(channel, key));
    }
    const std::string& first = keys.front();
    const std::string& last = keys.back();
    moves.push_back(sync(channel, {{first, Has::coming}}));
    moves.push_back(sync(channel, {{last, Has::nothing}, {keys[1], Has::nothing}, {first, Has::nothing}}));
    moves.push_back(sync(channel, {{first, Has::nothing}}, true));
    moves.push_back(sync(channel, {{last, Has::current}, {first, Has::current}}, true));
    moves.push_back(sync(channel, {}, true));
    moves.push_back(always({TouchCall{channel}}));
    moves.push_back(always({CloseCall{channel}}));
}

void add_answers(std::vector<Move>& moves, const std::string& channel) {
    using Kind = AnswerCall::Kind;
    moves.push_back(answer(channel, Kind::acknowledge));
    for (const bool is_last : {false, true})
        for (const Result one : {Result::remove_watch, Result::error}) moves.push_back(result(channel, one, is_last));
    moves.push_back(answer(channel, Kind::remove_all));
    moves.push_back(answer(channel, Kind::fail, Failure::network));
    moves.push_back(answer(channel, Kind::fail, Failure::client_error));
    moves.push_back(too_many_results(channel));
}

void add_steps(std::vector<Move>& moves, const Config& config) {
    using Kind = AnswerCall::Kind;
    const Call acknowledge = answer_inside(0);
    const Call acknowledge_next = answer_inside(1);
    const Call pass_time = {AdvanceCall{config.answer_timeout_ns}};
    moves.push_back(late_answer(true, Kind::acknowledge));
    moves.push_back(late_answer(false, Kind::acknowledge));
    moves.push_back(late_answer(false, Kind::fail));
    moves.push_back(dispatch());
    moves.push_back(dispatch_with({acknowledge}, 9));
    moves.push_back(dispatch_with({}, 1, true));
    moves.push_back(dispatch_with({acknowledge_next}, 1));
    for (const char* channel : channel_names) {
        moves.push_back(dispatch_with({acknowledge, {CloseCall{channel}}}, 1, true));
        moves.push_back(dispatch_with({acknowledge_next, {CloseCall{channel}}}, 1));
    }
    moves.push_back(dispatch_with({pass_time, {DispatchCall{}}}, 1));
    moves.push_back(dispatch_with({{ResetCall{}}}, 1));
    moves.push_back(wait());
    moves.push_back(always({ResetCall{}}));
}

std::vector<Move> all_moves(const Keys& keys, const Config& config) {
    std::vector<Move> moves;
    add_steps(moves, config);
    for (const char* channel : channel_names) add_answers(moves, channel);
    add_changes(moves, keys);
    for (const char* channel : channel_names) add_registrations(moves, keys, channel);
    return moves;
}

// Few, small and different, so that deadlines of all kinds meet in many orders.
Config small_config(std::uint32_t max_batch_size, std::uint32_t max_batch_bytes) {
    Config config;
    config.max_batch_size = max_batch_size;
    config.max_batch_bytes = max_batch_bytes;
    config.answer_timeout_ns = 2;
    config.channel_timeout_ns = 5;
    config.backoff_ns = {1, 3};
    return config;
}

Scope scope(std::string name, const Keys& keys, const Config& config, std::vector<Move> beginning) {
    return {std::move(name), keys, config, std::move(beginning), all_moves(keys, config)};
}

// Both channels watch every key.
std::vector<Move> all_watched(const Keys& keys) {
    std::vector<Move> moves = {put(keys.back(), true)};
    for (const char* channel : channel_names)
        for (const std::string& key : keys) moves.push_back(sync(channel, {{key, Has::nothing}}));
    return moves;
}

std::vector<Move> followed_by(std::vector<Move> moves, const std::vector<Move>& more) {
    moves.insert(moves.end(), more.begin(), more.end());
    return moves;
}

}  // namespace

std::vector<Scope> scopes() {
    const Keys nested = {"a", "a.b", "a.c"};
    const Keys mixed = {"b", "a", "a.b"};
    const Keys rooted = {"", "a", "a.b"};
    // 56 bytes hold two notifications of some states and not of others; three never fit.
    const Config narrow = small_config(1, 56);
    const Config wide = small_config(3, 56);
    const Config single = small_config(2, 30);  // one notification a batch
    using Kind = AnswerCall::Kind;
    const Move settle = dispatch_with({answer_inside(0)}, 9);
    std::vector<Scope> all;
    all.push_back(scope("empty, nested keys", nested, narrow, {}));
    all.push_back(scope("empty, root", rooted, wide, {}));
    all.push_back(scope("settled", nested, wide, followed_by(all_watched(nested), {settle, settle})));
    all.push_back(scope("cut holder", mixed, narrow,
                        followed_by(all_watched(mixed), {settle, settle, settle, put("a.b", true), dispatch()})));
    all.push_back(scope("cut batches", mixed, single, followed_by(all_watched(mixed), {dispatch(), put("a.b", true)})));
    all.push_back(scope("backing off", nested, wide,
                        followed_by(all_watched(nested),
                                    {dispatch(), answer("x", Kind::fail), result("y", Result::error, false), wait()})));
    return all;
}

}  // namespace watchtree::side_by_side
