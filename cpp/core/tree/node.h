// node.h: one key of the tree: a value or a directory, never both (contract §1, Nodes).
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "core/base/buffer.h"
#include "core/base/slab.h"
#include "watchtree/words.h"

namespace watchtree::core {

// The children of a directory by their last part, which is a view into the child's key. Sorted by bytes: key order.
using Children = std::map<std::string_view, Handle>;

// Owns one count of its key, and its value or children. The tree alone makes and frees nodes.
struct Node {
    Buffer* key;
    union {
        Buffer* value;       // never null for a value
        Children* children;  // null while a directory is empty
    };
    Index create_index;
    Index update_index;
    std::uint32_t is_directory : 1;
    std::uint32_t parent : 31;  // of the root: the root
    Handle slot;                // for the first observer, which alone writes it: the watch holder that hangs here
};
static_assert(sizeof(Node) <= 40, "a put touches one node on each level");

inline constexpr Handle max_nodes = 1u << 31;

}  // namespace watchtree::core
