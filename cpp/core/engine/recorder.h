// recorder.h: attaches a recording to a dispatcher, and takes it off.
//
// Owns        the recording, and the image of the tree from when it began. Keeps the group alive, not the engine.
// Threads     any. Reads the clock also at calls that otherwise do not: a user's clock is asked as at any other call.
// Cost        start(): O(nodes) with for_replay. log(): a copy of what was recorded, under the lock.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "core/engine/group.h"
#include "core/trace/log.h"
#include "core/trace/recording.h"

namespace watchtree::core {

class Recorder {
  public:
    // Null if the engine is being recorded already. Requires: the limits of Recording.
    [[nodiscard]] static std::shared_ptr<Recorder> start(Engine& engine, std::size_t max_bytes, bool for_replay);

    void stop() noexcept;  // safe to repeat
    [[nodiscard]] bool is_recording();
    [[nodiscard]] Log log();

    // By the engine, in a turn.
    [[nodiscard]] Recording& recording() noexcept { return recording_; }
    void detach() noexcept { engine_ = nullptr; }

  private:
    Recorder(Engine& engine, std::size_t max_bytes, bool for_replay);

    std::shared_ptr<Group> group_;
    Engine* engine_;  // null once it stopped
    Recording recording_;
    Config config_;
    std::string image_;
    bool is_from_the_first_ = false;
};

}  // namespace watchtree::core
