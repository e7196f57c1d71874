// replay.h: makes the calls of a log again, on an engine of their own, and compares what follows.
#pragma once

#include <cstdint>
#include <optional>

#include "core/engine/engine.h"
#include "core/trace/log.h"
#include "watchtree/clock.h"

namespace watchtree::core {

// How far it came, and whether the last call ended otherwise than recorded.
struct Replayed {
    std::uint64_t calls = 0;
    bool differs = false;
};

// Makes the first `calls` calls of the log. What the log does not hand over to a transport stays in the outbox. None if the
// engine was used before or is being recorded. Requires: the log is replayable; no other thread has the engine, which follows
// a tree of the log's image and limits; the clock is its own, at 0.
[[nodiscard]] std::optional<Replayed> replay(const Log& log, Engine& engine, ManualClock& clock, std::uint64_t calls);

}  // namespace watchtree::core
