// status.h: how a call ends. The core returns these before it has touched anything (contract §1 and §2).
#pragma once

#include <cstdint>

namespace watchtree {

enum class Status : std::uint8_t {
    ok,
    invalid_key,
    key_too_long,
    value_too_long,
    stale_index,
    index_out_of_range,  // above 2^63 - 1, or below -1 in a sync
    not_found,
    parent_not_found,
    parent_not_directory,
    is_directory,
    not_directory,
    directory_exists,
    value_exists,
    has_children,
    compare_failed,
    invalid_snapshot,
    duplicate_key,
    unknown_channel,
    unknown_group,
    unknown_server,
};

// The contract's name of a status: "NotFound" for not_found.
[[nodiscard]] const char* name_of(Status status) noexcept;

}  // namespace watchtree
