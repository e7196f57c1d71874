// tree_id.h: which tree the indexes belong to (contract §2): a random UUID, as its 16 bytes.
#pragma once

#include <array>
#include <cstdint>

namespace watchtree {

using TreeId = std::array<std::uint8_t, 16>;

// A random UUID (version 4) from the operating system's source of randomness.
[[nodiscard]] TreeId make_tree_id();

}  // namespace watchtree
