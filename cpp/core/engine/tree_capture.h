// tree_capture.h: the content of a group's tree at one moment, which is written without the lock.
//
// Threads     one; takes the lock to give back what it shares with the tree, whatever happens.
#pragma once

#include <optional>
#include <string>

#include "core/engine/group.h"
#include "core/tree/snapshot.h"

namespace watchtree::core {

class TreeCapture {
  public:
    explicit TreeCapture(Group& group) noexcept : group_(group) {}
    TreeCapture(const TreeCapture&) = delete;
    TreeCapture& operator=(const TreeCapture&) = delete;
    ~TreeCapture() {
        const Turn turn(group_);
        capture_.reset();
    }

    void take_in_turn(const Tree& tree) { capture_.emplace(tree); }
    // Empty if nothing was taken.
    [[nodiscard]] std::string encode() const { return capture_ ? capture_->encode() : std::string(); }

  private:
    Group& group_;
    std::optional<Capture> capture_;
};

}  // namespace watchtree::core
