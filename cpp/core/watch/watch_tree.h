// watch_tree.h: hangs watches on the keys of a tree, existing or not, and queues the holders whose keys changed
// (contract §2, and the queue of changed holders of §3).
//
// Owns        watches, holders, the table of missing keys, the queue of changed holders. Borrows the tree and the clock.
// Threads     none; every call is made under the engine's lock.
// Invariants  1. every holder has a watch, or a child.
//             2. a mounted holder's node exists and names it; another's key is missing, stands in the table, and is a
//                child of the holder of its parent key.
//             3. a queued holder has watches. The holder whose turn it is has a watch left to look at. room() promises no more
//                than the queue has, or all that could be queued fit.
//             4. every watch is in the list of its holder, in the order of registration.
// Order       the queue is first in, first out.
// Cost        a change: O(1) for each holder on the way to the root, no allocation. Mounting and unmounting: O(1) for each
//             node made or removed that has a holder.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/buffer.h"
#include "core/base/hash.h"
#include "core/base/probe_table.h"
#include "core/base/slab.h"
#include "core/tree/tree.h"
#include "core/watch/changed_queue.h"
#include "core/watch/holder.h"
#include "core/watch/watch.h"
#include "watchtree/clock.h"

namespace watchtree::core {

// The state of a key, to be sent. The value is borrowed from the node, null unless the state is VALUE.
struct KeyState {
    State state;
    Index index;
    Buffer* value;
};

class WatchTree final : public TreeObserver {
  public:
    WatchTree(Tree& tree, Clock& clock);
    WatchTree(const WatchTree&) = delete;
    WatchTree& operator=(const WatchTree&) = delete;
    ~WatchTree();

    // Registration.
    // The holder of a key, which may have neither watch nor child yet: the caller must hang a watch on it at once.
    [[nodiscard]] Handle holder_for(std::string_view key, std::uint32_t hash);
    [[nodiscard]] Handle find_holder(std::string_view key, std::uint32_t hash) const noexcept;
    [[nodiscard]] Handle hang(Handle holder, Handle channel, Index notified);
    // Frees the watch, and its holders as far as nothing else hangs on them.
    void drop(Handle watch) noexcept;
    // Counts as registered now, behind the holder's other watches.
    void move_to_back(Handle watch) noexcept;

    // Records.
    [[nodiscard]] Slab<Watch>& records() noexcept { return watches_; }
    [[nodiscard]] Watch& watch(Handle handle) noexcept { return watches_[handle]; }
    [[nodiscard]] const Watch& watch(Handle handle) const noexcept { return watches_[handle]; }
    [[nodiscard]] const Holder& holder(Handle handle) const noexcept { return holders_[handle]; }
    template <typename Visit>
    void for_each_holder(Visit visit) {
        holders_.for_each(visit);
    }
    [[nodiscard]] Index index_of(Handle handle) const noexcept {
        const Holder& holder = holders_[handle];
        if (!holder.mounted) return holder.missing_index;
        return tree_.node(holder.place).update_index;
    }
    [[nodiscard]] KeyState state_of(Handle handle) const noexcept {
        const Holder& holder = holders_[handle];
        if (!holder.mounted) return {State::missing, holder.missing_index, nullptr};
        const Node& node = tree_.node(holder.place);
        if (node.is_directory) return {State::directory, node.update_index, nullptr};
        return {State::value, node.update_index, node.value};
    }
    [[nodiscard]] bool is_due(const Watch& watch) const noexcept { return index_of(watch.holder) > watch.notified; }

    // Phase 1. Calls visit(handle, watch, index of its key) for at most `limit` watches: of the holder whose turn it is, then
    // of the others in the queue; how many. visit must not drop a watch. approach(watch) is called some visits earlier.
    template <typename Visit, typename Approach>
    std::uint32_t look_at_changed(std::uint32_t limit, Visit visit, Approach approach) noexcept {
        std::uint32_t left = limit;
        while (left != 0) {
            if (cursor_ == none) {
                if (!begin_turn()) break;
                look_ahead(approach);
            }
            const Index index = index_of(watches_[cursor_].holder);
            Handle ahead = cursor_;
            const auto go_ahead = [&] {
                const Watch& watch = watches_[ahead];
                approach(watch);
                ahead = watch.in_holder.next;
            };
            for (std::uint32_t i = 0; i < visits_ahead && ahead != none; ++i) go_ahead();
            for (; cursor_ != none && left != 0; --left) {
                if (ahead != none) go_ahead();
                const Handle handle = cursor_;
                Watch& watch = watches_[handle];
                cursor_ = watch.in_holder.next;
                visit(handle, watch, index);
            }
        }
        return limit - left;
    }
    [[nodiscard]] bool has_changed() const noexcept { return cursor_ != none || !changed_.empty(); }
    [[nodiscard]] std::uint32_t changed_holders() const noexcept { return changed_.size() + (cursor_ != none ? 1 : 0); }
    // When the holder was queued last, by stamp_of(time); 0: never.
    [[nodiscard]] std::uint32_t stamp_of(const Holder& holder) const noexcept { return changed_.stamp_of(holder); }
    // Changes that found their holder queued, once for each of its watches.
    [[nodiscard]] std::uint64_t coalesced() const noexcept { return coalesced_; }

    // Sizes.
    [[nodiscard]] std::uint32_t watches() const noexcept { return watches_.size(); }
    [[nodiscard]] std::uint32_t holders() const noexcept { return holders_.size(); }
    [[nodiscard]] std::size_t watch_memory() const noexcept { return watches_.memory(); }
    [[nodiscard]] std::size_t holder_memory() const noexcept;
    [[nodiscard]] std::size_t key_memory() const noexcept { return missing_key_bytes_; }
    // After the tree went back to an earlier index.
    void forget_stamp() noexcept { stamped_index_ = -1; }

    // The time on the latency clock: 30 bits, in units of 4.096 µs, never 0.
    [[nodiscard]] static std::uint32_t stamp_of(Nanoseconds time) noexcept {
        const auto stamp = static_cast<std::uint32_t>(time >> 12) & stamp_mask;
        return stamp == 0 ? 1 : stamp;
    }

    void verify();

    // TreeObserver.
    void reserve(std::uint32_t changing, std::uint32_t appearing, std::span<const Handle> going) override;
    void approach(Handle slot) const noexcept override { holders_.prefetch(slot); }
    void appeared(Handle node, std::uint32_t hash) noexcept override;
    void going(Handle node, Index index) noexcept override;
    void changed(Handle node, Handle slot) noexcept override;

  private:
    static constexpr std::uint32_t visits_ahead = 8;
    static constexpr std::uint32_t turns_ahead = 4;

    [[nodiscard]] bool uses_slots() const noexcept { return tree_.is_first(*this); }
    [[nodiscard]] Handle on_node(Handle node) const noexcept;
    void put_on_node(Handle node, Handle holder);
    void take_off_node(Handle node) noexcept;
    [[nodiscard]] Handle find_missing(std::string_view key, std::uint32_t hash) const noexcept;
    void erase_missing(Handle holder) noexcept;
    [[nodiscard]] Handle make_mounted(Handle node);
    [[nodiscard]] Handle make_missing(Handle parent, std::string_view key, Index index);
    [[nodiscard]] Handle make_missing_path(std::string_view key);
    void free_if_bare(Handle holder) noexcept;
    void link_last(Holder& holder, Handle watch) noexcept;
    void unlink(Holder& holder, Handle watch) noexcept;
    [[nodiscard]] bool begin_turn() noexcept;

    // Turns are often of one watch each. What those ahead will touch comes from memory meanwhile, in three steps of some
    // turns each: the holder, then its first watch and its node, then what these name.
    template <typename Approach>
    void look_ahead(Approach approach) const noexcept {
        holders_.prefetch(changed_.ahead(3 * turns_ahead));
        if (const Handle handle = changed_.ahead(2 * turns_ahead); handle != none) {
            const Holder& holder = holders_[handle];
            watches_.prefetch(holder.first_watch);
            if (holder.mounted) tree_.prefetch_node(holder.place);
        }
        if (const Handle handle = changed_.ahead(turns_ahead); handle != none) {
            const Holder& holder = holders_[handle];
            approach(watches_[holder.first_watch]);
            if (holder.mounted) tree_.prefetch_content(holder.place);
        }
    }
    void queue(Handle holder) noexcept;
    void trim() noexcept;
    void tell_room() noexcept;
    [[nodiscard]] auto hash_of_mounted() const noexcept {
        return [this](Handle holder) { return hash_node(holders_[holder].place); };
    }
    [[nodiscard]] static std::uint32_t hash_node(Handle node) noexcept { return node * 0x9E3779B1u; }

    Tree& tree_;
    Clock& clock_;
    Slab<Watch> watches_{max_watches};
    Slab<Holder> holders_{max_holders};
    ProbeTable<HashedHandle> missing_;  // by key
    ProbeTable<BareHandle> mounted_;    // by node; only where another observer has the nodes' slots
    ChangedQueue changed_;
    Handle cursor_ = none;  // the next watch to look at, of the holder whose turn it is
    std::uint64_t coalesced_ = 0;
    std::size_t missing_key_bytes_ = 0;
    Index stamped_index_ = -1;  // the change that stamp_ was read for
    std::uint32_t stamp_ = 0;
};

}  // namespace watchtree::core
