#include "tests/side_by_side/differences.h"

#include <algorithm>
#include <exception>

namespace watchtree::side_by_side {

namespace {

// A line for each thing that differs.
class Lines {
  public:
    template <typename Number>
    void number(const char* name, Number engine, Number model) {
        if (engine == model) return;
        add(name, std::to_string(static_cast<std::int64_t>(engine)), std::to_string(static_cast<std::int64_t>(model)));
    }
    template <typename Number>
    void maybe(const char* name, const std::optional<Number>& engine, const std::optional<Number>& model) {
        if (engine == model) return;
        const auto text = [](const auto& at) { return at ? std::to_string(*at) : "none"; };
        add(name, text(engine), text(model));
    }
    void add(const std::string& name, const std::string& engine, const std::string& model) {
        text_ += "  " + name + ": the engine says " + engine + ", the model " + model + "\n";
    }
    void add(const std::string& line) { text_ += "  " + line + "\n"; }
    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

struct EventWriter {
    std::string operator()(const Outcome& outcome) const {
        std::string text = std::string(name_of(outcome.status)) + " " + std::to_string(outcome.number);
        for (const Status item : outcome.items) text += std::string(" ") + name_of(item);
        return text;
    }
    std::string operator()(const Problem& problem) const {
        return "on_error " + problem.channel + (problem.results ? " " + std::to_string(*problem.results) : "");
    }
    std::string operator()(const naive::HandedOver& batch) const {
        std::string text = "batch for " + batch.channel + ", ticket " + std::to_string(batch.ticket) + ", epoch " +
                           std::to_string(batch.epoch) + (batch.more ? ", more" : "") + ", " +
                           std::to_string(batch.size_bytes) + " bytes:";
        for (const naive::Told& told : batch.notifications)
            text += " (" + told.key + ", " + std::to_string(static_cast<int>(told.state)) + ", " +
                    std::to_string(told.index) + ", " + told.value.value_or("-") + ")";
        return text;
    }
};

std::string text_of(const Transcript& transcript) {
    std::string text;
    for (const auto& event : transcript) text += "[" + std::visit(EventWriter{}, event) + "]";
    return text;
}

void compare_trees(Lines& lines, const Tree& engine, const naive::Tree& model) {
    lines.number("tree.index()", engine.index(), model.index());
    lines.number("tree.size()", engine.size(), model.nodes().size() - 1);
    for (const auto& [key, expected] : model.nodes()) {
        Node node = {};
        if (engine.get(key, node) != Status::ok) {
            lines.add("tree.get(" + key + ")", "it is missing", "it is there");
            continue;
        }
        if (node.value != expected.value)
            lines.add("value of " + key, node.value.value_or("a directory"), expected.value.value_or("a directory"));
        lines.number("a create_index", node.create_index, expected.create_index);
        lines.number("an update_index", node.update_index, expected.update_index);
    }
}

void compare_counters(Lines& lines, const Counters& engine, const Counters& model) {
    lines.number("batches_sent", engine.batches_sent, model.batches_sent);
    lines.number("sent", engine.sent, model.sent);
    lines.number("acknowledged", engine.acknowledged, model.acknowledged);
    lines.number("resent", engine.resent, model.resent);
    lines.number("coalesced", engine.coalesced, model.coalesced);
    lines.number("batches_acknowledged", engine.batches_acknowledged, model.batches_acknowledged);
    lines.number("watch_errors", engine.watch_errors, model.watch_errors);
    for (std::uint32_t kind = 0; kind < failure_kinds; ++kind)
        lines.number("failures", engine.failures[kind], model.failures[kind]);
}

void compare_stats(Lines& lines, const DispatcherStats& engine, const DispatcherStats& model) {
    compare_counters(lines, engine, model);
    lines.number("epoch", engine.epoch, model.epoch);
    lines.number("channels", engine.channels, model.channels);
    lines.number("watches", engine.watches, model.watches);
    lines.number("holders", engine.holders, model.holders);
    lines.number("changed_holders", engine.changed_holders, model.changed_holders);
    lines.number("ready_channels", engine.ready_channels, model.ready_channels);
    lines.number("backing_off", engine.backing_off, model.backing_off);
    lines.number("in_flight", engine.in_flight, model.in_flight);
    lines.number("steps", engine.steps, model.steps);
    lines.number("unfinished_steps", engine.unfinished_steps, model.unfinished_steps);
    lines.number("ignored_answers", engine.ignored_answers, model.ignored_answers);
    lines.number("silent_channels", engine.silent_channels, model.silent_channels);
}

void compare_channels(Lines& lines, const ChannelStats& engine, const ChannelStats& model) {
    Lines own;
    compare_counters(own, engine, model);
    own.number("state", static_cast<int>(engine.state), static_cast<int>(model.state));
    own.number("watches", engine.watches, model.watches);
    own.number("ready_watches", engine.ready_watches, model.ready_watches);
    own.number("backing_off", engine.backing_off, model.backing_off);
    own.number("in_flight", engine.in_flight, model.in_flight);
    own.number("failure_count", engine.failure_count, model.failure_count);
    own.maybe("ticket", engine.ticket, model.ticket);
    const std::string text = own.take();
    if (!text.empty()) lines.add("channel(" + model.name + "):\n" + text.substr(0, text.size() - 1));
}

void compare_dispatchers(Lines& lines, const Dispatcher& engine, const naive::Model& model) {
    compare_stats(lines, engine.stats(), model.stats());
    lines.number("epoch()", engine.epoch(), model.epoch());
    lines.maybe("next_deadline()", engine.next_deadline(), model.next_deadline());
    const std::vector<std::string> names = model.channels();
    if (engine.channels() != names) {
        lines.add("channels() differ");
        return;
    }
    for (const std::string& name : names) {
        compare_channels(lines, *engine.channel(name), *model.channel(name));
        const auto said = engine.watches(name);
        const auto expected = model.watches(name);
        if (said == expected) continue;
        const auto text = [](const auto& watches) {
            std::string all;
            for (const auto& [key, index] : *watches) all += " " + key + "=" + std::to_string(index);
            return all;
        };
        lines.add("watches(" + name + ")", text(said), text(expected));
    }
}

}  // namespace

std::string make_and_compare(EngineSide& engine, ModelSide& model, const Call& call) {
    Lines lines;
    const Transcript& said = engine.make(call);
    const Transcript& expected = model.make(call);
    if (said != expected) lines.add("transcript", text_of(said), text_of(expected));
    try {
        engine.tree().verify();  // and its dispatcher
    } catch (const std::exception& broken) {
        lines.add(std::string("verify(): ") + broken.what());
    }
    compare_trees(lines, engine.tree(), model.model().tree());
    compare_dispatchers(lines, engine.dispatcher(), model.model());
    if (!engine.kept_batches_stand()) lines.add("a batch that was kept reads differently now");
    return lines.take();
}

}  // namespace watchtree::side_by_side
