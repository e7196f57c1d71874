// tree.h: the hierarchical key-value tree, each change of which has an index (contract §1).
//
// Owns        nodes and the table from keys to nodes. Borrows its observers, which must leave before they die.
// Threads     none; every call is made under the engine's lock.
// Invariants  1. the root exists; every other node is in its parent's children and in the table, by its key.
//             2. a value has no children; a directory's update_index is the greatest of it and its children's.
//             3. the root's update_index is the tree's index.
// Order       observers hear of made nodes from the top, of changed nodes from the node up to the root, of nodes about to
//             go children first, in key order.
// Cost        a change: one lookup and a step for each part; a put of an existing key allocates only if its size changes, or
//             to make room in the queue of changed holders. Out of memory is std::bad_alloc, with nothing changed; of a batch, the changes before it stay.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/hash.h"
#include "core/base/probe_table.h"
#include "core/base/slab.h"
#include "core/tree/key.h"
#include "core/tree/node.h"
#include "watchtree/operation.h"
#include "watchtree/tree_id.h"

namespace watchtree::core {

// Told of every change while it is made. None of these but reserve() may fail or change the tree.
class TreeObserver {
  public:
    // Room for what the next change will do to this observer; may throw, before anything has changed. going: the nodes that
    // will go, children first. A change that only tells of `changing` nodes may leave this out while there is room().
    virtual void reserve(std::uint32_t changing, std::uint32_t appearing, std::span<const Handle> going) = 0;
    [[nodiscard]] std::uint32_t room() const noexcept { return room_; }
    // The node with this slot will probably change. Only for the first observer.
    virtual void approach(Handle slot) const noexcept = 0;
    virtual void appeared(Handle node, std::uint32_t hash) noexcept = 0;
    virtual void going(Handle node, Index index) noexcept = 0;
    // slot: the node's, for the first observer.
    virtual void changed(Handle node, Handle slot) noexcept = 0;

  protected:
    ~TreeObserver() = default;
    std::uint32_t room_ = 0;  // for so many calls of changed(), at least
};

// What a snapshot holds of a node. A null value stands for a directory.
struct NodeImage {
    std::string_view key;
    std::optional<std::string_view> value;
    Index create_index;
    Index update_index;
};

class Tree {
  public:
    Tree(std::uint32_t max_key_bytes, std::uint32_t max_value_bytes);
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    ~Tree();

    // Changes.
    Change change(const Operation& operation, AskedIndex asked);
    // One entry for each operation, or the status that refuses them all.
    Status batch(std::span<const Operation> operations, AskedIndex asked, std::vector<Change>& changes);

    // Reads. A handle is good until the next change.
    [[nodiscard]] const TreeId& id() const noexcept { return id_; }
    [[nodiscard]] Index index() const noexcept { return index_; }
    [[nodiscard]] std::uint32_t max_key_bytes() const noexcept { return max_key_bytes_; }
    [[nodiscard]] std::uint32_t max_value_bytes() const noexcept { return max_value_bytes_; }
    [[nodiscard]] std::uint32_t size() const noexcept { return nodes_.size() - 1; }  // without the root
    [[nodiscard]] Handle root() const noexcept { return root_; }
    [[nodiscard]] Handle find(std::string_view key, std::uint32_t hash) const noexcept;
    [[nodiscard]] Handle find(std::string_view key) const noexcept { return find(key, hash_bytes(key)); }
    [[nodiscard]] const Node& node(Handle handle) const noexcept { return nodes_[handle]; }
    [[nodiscard]] std::size_t memory() const noexcept;

    // Each key costs two cache misses in a row: its place in the table, then its node. Those of the keys behind a position are
    // begun early, one step after the other, so that they overlap. hashes: of all keys in turn.
    void prefetch_ahead(std::span<const std::uint32_t> hashes, std::size_t position) const noexcept;
    // The same for a node that is known, and for its key and value, once it is near.
    void prefetch_node(Handle node) const noexcept { nodes_.prefetch(node); }
    void prefetch_content(Handle handle) const noexcept {
        const Node& node = nodes_[handle];
        prefetch(node.key);
        prefetch(node.value);
    }

    // Every node below the root, in key order.
    template <typename Visit>
    void for_each(Visit visit) const {
        walk(root_, visit, [](Handle) {});
    }

    // A tree of the nodes of an image, with the limits of this one.
    // nodes: consistent (see snapshot.h), in key order, without the root.
    [[nodiscard]] std::unique_ptr<Tree> build(Index index, std::span<const NodeImage> nodes) const;
    // Takes the nodes of a tree that was built, which gets the old ones. Requires: no observer has a slot.
    void replace(const TreeId& id, Tree& built) noexcept;
    // Frees everything, also the root. The tree can only be destroyed then.
    void clear() noexcept;

    // The first observer gets Node::slot for its own use. Throws std::bad_alloc.
    void add_observer(TreeObserver& observer);
    void remove_observer(TreeObserver& observer) noexcept;
    [[nodiscard]] bool is_first(const TreeObserver& observer) const noexcept { return first_ == &observer; }
    void set_slot(Handle node, Handle slot) noexcept { nodes_[node].slot = slot; }

    void verify();

  private:
    [[nodiscard]] Handle look_up(std::string_view key) const noexcept;
    // The step after: key, value and holder of a node that is near.
    void approach_change(std::uint32_t hash) const noexcept;
    void approach_holder(const Node& node) const noexcept;
    [[nodiscard]] Status check_form(const Operation& operation, Handle target) const noexcept;
    [[nodiscard]] Status resolve(AskedIndex asked, Index& index) const noexcept;
    [[nodiscard]] Status apply(const Operation& operation, Handle target, Index index);
    [[nodiscard]] Status put(const Operation& operation, Handle target, Index index);
    [[nodiscard]] Status mkdir(const Operation& operation, Handle target, Index index);
    [[nodiscard]] Status remove(const Operation& operation, Handle target, Index index);
    [[nodiscard]] Status compare_and_set(const Operation& operation, Handle target, Index index);

    [[nodiscard]] Status find_parent(std::string_view key, bool deep, Handle& parent) const noexcept;
    void create(Handle parent, std::string_view key, std::optional<std::string_view> value, Index index);
    void overwrite(Handle node, std::string_view value, Index index);
    void erase(Handle node, Index index);
    [[nodiscard]] Handle make_node(std::string_view key, std::optional<std::string_view> value, Index index);
    void free_node(Handle node) noexcept;
    void release_content(Node& node) noexcept;
    void link(Handle parent, Handle child);
    void unlink(Handle node) noexcept;
    [[nodiscard]] bool has_room(std::uint32_t changing) const noexcept;
    void reserve(std::uint32_t changing, std::uint32_t appearing, std::span<const Handle> going);
    void touch_upward(Handle node, Index index) noexcept;

    // All below a node, in key order: before(node) on the way down, after(handle) on the way up. Keys may have thousands
    // of parts, so the way is kept here and not on the machine's stack.
    template <typename Before, typename After>
    void walk(Handle top, Before before, After after) const {
        struct Level {
            Children::const_iterator at, end;
        };
        std::vector<Level> way;
        const auto descend = [&](const Node& node) {
            if (node.is_directory && node.children != nullptr)
                way.push_back({node.children->begin(), node.children->end()});
            else
                way.push_back({});
        };
        const auto at_end = [](const Level& level) { return level.at == level.end; };
        descend(nodes_[top]);
        while (true) {
            if (!at_end(way.back())) {
                const Node& child = nodes_[way.back().at->second];
                before(child);
                descend(child);
                continue;
            }
            way.pop_back();
            if (way.empty()) return;
            after(way.back().at->second);
            ++way.back().at;
        }
    }

    std::uint32_t max_key_bytes_;
    std::uint32_t max_value_bytes_;
    TreeId id_ = make_tree_id();
    Index index_ = 0;
    Slab<Node> nodes_{max_nodes};
    ProbeTable<HashedHandle, 50> table_;
    Handle root_;
    TreeObserver* first_ = nullptr;
    std::vector<TreeObserver*> others_;
};

}  // namespace watchtree::core
