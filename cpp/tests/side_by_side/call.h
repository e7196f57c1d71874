// call.h: one call as a value, so that it can be made on the engine and on the model, again, and be printed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "watchtree/config.h"
#include "watchtree/operation.h"
#include "watchtree/words.h"

namespace watchtree::side_by_side {

// An Operation that owns its bytes.
struct Op {
    Operation::Kind kind;
    std::string key;
    std::optional<std::string> value = std::nullopt;
    std::optional<std::string> expected = std::nullopt;
    bool deep = false;

    [[nodiscard]] Operation view() const { return {kind, key, value, expected, deep}; }
};

struct ChangeCall {
    Op operation;
    AskedIndex asked = {};
};
struct BatchCall {
    std::vector<Op> operations;
    AskedIndex asked = {};
};
struct SnapshotCall {};  // kept by each side
struct RestoreCall {};   // the one that was kept; nothing if there is none
struct SyncCall {
    std::string channel;
    std::vector<std::pair<std::string, Index>> known;
    bool replace = false;
};
struct DispatchCall {};
struct AnswerCall {
    enum class Kind : std::uint8_t { acknowledge, results, remove_all, fail };

    Kind kind;
    std::uint64_t ticket;
    std::vector<std::int64_t> results = {};
    Failure reason = Failure::network;
    bool is_relative = false;  // from inside the transport: counted from the ticket of the batch it is called with
};
struct TouchCall {
    std::string channel;
};
struct CloseCall {
    std::string channel;
};
struct ResetCall {};
struct AdvanceCall {
    Nanoseconds by;  // below 0: the clock goes wrong
};

struct Call {
    std::variant<ChangeCall, BatchCall, SnapshotCall, RestoreCall, SyncCall, DispatchCall, AnswerCall, TouchCall,
                 CloseCall, ResetCall, AdvanceCall>
        what;
    // What the transport does with the first batches that it is handed in this call: these calls, then it may raise.
    std::vector<Call> inside = {};
    std::uint32_t batches_inside = 0;
    bool raises = false;
};

// As C++ that makes the call.
[[nodiscard]] std::string text_of(const Call& call);
[[nodiscard]] std::string text_of(const Config& config);

}  // namespace watchtree::side_by_side
