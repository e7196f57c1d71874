// tree.h: the tree of contract §1 as a map from key to node, and nothing else.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "watchtree/config.h"
#include "watchtree/operation.h"
#include "watchtree/status.h"
#include "watchtree/words.h"

namespace watchtree::naive {

using Keys = std::vector<std::string>;

// Part by part, byte by byte, parents before their children.
struct KeyOrder {
    bool operator()(const std::string& left, const std::string& right) const;
};

[[nodiscard]] Status check_key(std::string_view key, std::uint32_t max_bytes);
// Requires: not the root.
[[nodiscard]] std::string parent_of(const std::string& key);

struct TreeNode {
    std::optional<std::string> value;  // none for a directory
    Index create_index;
    Index update_index;

    [[nodiscard]] bool is_directory() const { return !value; }
};
using Nodes = std::map<std::string, TreeNode, KeyOrder>;

class Tree {
  public:
    explicit Tree(const Config& config);

    // The contract's order of errors: the form, then the index, then what apply() finds.
    [[nodiscard]] Status check_form(const Operation& operation) const;
    [[nodiscard]] Status choose_index(AskedIndex asked, Index& index) const;
    // ok: `changed` has the nodes that changed, then those above, in the order in which their holders queue (§3).
    Status apply(const Operation& operation, Index index, Keys& changed);

    [[nodiscard]] const TreeNode* find(const std::string& key) const;
    [[nodiscard]] const Nodes& nodes() const { return nodes_; }  // with the root
    [[nodiscard]] Index index() const { return index_; }

  private:
    Status put(const std::string& key, std::string_view value, bool parents, Index index, Keys& changed);
    Status mkdir(const std::string& key, bool parents, Index index, Keys& changed);
    Status remove(const std::string& key, bool recursive, Index index, Keys& changed);
    Status compare_and_set(const Operation& operation, Index index, Keys& changed);
    Status create(const std::string& key, const std::optional<std::string>& value, bool parents, Index index,
                  Keys& changed);
    void add_below_then_itself(const std::string& key, Keys& keys) const;
    void finish(Index index, Keys& changed);

    std::uint32_t max_key_bytes_;
    std::uint32_t max_value_bytes_;
    Index index_ = 0;
    Nodes nodes_;
};

}  // namespace watchtree::naive
