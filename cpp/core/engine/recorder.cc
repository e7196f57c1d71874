#include "core/engine/recorder.h"

#include "core/engine/engine.h"
#include "core/engine/tree_capture.h"

namespace watchtree::core {

Recorder::Recorder(Engine& engine, std::size_t max_bytes, bool for_replay)
    : group_(engine.group_),
      engine_(&engine),
      recording_(max_bytes, for_replay),
      config_(engine.dispatcher_.config()) {}

std::shared_ptr<Recorder> Recorder::start(Engine& engine, std::size_t max_bytes, bool for_replay) {
    const std::shared_ptr<Recorder> made(new Recorder(engine, max_bytes, for_replay));
    TreeCapture capture(*made->group_);
    {
        const Turn turn(*made->group_);
        if (engine.recorder_ != nullptr) {
            made->engine_ = nullptr;
            return nullptr;
        }
        made->is_from_the_first_ = engine.dispatcher_.is_new();
        if (for_replay && made->is_from_the_first_) capture.take_in_turn(made->group_->tree_);
        engine.set_recorder(made);
    }
    try {
        made->image_ = capture.encode();
    } catch (...) {
        made->stop();
        throw;
    }
    return made;
}

void Recorder::stop() noexcept {
    std::shared_ptr<Recorder> kept;  // goes with the lock free
    const Turn turn(*group_);
    if (engine_ == nullptr) return;
    kept = engine_->recorder_;
    engine_->set_recorder(nullptr);
}

bool Recorder::is_recording() {
    const Turn turn(*group_);
    return engine_ != nullptr;
}

Log Recorder::log() {
    Log log{.config = config_,
            .tree_max_key_bytes = group_->max_key_bytes(),
            .tree_max_value_bytes = group_->max_value_bytes(),
            .image = image_,
            .calls = {}};
    const Turn turn(*group_);
    Recording::Content content = recording_.content();
    log.base = content.base;
    log.first = content.first;
    log.calls = std::move(content.calls);
    log.replayable = content.complete && is_from_the_first_;
    return log;
}

}  // namespace watchtree::core
