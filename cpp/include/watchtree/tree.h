// tree.h: the hierarchical key-value tree (contract §1). Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "watchtree/config.h"
#include "watchtree/operation.h"
#include "watchtree/status.h"
#include "watchtree/tree_id.h"

namespace watchtree {

namespace core {
class Group;
}  // namespace core

// One node as it was when it was read.
struct Node {
    std::string key;
    std::optional<std::string> value;  // none for a directory
    Index create_index;
    Index update_index;
};

// A shared handle: copies are the same tree, which lives as long as one of them or a dispatcher does. A failed change leaves
// everything as it was. Out of memory is std::bad_alloc, with nothing changed; of a batch, the changes before it stay.
class Tree {
  public:
    explicit Tree(const Config& config = {});

    Change put(std::string_view key, std::string_view value, bool parents = false, AskedIndex index = {});
    Change mkdir(std::string_view key, bool parents = false, AskedIndex index = {});
    Change remove(std::string_view key, bool recursive = false, AskedIndex index = {});
    Change compare_and_set(std::string_view key, std::optional<std::string_view> expected,
                           std::optional<std::string_view> value, AskedIndex index = {});
    // Several changes under one index, seen together. ok: `changes` has one entry for each.
    Status batch(std::span<const Operation> operations, std::vector<Change>& changes, AskedIndex index = {});

    Status get(std::string_view key, Node& node) const;
    Status list(std::string_view key, std::vector<Node>& children) const;
    [[nodiscard]] bool contains(std::string_view key) const;
    [[nodiscard]] std::size_t size() const;  // without the root
    [[nodiscard]] TreeId id() const;
    [[nodiscard]] Index index() const;

    [[nodiscard]] std::string snapshot() const;
    Status restore(std::string_view image);  // resets every dispatcher

    // Throws std::logic_error naming the invariant that is broken. For tests.
    void verify() const;

  private:
    friend class Dispatcher;
    std::shared_ptr<core::Group> group_;
};

}  // namespace watchtree
