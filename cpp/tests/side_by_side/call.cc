#include "tests/side_by_side/call.h"

#include <cstdio>
#include <string_view>

namespace watchtree::side_by_side {

namespace {

std::string quoted(std::string_view bytes) {
    std::string text = "\"";
    for (const char at : bytes) {
        const auto byte = static_cast<unsigned char>(at);
        if (byte >= 0x20 && byte < 0x7F && at != '"' && at != '\\') {
            text += at;
        } else {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\%03o", static_cast<unsigned>(byte));
            text += escaped;
        }
    }
    return text + "\"";
}

std::string text_of(const std::optional<std::string>& bytes) { return bytes ? quoted(*bytes) : "std::nullopt"; }

std::string text_of(AskedIndex asked) {
    if (asked.kind == AskedIndex::Kind::next) return "{}";
    if (asked.kind == AskedIndex::Kind::too_large) return "AskedIndex::too_large()";
    return "AskedIndex::given(" + std::to_string(asked.value) + ")";
}

std::string name_and_arguments(const Op& operation) {
    const std::string key = quoted(operation.key);
    const std::string deep = operation.deep ? ", true" : ", false";
    switch (operation.kind) {
        case Operation::Kind::put: return "put(" + key + ", " + text_of(operation.value) + deep;
        case Operation::Kind::mkdir: return "mkdir(" + key + deep;
        case Operation::Kind::remove: return "remove(" + key + deep;
        case Operation::Kind::compare_and_set: break;
    }
    return "compare_and_set(" + key + ", " + text_of(operation.expected) + ", " + text_of(operation.value);
}

std::string text_of(Failure reason) {
    constexpr const char* names[failure_kinds] = {
        "network", "timeout", "client_error", "stopping", "command_not_supported", "raised"};
    return std::string("Failure::") + names[static_cast<std::size_t>(reason)];
}

struct Writer {
    std::string operator()(const ChangeCall& call) const {
        return "tree." + name_and_arguments(call.operation) + ", " + text_of(call.asked) + ");";
    }
    std::string operator()(const BatchCall& call) const {
        std::string text = "tree.batch({";
        for (const Op& operation : call.operations)
            text += (&operation == call.operations.data() ? "" : ", ") + name_and_arguments(operation) + ")";
        return text + "}, changes, " + text_of(call.asked) + ");";
    }
    std::string operator()(const SnapshotCall&) const { return "image = tree.snapshot();"; }
    std::string operator()(const RestoreCall&) const { return "tree.restore(image);"; }
    std::string operator()(const SyncCall& call) const {
        std::string text = "dispatcher.sync(" + quoted(call.channel) + ", {";
        for (const auto& [key, index] : call.known) {
            if (text.back() == '}') text += ", ";
            text += "{" + quoted(key) + ", " + std::to_string(index) + "}";
        }
        return text + "}, " + (call.replace ? "true" : "false") + ");";
    }
    std::string operator()(const DispatchCall&) const { return "dispatcher.dispatch();"; }
    std::string operator()(const AnswerCall& call) const {
        const std::string ticket = (call.is_relative ? "batch.ticket() + " : "") + std::to_string(call.ticket);
        switch (call.kind) {
            case AnswerCall::Kind::acknowledge: return "dispatcher.acknowledge(" + ticket + ");";
            case AnswerCall::Kind::remove_all: return "dispatcher.remove_all(" + ticket + ");";
            case AnswerCall::Kind::fail: return "dispatcher.fail(" + ticket + ", " + text_of(call.reason) + ");";
            case AnswerCall::Kind::results: break;
        }
        std::string text = "dispatcher.acknowledge(" + ticket + ", {";
        for (std::size_t i = 0; i < call.results.size(); ++i)
            text += (i == 0 ? "" : ", ") + std::to_string(call.results[i]);
        return text + "});";
    }
    std::string operator()(const TouchCall& call) const { return "dispatcher.touch(" + quoted(call.channel) + ");"; }
    std::string operator()(const CloseCall& call) const { return "dispatcher.close(" + quoted(call.channel) + ");"; }
    std::string operator()(const ResetCall&) const { return "dispatcher.reset();"; }
    std::string operator()(const AdvanceCall& call) const { return "clock += " + std::to_string(call.by) + ";"; }
};

}  // namespace

std::string text_of(const Call& call) {
    std::string text = std::visit(Writer{}, call.what);
    if (call.batches_inside == 0) return text;
    text += "  // inside, for each of the first " + std::to_string(call.batches_inside) + " batches:";
    for (const Call& inner : call.inside) text += " " + text_of(inner);
    return text + (call.raises ? " throw;" : "");
}

std::string text_of(const Config& config) {
    std::string text = "max_batch_size " + std::to_string(config.max_batch_size) + ", max_batch_bytes " +
                       std::to_string(config.max_batch_bytes) + ", max_key_bytes " +
                       std::to_string(config.max_key_bytes) + ", max_value_bytes " +
                       std::to_string(config.max_value_bytes) + ", answer_timeout_ns " +
                       std::to_string(config.answer_timeout_ns) + ", channel_timeout_ns " +
                       std::to_string(config.channel_timeout_ns) + ", backoff_ns";
    for (const Nanoseconds interval : config.backoff_ns) text += " " + std::to_string(interval);
    return text;
}

}  // namespace watchtree::side_by_side
