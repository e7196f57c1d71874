// words.h: the words of the contract that are numbers on the wire.
#pragma once

#include <cstdint>

namespace watchtree {

using Index = std::int64_t;
using Nanoseconds = std::int64_t;

enum class State : std::uint8_t { value, directory, missing };

// The answer to one notification; any other number counts as error.
enum class Result : std::int64_t { ok = 0, remove_watch = 1, error = 2 };

// Why a whole batch failed.
enum class Failure : std::uint8_t { network, timeout, client_error, stopping, command_not_supported, raised };
inline constexpr std::uint32_t failure_kinds = 6;

[[nodiscard]] constexpr bool is_permanent(Failure failure) noexcept {
    return failure == Failure::client_error || failure == Failure::stopping ||
           failure == Failure::command_not_supported;
}

enum class ChannelState : std::uint8_t { idle, ready, in_flight, backing_off };

}  // namespace watchtree
