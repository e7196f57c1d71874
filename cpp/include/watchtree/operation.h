// operation.h: the changes that a tree accepts, and how they end (contract §1).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "watchtree/status.h"
#include "watchtree/words.h"

namespace watchtree {

// One change. The bytes are borrowed for the call.
struct Operation {
    enum class Kind : std::uint8_t { put, mkdir, remove, compare_and_set };

    Kind kind;
    std::string_view key;
    std::optional<std::string_view> value = std::nullopt;     // put; compare_and_set, where none removes
    std::optional<std::string_view> expected = std::nullopt;  // compare_and_set: none stands for a missing key
    bool deep = false;                                        // put, mkdir: make parents; remove: with all below

    [[nodiscard]] static Operation put(std::string_view key, std::string_view value, bool parents = false) {
        return {Kind::put, key, value, std::nullopt, parents};
    }
    [[nodiscard]] static Operation mkdir(std::string_view key, bool parents = false) {
        return {Kind::mkdir, key, std::nullopt, std::nullopt, parents};
    }
    [[nodiscard]] static Operation remove(std::string_view key, bool recursive = false) {
        return {Kind::remove, key, std::nullopt, std::nullopt, recursive};
    }
    [[nodiscard]] static Operation compare_and_set(std::string_view key, std::optional<std::string_view> expected,
                                                   std::optional<std::string_view> value) {
        return {Kind::compare_and_set, key, value, expected, false};
    }
};

// The index asked for a change: the next one, or a given one, which may lie above what an Index can hold.
struct AskedIndex {
    enum class Kind : std::uint8_t { next, given, too_large };

    Kind kind = Kind::next;
    Index value = 0;

    [[nodiscard]] static AskedIndex given(Index value) { return {Kind::given, value}; }
    [[nodiscard]] static AskedIndex too_large() { return {Kind::too_large, 0}; }
};

// How a change ended: ok with its index, or why not, with the tree's index, which has not moved.
struct Change {
    Status status;
    Index index;
};

}  // namespace watchtree
