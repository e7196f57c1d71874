// snapshot.h: an image of a whole tree as bytes (contract §1, snapshot and restore).
//
// Format      all numbers little-endian. "WTSN", u32 version 1, 16 bytes id, u64 index, u64 number of nodes, then each node
//             below the root in key order: u32 size of its key, u32 size of its value (2^32 - 1 for a directory),
//             u64 create_index, u64 update_index, key, value. Last a u64: FNV-1a of all bytes before it.
// Cost        O(bytes of the image).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/buffer.h"
#include "core/tree/tree.h"

namespace watchtree::core {

// The content of a tree at one moment: shared buffers, no copies. Taken and released under the engine's lock, written
// without it.
class Capture {
  public:
    explicit Capture(const Tree& tree);

    [[nodiscard]] std::string encode() const;

  private:
    struct Item {
        BufferRef key;
        BufferRef value;  // none for a directory
        Index create_index;
        Index update_index;
    };

    TreeId id_;
    Index index_;
    std::vector<Item> items_;
};

// A parsed image. Its nodes are views into the bytes it was parsed from.
struct Image {
    TreeId id;
    Index index;
    std::vector<NodeImage> nodes;
};

// None if the bytes are not an image, or not one that a tree with these limits could have had.
[[nodiscard]] std::optional<Image> parse_image(std::string_view bytes, std::uint32_t max_key_bytes,
                                               std::uint32_t max_value_bytes);

}  // namespace watchtree::core
