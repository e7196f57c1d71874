// watchtree::Tree for C++ users: forwards to the group.
#include "core/engine/group.h"
#include "watchtree/tree.h"

namespace watchtree {

namespace {

Node copy_of(const core::NodeView& view) {
    return {std::string(view.key.get()->view()),
            view.value ? std::make_optional<std::string>(view.value.get()->view()) : std::nullopt, view.create_index,
            view.update_index};
}

// What was read shares buffers with the tree, and is given back whatever happens.
template <typename Views>
struct Reading {
    explicit Reading(core::Group& from) : group(from) {}
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading() { group.give_back(views); }
    core::Group& group;
    Views views{};
};

}  // namespace

Tree::Tree(const Config& config) {
    validate(config);
    group_ = std::make_shared<core::Group>(config.max_key_bytes, config.max_value_bytes);
}

Change Tree::put(std::string_view key, std::string_view value, bool parents, AskedIndex index) {
    return group_->change(Operation::put(key, value, parents), index);
}

Change Tree::mkdir(std::string_view key, bool parents, AskedIndex index) {
    return group_->change(Operation::mkdir(key, parents), index);
}

Change Tree::remove(std::string_view key, bool recursive, AskedIndex index) {
    return group_->change(Operation::remove(key, recursive), index);
}

Change Tree::compare_and_set(std::string_view key, std::optional<std::string_view> expected,
                             std::optional<std::string_view> value, AskedIndex index) {
    return group_->change(Operation::compare_and_set(key, expected, value), index);
}

Status Tree::batch(std::span<const Operation> operations, std::vector<Change>& changes, AskedIndex index) {
    Index at = 0;
    changes.clear();
    return group_->batch(operations, index, changes, at);
}

Status Tree::get(std::string_view key, Node& node) const {
    Reading<core::NodeView> reading(*group_);
    const Status status = group_->get(key, reading.views);
    if (status == Status::ok) node = copy_of(reading.views);
    return status;
}

Status Tree::list(std::string_view key, std::vector<Node>& children) const {
    Reading<std::vector<core::NodeView>> reading(*group_);
    const Status status = group_->list(key, reading.views);
    children.clear();
    for (const core::NodeView& view : reading.views) children.push_back(copy_of(view));
    return status;
}

bool Tree::contains(std::string_view key) const { return group_->contains(key); }
std::size_t Tree::size() const { return group_->size(); }
TreeId Tree::id() const { return group_->id(); }
Index Tree::index() const { return group_->index(); }
std::string Tree::snapshot() const { return group_->snapshot(); }
Status Tree::restore(std::string_view image) { return group_->restore(image); }
void Tree::verify() const { group_->verify(); }

}  // namespace watchtree
