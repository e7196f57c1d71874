#include "core/watch/watch_tree.h"

#include <algorithm>
#include <limits>

namespace watchtree::core {

WatchTree::WatchTree(Tree& tree, Clock& clock) : tree_(tree), clock_(clock) { tree_.add_observer(*this); }

WatchTree::~WatchTree() {
    WATCHTREE_ASSERT(watches_.size() == 0 && holders_.size() == 0);
    tree_.remove_observer(*this);
}

// Records.

std::size_t WatchTree::holder_memory() const noexcept {
    return holders_.memory() + missing_.memory() + mounted_.memory() + changed_.memory();
}

// Finding holders.

Handle WatchTree::on_node(Handle node) const noexcept {
    if (uses_slots()) return tree_.node(node).slot;
    const Handle* slot = mounted_.find(hash_node(node), [&](Handle holder) { return holders_[holder].place == node; });
    return slot == nullptr ? none : *slot;
}

void WatchTree::put_on_node(Handle node, Handle holder) {
    if (uses_slots()) {
        tree_.set_slot(node, holder);
    } else {
        mounted_.insert(hash_node(node), holder, hash_of_mounted());
    }
}

void WatchTree::take_off_node(Handle node) noexcept {
    if (uses_slots()) {
        tree_.set_slot(node, none);
    } else {
        Handle* slot = mounted_.find(hash_node(node), [&](Handle holder) { return holders_[holder].place == node; });
        mounted_.erase(slot, hash_of_mounted());
    }
}

Handle WatchTree::find_missing(std::string_view key, std::uint32_t hash) const noexcept {
    const auto* slot = missing_.find(
        hash, [&](const HashedHandle::Slot& s) { return s.hash == hash && holders_[s.handle].key->equals(key); });
    return slot == nullptr ? none : slot->handle;
}

Handle WatchTree::find_holder(std::string_view key, std::uint32_t hash) const noexcept {
    const Handle node = tree_.find(key, hash);
    return node == none ? find_missing(key, hash) : on_node(node);
}

// Making and freeing holders.

Handle WatchTree::holder_for(std::string_view key, std::uint32_t hash) {
    const Handle node = tree_.find(key, hash);
    if (node != none) {
        const Handle holder = on_node(node);
        return holder != none ? holder : make_mounted(node);
    }
    const Handle holder = find_missing(key, hash);
    return holder != none ? holder : make_missing_path(key);
}

Handle WatchTree::make_mounted(Handle node) {
    const Handle handle = holders_.make();
    Holder& holder = holders_[handle];
    holder = {tree_.node(node).key, Index{0}, node, none, 0, 0, 1, 0, {0}};
    try {
        put_on_node(node, handle);
    } catch (...) {
        holders_.free(handle);
        throw;
    }
    holder.key->retain();
    tell_room();
    return handle;
}

// Requires: the parent's holder, which gets a child.
Handle WatchTree::make_missing(Handle parent, std::string_view key, Index index) {
    missing_.reserve(HashedHandle::hash_of);
    holders_.reserve();
    Buffer* bytes = Buffer::make(key);
    const Handle handle = holders_.make();
    holders_[handle] = {bytes, index, parent, none, 0, 0, 0, 0, {0}};
    ++holders_[parent].child_count;
    const std::uint32_t hash = hash_bytes(key);
    missing_.insert(hash, {hash, handle}, HashedHandle::hash_of);
    missing_key_bytes_ += bytes->memory();
    tell_room();
    return handle;
}

// One holder for each missing part between a key and its nearest ancestor that has a holder or exists.
Handle WatchTree::make_missing_path(std::string_view key) {
    std::size_t end = key.size();  // of the ancestor: key.substr(0, end)
    Handle parent = none;
    Handle nearest = none;
    while (parent == none) {
        const auto dot = key.rfind('.', end == 0 ? 0 : end - 1);
        end = dot == std::string_view::npos ? 0 : dot;
        const std::string_view above = key.substr(0, end);
        const std::uint32_t hash = hash_bytes(above);
        nearest = tree_.find(above, hash);
        parent = nearest != none ? on_node(nearest) : find_missing(above, hash);
        if (nearest != none && parent == none) parent = make_mounted(nearest);
    }
    // A holder made earlier may have kept an older index than the ancestor has now.
    for (Handle at = parent; nearest == none; at = holders_[at].place)
        if (holders_[at].mounted) nearest = holders_[at].place;
    const Index index = tree_.node(nearest).update_index;

    try {
        while (end != key.size()) {
            const auto dot = key.find('.', end == 0 ? 0 : end + 1);
            end = dot == std::string_view::npos ? key.size() : dot;
            parent = make_missing(parent, key.substr(0, end), index);
        }
    } catch (...) {
        free_if_bare(parent);
        throw;
    }
    return parent;
}

void WatchTree::erase_missing(Handle handle) noexcept {
    const std::uint32_t hash = hash_bytes(holders_[handle].key->view());
    missing_.erase(missing_.find(hash, [&](const HashedHandle::Slot& slot) { return slot.handle == handle; }),
                   HashedHandle::hash_of);
    missing_key_bytes_ -= holders_[handle].key->memory();
}

void WatchTree::free_if_bare(Handle handle) noexcept {
    while (true) {
        const Holder& holder = holders_[handle];
        if (holder.watch_count != 0 || holder.child_count != 0) return;
        const Handle place = holder.place;
        const bool mounted = holder.mounted;
        if (mounted) {
            take_off_node(place);
        } else {
            erase_missing(handle);
        }
        holder.key->release();
        holders_.free(handle);
        if (mounted) return;
        --holders_[place].child_count;
        handle = place;
    }
}

// Watches.

void WatchTree::link_last(Holder& holder, Handle handle) noexcept {
    Watch& watch = watches_[handle];
    if (holder.first_watch == none) {
        holder.first_watch = handle;
        watch.in_holder = {handle, none};
        return;
    }
    Handle& last = watches_[holder.first_watch].in_holder.prev;
    watch.in_holder = {last, none};
    watches_[last].in_holder.next = handle;
    last = handle;
}

void WatchTree::unlink(Holder& holder, Handle handle) noexcept {
    const Links at = watches_[handle].in_holder;
    if (cursor_ == handle) cursor_ = at.next;
    if (holder.first_watch == handle) {
        holder.first_watch = at.next;
    } else {
        watches_[at.prev].in_holder.next = at.next;
    }
    const Handle follower = at.next == none ? holder.first_watch : at.next;
    if (follower != none) watches_[follower].in_holder.prev = at.prev;
}

Handle WatchTree::hang(Handle holder_handle, Handle channel, Index notified) {
    Handle handle;
    try {
        handle = watches_.make();
    } catch (...) {
        free_if_bare(holder_handle);
        throw;
    }
    Holder& holder = holders_[holder_handle];
    Watch& watch = watches_[handle];
    watch.holder = holder_handle & (max_holders - 1);
    watch.move_to(WatchState::idle);
    watch.unacknowledged = 1;
    watch.channel = channel & (max_channels - 1);
    watch.failures = 0;
    watch.changed = 0;
    watch.resend = 0;
    watch.named = 0;
    watch.ready_links = {none, none};
    watch.notified = notified;
    link_last(holder, handle);
    ++holder.watch_count;
    return handle;
}

void WatchTree::drop(Handle handle) noexcept {
    const Watch& watch = watches_[handle];
    const Handle holder_handle = watch.holder;
    Holder& holder = holders_[holder_handle];
    unlink(holder, handle);
    watches_.free(handle);
    if (--holder.watch_count != 0) return;
    if (holder.queued) changed_.erase(holder);
    if (holder.child_count == 0) free_if_bare(holder_handle);
    trim();
}

void WatchTree::move_to_back(Handle handle) noexcept {
    const Watch& watch = watches_[handle];
    if (watch.in_holder.next == none) return;
    Holder& holder = holders_[watch.holder];
    unlink(holder, handle);
    link_last(holder, handle);
}

// Phase 1.

// The first holder of the queue leaves it; false if there is none.
bool WatchTree::begin_turn() noexcept {
    if (changed_.empty()) return false;
    cursor_ = holders_[changed_.pop_front(holders_)].first_watch;
    tell_room();
    return true;
}

void WatchTree::queue(Handle handle) noexcept {
    Holder& holder = holders_[handle];
    if (holder.watch_count == 0) return;
    if (holder.queued) {
        coalesced_ += holder.watch_count;
        return;
    }
    if (stamped_index_ != tree_.index()) {
        stamped_index_ = tree_.index();
        stamp_ = stamp_of(clock_.now());
    }
    changed_.push_back(holders_, handle, stamp_);
    --room_;
}

// What the tree tells.

// Not while a change is made, which has room reserved.
void WatchTree::trim() noexcept {
    changed_.trim(holders_);
    missing_.trim(HashedHandle::hash_of);
    if (!uses_slots()) mounted_.trim(hash_of_mounted());
    tell_room();
}

void WatchTree::tell_room() noexcept {
    const bool for_all = changed_.room() >= holders_.size() - changed_.size();
    room_ = for_all ? std::numeric_limits<std::uint32_t>::max() : changed_.room();
}

void WatchTree::reserve(std::uint32_t changing, std::uint32_t appearing, std::span<const Handle> going) {
    trim();
    // A holder that goes takes along one for each node between it and the last node to go, and one above that.
    const auto depth = [&](Handle node) {
        const std::string_view key = tree_.node(node).key->view();
        return static_cast<std::size_t>(std::count(key.begin(), key.end(), '.'));
    };
    std::uint32_t unmounting = 0;
    std::size_t taken_along = 0;
    if (holders_.size() != 0) {
        for (const Handle node : going) {
            if (on_node(node) == none) continue;
            ++unmounting;
            taken_along += depth(node) - depth(going.back()) + 1;
        }
    }
    // No more can be queued than are not, and holders made by the change have no watch yet.
    changed_.reserve(holders_, std::min(changing + unmounting, holders_.size() - changed_.size()));
    tell_room();
    const auto room = static_cast<std::uint32_t>(std::min(taken_along, going.size()) + (taken_along != 0 ? 1 : 0));
    if (room != 0) {
        holders_.reserve(room);
        missing_.reserve(HashedHandle::hash_of, room);
    }
    if (!uses_slots()) {
        mounted_.reserve(hash_of_mounted(), room + std::min(appearing, holders_.size()));
    }
}

void WatchTree::appeared(Handle node, std::uint32_t hash) noexcept {
    if (missing_.size() == 0) return;
    const Handle handle = find_missing(tree_.node(node).key->view(), hash);
    if (handle == none) return;
    erase_missing(handle);
    Holder& holder = holders_[handle];
    const Handle parent = holder.place;
    holder.key->release();
    holder.key = tree_.node(node).key;
    holder.key->retain();
    holder.place = node;
    holder.mounted = 1;
    put_on_node(node, handle);
    --holders_[parent].child_count;
    free_if_bare(parent);
}

void WatchTree::going(Handle node, Index index) noexcept {
    const Handle handle = on_node(node);
    if (handle == none) return;
    const Handle parent_node = tree_.node(node).parent;
    Handle parent = on_node(parent_node);
    if (parent == none) parent = make_mounted(parent_node);
    ++holders_[parent].child_count;
    take_off_node(node);
    Holder& holder = holders_[handle];
    holder.place = parent;
    holder.mounted = 0;
    holder.missing_index = index;
    const std::uint32_t hash = hash_bytes(holder.key->view());
    missing_.insert(hash, {hash, handle}, HashedHandle::hash_of);
    missing_key_bytes_ += holder.key->memory();
    queue(handle);
}

void WatchTree::changed(Handle node, Handle slot) noexcept {
    const Handle holder = slot != none ? slot : on_node(node);
    if (holder != none) queue(holder);
}

// Invariants.

void WatchTree::verify() {
    std::uint32_t missing = 0;
    std::uint32_t mounted = 0;
    std::uint32_t hanging = 0;
    std::uint32_t queued = 0;
    std::uint64_t children = 0;
    holders_.for_each([&](Handle handle, Holder& holder) {
        require(holder.watch_count != 0 || holder.child_count != 0, "watch tree 1: a bare holder was not freed");
        children += holder.child_count;
        queued += holder.queued;
        if (holder.mounted) {
            ++mounted;
            require(on_node(holder.place) == handle, "watch tree 2: a mounted holder's node does not name it");
            require(tree_.node(holder.place).key == holder.key, "watch tree 2: a mounted holder has other key bytes");
        } else {
            ++missing;
            const std::string_view key = holder.key->view();
            require(tree_.find(key) == none, "watch tree 2: a holder of an existing key is not mounted");
            require(find_missing(key, hash_bytes(key)) == handle, "watch tree 2: a missing key is not in the table");
            require(holders_.live(holder.place) && holders_[holder.place].key->view() == parent_key(key),
                    "watch tree 2: a missing key's holder is not under its parent's");
        }
        Handle before = none;
        std::uint32_t count = 0;
        for (Handle w = holder.first_watch; w != none; w = watches_[w].in_holder.next) {
            require((before == none || watches_[w].in_holder.prev == before) && watches_[w].holder == handle,
                    "watch tree 4: a holder's list is broken");
            before = w;
            ++count;
        }
        require(holder.first_watch == none || watches_[holder.first_watch].in_holder.prev == before,
                "watch tree 4: a holder's first watch does not name its last");
        require(count == holder.watch_count, "watch tree 4: a holder's list is broken");
        hanging += count;
        require(!holder.queued || holder.watch_count != 0, "watch tree 3: a holder without watches is queued");
    });
    require(missing == missing_.size(), "watch tree 2: the table of missing keys names every missing holder once");
    require(uses_slots() || mounted == mounted_.size(), "watch tree 2: the table of nodes names every mounted holder");
    require(children == missing, "watch tree 2: every missing holder is one child");
    require(hanging == watches_.size(), "watch tree 4: every watch hangs on a holder");
    require(queued == changed_.size(), "watch tree 3: exactly the queued holders are in the queue");
    changed_.verify(holders_);
    require(room_ <= changed_.room() || changed_.room() >= holders_.size() - changed_.size(),
            "watch tree 3: the tree is told of more room in the queue than there is");
    require(cursor_ == none || watches_.live(cursor_), "watch tree 3: the next watch to look at was dropped");
    missing_.verify(HashedHandle::hash_of, "watch tree 2: the probes of the table of missing keys");
    mounted_.verify(hash_of_mounted(), "watch tree 2: the probes of the mounted");
}

}  // namespace watchtree::core
