#include "core/engine/group.h"

#include "core/engine/engine.h"
#include "core/engine/tree_capture.h"

namespace watchtree::core {

namespace {

NodeView view_of(const Node& node, bool with_value) {
    return {BufferRef::share(node.key), BufferRef::share(with_value && !node.is_directory ? node.value : nullptr),
            node.create_index, node.update_index};
}

}  // namespace

void Turn::wake_and_end() noexcept {
    std::shared_ptr<Group> group;  // whoever is woken may end the last engine; goes after the lock
    while (group_.armed_ != 0) {
        std::shared_ptr<Waker> waker;
        for (Engine* engine : group_.engines_) {
            waker = engine->waker_if_due();
            if (waker == nullptr) continue;
            group = engine->group_;
            break;
        }
        group_.unlock();
        if (waker == nullptr) return;
        waker->wake();
        waker.reset();
        group_.lock();
    }
    group_.unlock();
}

// begin(recording, now), end(recording, how the call ended): for each engine that is recorded.

template <typename Begin>
void Group::begin_recorded(Begin begin) noexcept {
    if (recorded_ == 0) return;
    for (Engine* engine : engines_)
        if (engine->recording_ != nullptr) begin(*engine->recording_, engine->clock_.now());
}

template <typename End>
void Group::end_recorded(End end) noexcept {
    if (recorded_ == 0) return;
    for (Engine* engine : engines_)
        if (engine->recording_ != nullptr) end(*engine->recording_, engine->dispatcher_);
}

Change Group::change(const Operation& operation, AskedIndex asked) {
    const Turn turn(*this);
    if (recorded_ != 0) [[unlikely]]
        return change_recorded(operation, asked);
    return tree_.change(operation, asked);
}

// A function of its own: in the one above it would cost each put 1.6 % instructions.
Change Group::change_recorded(const Operation& operation, AskedIndex asked) {
    begin_recorded([&](Recording& recording, Nanoseconds now) { recording.change(now, operation, asked); });
    const Change change = tree_.change(operation, asked);
    end_recorded([&](Recording& recording, const Dispatcher& dispatcher) {
        recording.end(dispatcher.ending(static_cast<std::uint64_t>(change.status)));
    });
    return change;
}

Status Group::batch(std::span<const Operation> operations, AskedIndex asked, std::vector<Change>& changes,
                    Index& index) {
    const Turn turn(*this);
    begin_recorded([&](Recording& recording, Nanoseconds now) { recording.changes(now, operations, asked); });
    const Status status = tree_.batch(operations, asked, changes);
    end_recorded([&](Recording& recording, const Dispatcher& dispatcher) {
        recording.end(dispatcher.ending(static_cast<std::uint64_t>(status)), changes);
    });
    index = tree_.index();
    return status;
}

TreeId Group::id() {
    const Turn turn(*this);
    return tree_.id();
}

Index Group::index() {
    const Turn turn(*this);
    return tree_.index();
}

std::uint32_t Group::size() {
    const Turn turn(*this);
    return tree_.size();
}

bool Group::contains(std::string_view key) {
    const Turn turn(*this);
    return tree_.find(key) != none;
}

Status Group::get(std::string_view key, NodeView& node) {
    const Status status = check_key(key, max_key_bytes());
    if (status != Status::ok) return status;
    const Turn turn(*this);
    const Handle handle = tree_.find(key);
    if (handle == none) return Status::not_found;
    node = view_of(tree_.node(handle), true);
    return Status::ok;
}

Status Group::get_many(std::span<const std::string_view> keys, std::vector<std::optional<NodeView>>& nodes,
                       std::size_t& bad) {
    for (bad = 0; bad < keys.size(); ++bad) {
        const Status status = check_key(keys[bad], max_key_bytes());
        if (status != Status::ok) return status;
    }
    nodes.reserve(keys.size());
    const Turn turn(*this);
    for (const std::string_view key : keys) {
        const Handle handle = tree_.find(key);
        nodes.emplace_back();
        if (handle != none) nodes.back() = view_of(tree_.node(handle), true);
    }
    return Status::ok;
}

Status Group::list(std::string_view key, std::vector<NodeView>& nodes) {
    const Status status = check_key(key, max_key_bytes());
    if (status != Status::ok) return status;
    const Turn turn(*this);
    const Handle handle = tree_.find(key);
    if (handle == none) return Status::not_found;
    const Node& node = tree_.node(handle);
    if (!node.is_directory) return Status::not_directory;
    if (node.children == nullptr) return Status::ok;
    nodes.reserve(node.children->size());
    for (const auto& [part, child] : *node.children) nodes.push_back(view_of(tree_.node(child), true));
    return Status::ok;
}

void Group::keys(std::vector<NodeView>& nodes) {
    const Turn turn(*this);
    nodes.reserve(tree_.size());
    tree_.for_each([&](const Node& node) { nodes.push_back(view_of(node, false)); });
}

void Group::give_back(NodeView& node) {
    const Turn turn(*this);
    const NodeView gone = std::move(node);
}

void Group::give_back(std::vector<NodeView>& nodes) {
    const Turn turn(*this);
    nodes.clear();
}

void Group::give_back(std::vector<std::optional<NodeView>>& nodes) {
    const Turn turn(*this);
    nodes.clear();
}

std::string Group::snapshot() {
    TreeCapture capture(*this);
    {
        const Turn turn(*this);
        capture.take_in_turn(tree_);
    }
    return capture.encode();
}

Status Group::restore(std::string_view image) {
    const std::optional<Image> parsed = parse_image(image, max_key_bytes(), max_value_bytes());
    if (!parsed) return Status::invalid_snapshot;
    const std::unique_ptr<Tree> built = tree_.build(parsed->index, parsed->nodes);
    const Turn turn(*this);
    begin_recorded([&](Recording& recording, Nanoseconds now) { recording.restore(now, image); });
    for (Engine* engine : engines_) engine->reset_in_turn();
    tree_.replace(parsed->id, *built);
    end_recorded([](Recording& recording, const Dispatcher& dispatcher) { recording.end(dispatcher.ending(0)); });
    built->clear();  // its buffers may be shared with batches, so they go under the lock
    return Status::ok;
}

void Group::verify() {
    const Turn turn(*this);
    tree_.verify();
    for (Engine* engine : engines_) engine->verify_in_turn();
}

}  // namespace watchtree::core
