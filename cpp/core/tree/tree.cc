#include "core/tree/tree.h"

#include <algorithm>
#include <array>
#include <limits>

namespace watchtree::core {

namespace {
constexpr Index max_index = std::numeric_limits<Index>::max();
constexpr std::size_t keys_ahead = 8;
constexpr Index changes_in_cache = 4096;  // what that many changes touched fits a processor's second cache

// Nodes on the way from a key to the root, both counted: a part has a byte and a dot at least.
std::uint32_t most_changing(std::size_t key_bytes) noexcept { return static_cast<std::uint32_t>(key_bytes / 2 + 2); }
}  // namespace

Tree::Tree(std::uint32_t max_key_bytes, std::uint32_t max_value_bytes)
    : max_key_bytes_(max_key_bytes), max_value_bytes_(max_value_bytes) {
    table_.reserve(HashedHandle::hash_of);
    root_ = make_node({}, std::nullopt, 0);
    nodes_[root_].parent = root_ & (max_nodes - 1);
    table_.insert(hash_bytes({}), {hash_bytes({}), root_}, HashedHandle::hash_of);
}

Tree::~Tree() {
    WATCHTREE_ASSERT(first_ == nullptr && others_.empty());
    clear();
}

// Reads.

Handle Tree::find(std::string_view key, std::uint32_t hash) const noexcept {
    const auto* slot = table_.find(
        hash, [&](const HashedHandle::Slot& s) { return s.hash == hash && nodes_[s.handle].key->equals(key); });
    return slot == nullptr ? none : slot->handle;
}

void Tree::prefetch_ahead(std::span<const std::uint32_t> hashes, std::size_t position) const noexcept {
    if (position + 2 * keys_ahead < hashes.size()) table_.prefetch(hashes[position + 2 * keys_ahead]);
    if (position + keys_ahead < hashes.size()) {
        const auto* slot = table_.first_probe(hashes[position + keys_ahead]);
        if (slot != nullptr) nodes_.prefetch(slot->handle);
    }
}

void Tree::approach_change(std::uint32_t hash) const noexcept {
    const auto* slot = table_.first_probe(hash);
    if (slot == nullptr || HashedHandle::is_vacant(*slot)) return;
    prefetch_content(slot->handle);
    approach_holder(nodes_[slot->handle]);
}

void Tree::approach_holder(const Node& node) const noexcept {
    if (node.slot != none) first_->approach(node.slot);
}

std::size_t Tree::memory() const noexcept { return nodes_.memory() + table_.memory(); }

Handle Tree::look_up(std::string_view key) const noexcept {
    const std::uint32_t hash = hash_bytes(key);
    const auto* slot = table_.find(hash, [&](const HashedHandle::Slot& s) {
        if (s.hash != hash) return false;
        // Nearly always the right one: what the change will touch comes from memory while the key is compared.
        const Node& node = nodes_[s.handle];
        if (index_ - node.update_index > changes_in_cache) {
            prefetch(node.value);
            approach_holder(node);
        }
        return node.key->equals(key);
    });
    return slot == nullptr ? none : slot->handle;
}

// Changes.

Change Tree::change(const Operation& operation, AskedIndex asked) {
    const Handle target = look_up(operation.key);
    Index index = 0;
    Status status = check_form(operation, target);
    if (status == Status::ok) status = resolve(asked, index);
    if (status == Status::ok) status = apply(operation, target, index);
    return {status, index_};
}

Status Tree::batch(std::span<const Operation> operations, AskedIndex asked, std::vector<Change>& changes) {
    Index index = 0;
    const Status status = resolve(asked, index);
    if (status != Status::ok) return status;
    changes.reserve(operations.size());
    std::vector<std::uint32_t> hashes;
    hashes.reserve(operations.size());
    for (const Operation& operation : operations) hashes.push_back(hash_bytes(operation.key));
    for (std::size_t i = 0; i < operations.size(); ++i) {
        prefetch_ahead(hashes, i + keys_ahead);
        if (i + keys_ahead < hashes.size()) approach_change(hashes[i + keys_ahead]);
        const Operation& operation = operations[i];
        const Handle target = find(operation.key, hashes[i]);
        Status one = check_form(operation, target);
        if (one == Status::ok) one = apply(operation, target, index);
        changes.push_back({one, index_});
    }
    return Status::ok;
}

Status Tree::check_form(const Operation& operation, Handle target) const noexcept {
    // A key that is in the tree is well formed.
    if (target == none || operation.key.size() > max_key_bytes_) {
        const Status status = check_key(operation.key, max_key_bytes_);
        if (status != Status::ok) return status;
    }
    if (operation.kind == Operation::Kind::remove && operation.key.empty()) return Status::invalid_key;
    if (operation.value && operation.value->size() > max_value_bytes_) return Status::value_too_long;
    return Status::ok;
}

Status Tree::resolve(AskedIndex asked, Index& index) const noexcept {
    switch (asked.kind) {
        case AskedIndex::Kind::next:
            if (index_ == max_index) return Status::index_out_of_range;
            index = index_ + 1;
            return Status::ok;
        case AskedIndex::Kind::given:
            if (asked.value <= index_) return Status::stale_index;
            index = asked.value;
            return Status::ok;
        case AskedIndex::Kind::too_large: break;
    }
    return Status::index_out_of_range;
}

Status Tree::apply(const Operation& operation, Handle target, Index index) {
    switch (operation.kind) {
        case Operation::Kind::put: return put(operation, target, index);
        case Operation::Kind::mkdir: return mkdir(operation, target, index);
        case Operation::Kind::remove: return remove(operation, target, index);
        case Operation::Kind::compare_and_set: break;
    }
    return compare_and_set(operation, target, index);
}

Status Tree::put(const Operation& operation, Handle target, Index index) {
    if (target != none) {
        if (nodes_[target].is_directory) return Status::is_directory;
        overwrite(target, *operation.value, index);
        return Status::ok;
    }
    Handle parent = none;
    const Status status = find_parent(operation.key, operation.deep, parent);
    if (status == Status::ok) create(parent, operation.key, operation.value, index);
    return status;
}

Status Tree::mkdir(const Operation& operation, Handle target, Index index) {
    if (target != none) return nodes_[target].is_directory ? Status::directory_exists : Status::value_exists;
    Handle parent = none;
    const Status status = find_parent(operation.key, operation.deep, parent);
    if (status == Status::ok) create(parent, operation.key, std::nullopt, index);
    return status;
}

Status Tree::remove(const Operation& operation, Handle target, Index index) {
    if (target == none) return Status::not_found;
    const Node& node = nodes_[target];
    if (!operation.deep && node.is_directory && node.children != nullptr) return Status::has_children;
    erase(target, index);
    return Status::ok;
}

Status Tree::compare_and_set(const Operation& operation, Handle target, Index index) {
    if (target != none) {
        const Node& node = nodes_[target];
        if (node.is_directory) return Status::is_directory;
        if (!operation.expected || !node.value->equals(*operation.expected)) return Status::compare_failed;
        if (operation.value) {
            overwrite(target, *operation.value, index);
        } else {
            erase(target, index);
        }
        return Status::ok;
    }
    if (operation.expected) return Status::compare_failed;
    if (!operation.value) return Status::not_found;
    return put(operation, target, index);
}

// The directory under which the first missing part of a missing key goes.
Status Tree::find_parent(std::string_view key, bool deep, Handle& parent) const noexcept {
    do {
        key = parent_key(key);
        parent = find(key);
        if (parent != none) return nodes_[parent].is_directory ? Status::ok : Status::parent_not_directory;
    } while (deep);
    return Status::parent_not_found;
}

void Tree::create(Handle parent, std::string_view key, std::optional<std::string_view> value, Index index) {
    const std::size_t above = nodes_[parent].key->size();
    const auto missing = static_cast<std::uint32_t>(
        1 + std::count(key.begin() + static_cast<std::ptrdiff_t>(above == 0 ? 0 : above + 1), key.end(), '.'));
    nodes_.reserve(missing);
    table_.reserve(HashedHandle::hash_of, missing);
    reserve(most_changing(key.size()), missing, {});

    // The new nodes are joined from the leaf upward, and to the tree last: until then nobody sees them.
    std::vector<Handle> made;
    made.reserve(missing);
    try {
        made.push_back(make_node(key, value, index));
        while (made.size() < missing) {
            key = parent_key(key);
            const Handle child = made.back();
            made.push_back(make_node(key, std::nullopt, index));
            link(made.back(), child);
        }
        link(parent, made.back());
    } catch (...) {
        for (const Handle node : made) free_node(node);
        throw;
    }
    index_ = index;
    for (auto node = made.rbegin(); node != made.rend(); ++node) {
        const std::uint32_t hash = hash_bytes(nodes_[*node].key->view());
        table_.insert(hash, {hash, *node}, HashedHandle::hash_of);
        if (first_ != nullptr) first_->appeared(*node, hash);
        for (TreeObserver* observer : others_) observer->appeared(*node, hash);
    }
    touch_upward(made.front(), index);
}

void Tree::overwrite(Handle handle, std::string_view value, Index index) {
    Node& node = nodes_[handle];
    const std::uint32_t changing = most_changing(node.key->size());
    if (!has_room(changing)) [[unlikely]]
        reserve(changing, 0, {});
    if (!node.value->overwrite(value)) {
        Buffer* fresh = Buffer::make(value);
        node.value->release();
        node.value = fresh;
    }
    index_ = index;
    touch_upward(handle, index);
}

void Tree::erase(Handle handle, Index index) {
    std::vector<Handle> below;
    std::span<const Handle> going(&handle, 1);
    if (nodes_[handle].is_directory && nodes_[handle].children != nullptr) {
        walk(handle, [](const Node&) {}, [&](Handle node) { below.push_back(node); });
        below.push_back(handle);
        going = below;
    }
    reserve(most_changing(nodes_[handle].key->size()), 0, going);

    index_ = index;
    for (const Handle node : going) {
        if (nodes_[node].slot != none) first_->going(node, index);
        for (TreeObserver* observer : others_) observer->going(node, index);
    }
    const Handle parent = nodes_[handle].parent;
    unlink(handle);
    for (const Handle node : going) {
        const std::uint32_t hash = hash_bytes(nodes_[node].key->view());
        table_.erase(table_.find(hash, [&](const HashedHandle::Slot& slot) { return slot.handle == node; }),
                     HashedHandle::hash_of);
        free_node(node);
    }
    table_.trim(HashedHandle::hash_of);
    touch_upward(parent, index);
}

bool Tree::has_room(std::uint32_t changing) const noexcept {
    for (const TreeObserver* observer : others_)
        if (observer->room() < changing) return false;
    return first_ == nullptr || first_->room() >= changing;
}

void Tree::reserve(std::uint32_t changing, std::uint32_t appearing, std::span<const Handle> going) {
    if (first_ != nullptr) first_->reserve(changing, appearing, going);
    for (TreeObserver* observer : others_) observer->reserve(changing, appearing, going);
}

void Tree::touch_upward(Handle handle, Index index) noexcept {
    while (true) {
        Node& node = nodes_[handle];
        node.update_index = index;
        if (node.slot != none) first_->changed(handle, node.slot);
        for (TreeObserver* observer : others_) observer->changed(handle, none);
        if (handle == root_) return;
        handle = node.parent;
    }
}

// Nodes.

Handle Tree::make_node(std::string_view key, std::optional<std::string_view> value, Index index) {
    BufferRef key_bytes = BufferRef::adopt(Buffer::make(key));
    BufferRef value_bytes = value ? BufferRef::adopt(Buffer::make(*value)) : BufferRef();
    const Handle handle = nodes_.make();
    Node& node = nodes_[handle];
    node.key = key_bytes.leave();
    node.create_index = index;
    node.update_index = index;
    node.is_directory = value ? 0 : 1;
    node.parent = 0;
    node.slot = none;
    if (value) {
        node.value = value_bytes.leave();
    } else {
        node.children = nullptr;
    }
    return handle;
}

void Tree::free_node(Handle handle) noexcept {
    release_content(nodes_[handle]);
    nodes_.free(handle);
}

void Tree::release_content(Node& node) noexcept {
    node.key->release();
    if (node.is_directory) {
        delete node.children;
    } else {
        node.value->release();
    }
}

void Tree::clear() noexcept {
    nodes_.for_each([&](Handle, Node& node) { release_content(node); });
    Slab<Node>(max_nodes).swap(nodes_);
    decltype(table_)().swap(table_);
}

void Tree::link(Handle parent, Handle child) {
    Node& directory = nodes_[parent];
    const bool first = directory.children == nullptr;
    auto made = first ? std::make_unique<Children>() : nullptr;
    Children& children = first ? *made : *directory.children;
    children.emplace(last_part(nodes_[child].key->view()), child);
    if (first) directory.children = made.release();
    nodes_[child].parent = parent & (max_nodes - 1);
}

void Tree::unlink(Handle handle) noexcept {
    Node& directory = nodes_[nodes_[handle].parent];
    directory.children->erase(last_part(nodes_[handle].key->view()));
    if (directory.children->empty()) {
        delete directory.children;
        directory.children = nullptr;
    }
}

std::unique_ptr<Tree> Tree::build(Index index, std::span<const NodeImage> nodes) const {
    auto tree = std::make_unique<Tree>(max_key_bytes_, max_value_bytes_);
    for (const NodeImage& image : nodes) {
        const std::uint32_t hash = hash_bytes(image.key);
        tree->table_.reserve(HashedHandle::hash_of);
        const Handle node = tree->make_node(image.key, image.value, image.update_index);
        tree->nodes_[node].create_index = image.create_index;
        tree->link(tree->find(parent_key(image.key)), node);
        tree->table_.insert(hash, {hash, node}, HashedHandle::hash_of);
    }
    tree->nodes_[tree->root_].update_index = index;
    tree->index_ = index;
    return tree;
}

void Tree::replace(const TreeId& id, Tree& built) noexcept {
    nodes_.swap(built.nodes_);
    table_.swap(built.table_);
    std::swap(root_, built.root_);
    std::swap(index_, built.index_);
    id_ = id;
}

// Observers.

void Tree::add_observer(TreeObserver& observer) {
    if (first_ == nullptr) {
        first_ = &observer;
    } else {
        others_.push_back(&observer);
    }
}

void Tree::remove_observer(TreeObserver& observer) noexcept {
    if (first_ == &observer) {
        first_ = nullptr;
    } else {
        std::erase(others_, &observer);
    }
}

void Tree::verify() {
    std::uint32_t seen = 0;
    nodes_.for_each([&](Handle handle, Node& node) {
        ++seen;
        require(find(node.key->view()) == handle, "tree 1: every node is in the table by its key");
        require(node.update_index >= node.create_index, "tree 2: no node was changed before it was made");
        if (handle != root_) {
            const Node& parent = nodes_[node.parent];
            require(parent.is_directory && parent.children != nullptr, "tree 1: every parent is a directory");
            const auto at = parent.children->find(last_part(node.key->view()));
            require(at != parent.children->end() && at->second == handle,
                    "tree 1: every node is in its parent's children");
            require(parent.key->view() == parent_key(node.key->view()), "tree 1: a parent's key is the child's, cut");
            require(parent.update_index >= node.update_index, "tree 2: a directory is as new as what is below it");
        }
        if (node.is_directory && node.children != nullptr) {
            require(!node.children->empty(), "tree 1: an empty directory keeps no children");
            for (const auto& [part, child] : *node.children)
                require(nodes_.live(child) && nodes_[child].parent == handle, "tree 1: every child knows its parent");
        }
    });
    require(seen == nodes_.size() && seen == table_.size(), "tree 1: the table names every node once");
    require(nodes_[root_].update_index == index_, "tree 3: the root's update_index is the tree's index");
    table_.verify(HashedHandle::hash_of, "tree: the table's probes reach every slot");
}

}  // namespace watchtree::core
