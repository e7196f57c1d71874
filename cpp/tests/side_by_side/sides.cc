#include "tests/side_by_side/sides.h"

#include <stdexcept>
#include <utility>

namespace watchtree::side_by_side {

namespace {

struct Raised : std::runtime_error {
    Raised() : std::runtime_error("raised by the transport") {}
};

naive::HandedOver copied(const Batch& batch) {
    naive::HandedOver copy = {
        std::string(batch.channel()), batch.ticket(), batch.epoch(), batch.more(), batch.size_bytes(), {}};
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const Notification at = batch[i];
        copy.notifications.push_back({std::string(at.key), at.state, at.index, std::nullopt});
        if (at.value) copy.notifications.back().value = std::string(*at.value);
    }
    return copy;
}

Outcome outcome(bool answer) { return {.number = answer}; }
Outcome outcome(std::uint32_t answer) { return {.number = answer}; }
Outcome outcome(const Change& change) { return {.status = change.status, .number = change.index}; }

Change change(Tree& tree, const Operation& asked, AskedIndex index) {
    switch (asked.kind) {
        case Operation::Kind::put: return tree.put(asked.key, *asked.value, asked.deep, index);
        case Operation::Kind::mkdir: return tree.mkdir(asked.key, asked.deep, index);
        case Operation::Kind::remove: return tree.remove(asked.key, asked.deep, index);
        case Operation::Kind::compare_and_set: break;
    }
    return tree.compare_and_set(asked.key, asked.expected, asked.value, index);
}
Change change(naive::Model& model, const Operation& asked, AskedIndex index) { return model.change(asked, index); }

template <typename Tree>
Outcome make_batch(Tree& tree, const BatchCall& call) {
    std::vector<Operation> operations;
    for (const Op& operation : call.operations) operations.push_back(operation.view());
    std::vector<Change> changes;
    Outcome result = {.status = tree.batch(operations, changes, call.asked)};
    if (result.status != Status::ok) return result;
    for (const Change& item : changes) {
        result.items.push_back(item.status);
        if (item.status == Status::ok) result.number = item.index;
    }
    return result;
}

template <typename Dispatcher>
Outcome make_sync(Dispatcher& dispatcher, const SyncCall& call) {
    std::vector<Known> known;
    for (const auto& [key, index] : call.known) known.push_back({key, index});
    Synced synced = {};
    std::size_t bad = 0;
    const Status status = dispatcher.sync(call.channel, known, call.replace, &synced, &bad);
    return {.status = status, .number = status == Status::ok ? synced.index : static_cast<Index>(bad)};
}

// `answered` is a Dispatcher, or the Batch that was kept, whose methods have the same names and no ticket.
template <typename Answered, typename... Ticket>
bool answer(Answered& answered, const AnswerCall& call, Ticket... ticket) {
    switch (call.kind) {
        case AnswerCall::Kind::acknowledge: return answered.acknowledge(ticket...);
        case AnswerCall::Kind::results: return answered.acknowledge(ticket..., call.results);
        case AnswerCall::Kind::remove_all: return answered.remove_all(ticket...);
        case AnswerCall::Kind::fail: break;
    }
    return answered.fail(ticket..., call.reason);
}

// The calls that both sides take in the same words.
template <typename Tree, typename Dispatcher>
struct Calls {
    Tree& tree;
    Dispatcher& dispatcher;
    Nanoseconds& clock;

    Outcome operator()(const ChangeCall& call) const {
        return outcome(change(tree, call.operation.view(), call.asked));
    }
    Outcome operator()(const BatchCall& call) const { return make_batch(tree, call); }
    Outcome operator()(const SyncCall& call) const { return make_sync(dispatcher, call); }
    Outcome operator()(const DispatchCall&) const { return outcome(dispatcher.dispatch()); }
    Outcome operator()(const AnswerCall& call) const { return outcome(answer(dispatcher, call, call.ticket)); }
    Outcome operator()(const TouchCall& call) const { return outcome(dispatcher.touch(call.channel)); }
    Outcome operator()(const CloseCall& call) const { return outcome(dispatcher.close(call.channel)); }
    Outcome operator()(const ResetCall&) const {
        dispatcher.reset();
        return {};
    }
    Outcome operator()(const AdvanceCall& call) const {
        clock += call.by;
        return {};
    }
};

}  // namespace

struct EngineCalls : Calls<Tree, Dispatcher> {
    EngineSide& side;

    explicit EngineCalls(EngineSide& of) : Calls{of.tree_, of.dispatcher_, of.clock_->at}, side(of) {}

    using Calls::operator();
    Outcome operator()(const SnapshotCall&) const {
        side.image_ = tree.snapshot();
        return {};
    }
    Outcome operator()(const RestoreCall&) const {
        return {.status = side.image_ ? tree.restore(*side.image_) : Status::ok};
    }
    Outcome operator()(const AnswerCall& call) const {
        const auto at = side.kept_.find(call.ticket);
        if (at == side.kept_.end()) return Calls::operator()(call);
        return outcome(answer(at->second.batch, call));
    }
};

struct ModelCalls : Calls<naive::Model, naive::Model> {
    ModelSide& side;

    explicit ModelCalls(ModelSide& of) : Calls{of.model_, of.model_, of.model_.clock}, side(of) {}

    using Calls::operator();
    Outcome operator()(const SnapshotCall&) const {
        side.image_ = tree.snapshot();
        return {};
    }
    Outcome operator()(const RestoreCall&) const {
        return {.status = side.image_ ? tree.restore(*side.image_) : Status::ok};
    }
};

EngineSide::EngineSide(const Config& config, bool keeps)
    : keeps_(keeps), tree_(config), dispatcher_(tree_, *this, config, clock_) {}

const Transcript& EngineSide::make(const Call& call) {
    transcript_.clear();
    inside_.begin(call);
    const Outcome made = std::visit(EngineCalls(*this), call.what);
    transcript_.emplace_back(made);
    return transcript_;
}

bool EngineSide::kept_batches_stand() const {
    for (const auto& [ticket, kept] : kept_)
        if (copied(kept.batch) != kept.then) return false;
    return true;
}

void EngineSide::send(Batch& batch) {
    const naive::HandedOver copy = copied(batch);
    transcript_.emplace_back(copy);
    if (keeps_) kept_.emplace(copy.ticket, Kept{std::move(batch), copy});
    const bool raises = inside_.act(copy.ticket, [&](const Call& call) {
        const Outcome made = std::visit(EngineCalls(*this), call.what);
        transcript_.emplace_back(made);
    });
    if (raises) throw Raised();
}

void EngineSide::on_error(std::exception_ptr, std::string_view channel) {
    transcript_.emplace_back(Problem{std::string(channel), std::nullopt});
}

void EngineSide::on_wrong_result_count(std::string_view channel, std::size_t results) {
    transcript_.emplace_back(Problem{std::string(channel), results});
}

const Transcript& ModelSide::make(const Call& call) {
    model_.receiver = this;
    transcript_.clear();
    inside_.begin(call);
    const Outcome made = std::visit(ModelCalls(*this), call.what);
    transcript_.emplace_back(made);
    return transcript_;
}

bool ModelSide::receive(const naive::HandedOver& batch) {
    transcript_.emplace_back(batch);
    const bool raises = inside_.act(batch.ticket, [&](const Call& call) {
        const Outcome made = std::visit(ModelCalls(*this), call.what);
        transcript_.emplace_back(made);
    });
    return !raises;
}

void ModelSide::on_error(std::string_view channel) {
    transcript_.emplace_back(Problem{std::string(channel), std::nullopt});
}

void ModelSide::on_wrong_result_count(std::string_view channel, std::size_t results) {
    transcript_.emplace_back(Problem{std::string(channel), results});
}

}  // namespace watchtree::side_by_side
