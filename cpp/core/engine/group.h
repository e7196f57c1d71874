// group.h: a tree, its dispatchers and the one lock around them.
//
// Owns        the lock and the tree. Knows the engines, each of which keeps the group alive.
// Threads     any. Nothing is called out while the lock is held.
// Cost        each call takes the lock once; reads take it again to give back what they share.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/buffer.h"
#include "core/engine/patient_lock.h"
#include "core/tree/tree.h"
#include "watchtree/operation.h"

namespace watchtree::core {

class Engine;

// Told that a dispatcher has something to do. Called with no lock held, from any thread; must not throw.
class Waker {
  public:
    virtual ~Waker() = default;
    virtual void wake() noexcept = 0;
};

// One node as it was when it was read. Holds counts, which only the group may give back.
struct NodeView {
    BufferRef key;
    BufferRef value;  // none for a directory
    Index create_index = 0;
    Index update_index = 0;
};

class Group {
  public:
    Group(std::uint32_t max_key_bytes, std::uint32_t max_value_bytes) : tree_(max_key_bytes, max_value_bytes) {}

    Change change(const Operation& operation, AskedIndex asked);
    // ok: see `changes` for each operation; else all were refused. index: the tree's.
    Status batch(std::span<const Operation> operations, AskedIndex asked, std::vector<Change>& changes, Index& index);

    [[nodiscard]] TreeId id();
    [[nodiscard]] Index index();
    [[nodiscard]] std::uint32_t size();
    [[nodiscard]] bool contains(std::string_view key);
    [[nodiscard]] std::uint32_t max_key_bytes() const noexcept { return tree_.max_key_bytes(); }
    [[nodiscard]] std::uint32_t max_value_bytes() const noexcept { return tree_.max_value_bytes(); }

    // Reads. Call give_back with what they answered.
    Status get(std::string_view key, NodeView& node);
    // bad: the position of the key that is no key.
    Status get_many(std::span<const std::string_view> keys, std::vector<std::optional<NodeView>>& nodes,
                    std::size_t& bad);
    Status list(std::string_view key, std::vector<NodeView>& nodes);
    void keys(std::vector<NodeView>& nodes);  // without values
    void give_back(NodeView& node);
    void give_back(std::vector<NodeView>& nodes);
    void give_back(std::vector<std::optional<NodeView>>& nodes);

    [[nodiscard]] std::string snapshot();
    // ok or invalid_snapshot. Resets every dispatcher.
    Status restore(std::string_view image);

    void verify();

  private:
    friend class Engine;
    friend class Recorder;
    friend class Turn;

    template <typename Begin>
    void begin_recorded(Begin begin) noexcept;
    template <typename End>
    void end_recorded(End end) noexcept;
    [[nodiscard]] Change change_recorded(const Operation& operation, AskedIndex asked);
    void lock() { lock_.lock(); }
    void unlock() noexcept { lock_.unlock(); }

    PatientLock lock_;
    Tree tree_;
    std::vector<Engine*> engines_;
    std::uint32_t armed_ = 0;     // engines that would wake somebody
    std::uint32_t recorded_ = 0;  // engines whose calls, and so the tree's, are recorded
};

// The lock, for the length of a call. At its end those dispatchers are woken that have something to do and had nothing.
class Turn {
  public:
    explicit Turn(Group& group) : group_(group) { group_.lock(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        if (group_.armed_ == 0) {
            group_.unlock();
        } else {
            wake_and_end();
        }
    }

  private:
    void wake_and_end() noexcept;

    Group& group_;
};

}  // namespace watchtree::core
