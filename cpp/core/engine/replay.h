// replay.h: makes the calls of a log again, on an engine of their own, and compares what follows.
#pragma once

#include <cstdint>
#include <optional>

#include "core/engine/engine.h"
#include "core/trace/log.h"
#include "watchtree/clock.h"

namespace watchtree::core {

// How far it came, and whether the next call ended otherwise than recorded.
struct Replayed {
    std::uint64_t calls = 0;  // made
    bool differs = false;     // the last of them
};

// Makes the first `calls` calls of the log. What would go to the transport stays in the outbox where the log does not hand it
// over. Requires: the log is replayable; the engine is new, follows a tree of the log's image and no other thread; the clock
// is its own, at 0.
[[nodiscard]] Replayed replay(const Log& log, Engine& engine, ManualClock& clock, std::uint64_t calls);

}  // namespace watchtree::core
