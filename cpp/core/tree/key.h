// key.h: what a key is: UTF-8 text cut into parts by '.' (contract §1, Keys).
#pragma once

#include <cstdint>
#include <string_view>

#include "watchtree/status.h"

namespace watchtree::core {

// ok, invalid_key or, for a key that is valid but long, key_too_long. Cost: one pass over the bytes.
[[nodiscard]] Status check_key(std::string_view key, std::uint32_t max_key_bytes) noexcept;

// The key of the parent; the root for a key of one part. Requires: not the root.
[[nodiscard]] inline std::string_view parent_key(std::string_view key) noexcept {
    const auto dot = key.rfind('.');
    return dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot);
}

// The last part of a key.
[[nodiscard]] inline std::string_view last_part(std::string_view key) noexcept {
    const auto dot = key.rfind('.');
    return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

// Less in key order: part by part, parents before their children.
[[nodiscard]] bool key_less(std::string_view a, std::string_view b) noexcept;

}  // namespace watchtree::core
