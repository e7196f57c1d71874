// subscriber.h: follows keys of one or more trees, each through one of its servers at a time (contract §4).
//
// Owns        keys, groups, servers, the queue of events. Opens nothing and sends nothing: actions() says what to do.
// Threads     none; every call is made under the lock of its owner.
// Invariants  1. a key stands in its group; in the pending list exactly if a server is to be told of it.
//             2. at most one request of a group is unanswered, and only its number is listened to.
//             3. a group has a server exactly while it is connecting, steady or asking.
//             4. a server is off exactly if no group has it.
// Order       keys of a group: as they were added. Pending ones: as they were added or removed. `now` is an argument, never
//             read here, and never goes backwards.
// Cost        add, remove, notified: O(1) a key. actions(): O(groups + servers), and the keys it names.
// Errors      the caller checks keys. Out of memory is std::bad_alloc: the keys before it are added or removed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/intrusive_list.h"
#include "core/base/slab.h"
#include "core/subscriber/event_queue.h"
#include "core/subscriber/followed_key.h"
#include "core/subscriber/server_choice.h"
#include "watchtree/subscriber.h"

namespace watchtree::core {

class Subscriber {
  public:
    Subscriber(std::span<const GroupServers> groups, const Config& config);
    Subscriber(const Subscriber&) = delete;
    Subscriber& operator=(const Subscriber&) = delete;

    // By name; none if there is no such one.
    [[nodiscard]] std::optional<std::uint32_t> find_group(std::string_view name) const noexcept;
    [[nodiscard]] std::optional<std::uint32_t> find_server(std::string_view name) const noexcept;

    void add(std::uint32_t group, std::string_view key);
    void remove(std::uint32_t group, std::string_view key);

    [[nodiscard]] std::vector<Action> actions(Nanoseconds now);
    // A moment that has come if there is something to do now; none if there is nothing to wait for.
    [[nodiscard]] std::optional<Nanoseconds> next_deadline() const noexcept;

    void connected(std::uint32_t server) noexcept;
    void connect_failed(std::uint32_t server, Nanoseconds now) noexcept;
    void disconnected(std::uint32_t server, Nanoseconds now) noexcept;
    void synced(std::uint64_t request, const Synced& tree, Nanoseconds now) noexcept;
    void touched(std::uint64_t request, std::uint32_t watches, Nanoseconds now) noexcept;
    void request_failed(std::uint64_t request, Failure reason, Nanoseconds now) noexcept;
    // False: the answer is REMOVE_ALL_WATCHES.
    [[nodiscard]] bool notified(std::uint32_t server, std::uint32_t group, std::span<const Notified> notifications,
                                std::vector<Result>& results);

    [[nodiscard]] std::optional<Event> take();

    [[nodiscard]] std::vector<std::pair<std::string, Index>> known(std::uint32_t group);
    [[nodiscard]] const std::string& server_of(std::uint32_t group) const noexcept;  // empty: it has none
    [[nodiscard]] const std::optional<Synced>& tree_of(std::uint32_t group) const noexcept {
        return groups_[group].tree;
    }
    [[nodiscard]] SubscriberStats stats() const noexcept;

    void verify();

  private:
    //  stage       since                                 waits for                     leaves to
    //  idle        it has nothing to follow              add                           seeking
    //  seeking     it needs a server                     a server that may be tried    connecting, idle
    //  connecting  it chose one                          its connection                steady, seeking, idle
    //  steady      it is connected                       changes, the heartbeat        asking, seeking, idle
    //  asking      a sync or a touch went out            its answer                    steady, seeking
    enum class GroupStage : std::uint8_t { idle, seeking, connecting, steady, asking };

    enum class Asking : std::uint8_t { everything, changes, heartbeat };

    static Links& group_links(FollowedKey& key) noexcept { return key.in_group; }
    static Links& pending_links(FollowedKey& key) noexcept { return key.in_pending; }
    using GroupKeys = IntrusiveList<FollowedKey, group_links>;
    using PendingKeys = IntrusiveList<FollowedKey, pending_links>;

    static constexpr std::uint32_t no_server = static_cast<std::uint32_t>(-1);

    struct Request {
        std::uint64_t number = 0;
        Asking asking = Asking::everything;
        std::uint32_t watches = 0;  // that the server has if it forgot nothing
        Nanoseconds deadline = 0;
    };

    struct Group {
        Group(std::string its_name, ServerChoice its_choice)
            : name(std::move(its_name)), choice(std::move(its_choice)) {}

        std::string name;
        ServerChoice choice;
        std::unordered_map<std::string_view, Handle> by_key;  // never walked
        GroupKeys keys;
        PendingKeys pending;
        std::uint32_t wanted = 0;     // keys that are not being removed
        std::uint32_t at_server = 0;  // keys that the server was told of, and not that they were removed
        GroupStage stage = GroupStage::idle;
        bool needs_everything = true;  // the server has to be told every key
        bool was_served = false;       // this server answered a sync
        std::uint32_t server = no_server;
        std::uint64_t era = 0;       // counts the syncs of everything: what came since the last one came from its tree
        std::optional<Synced> tree;  // as the last sync was answered
        Request request;             // while asking
        Nanoseconds heartbeat_at = 0;
    };

    //  stage       since                            leaves to
    //  off         no group has it                  connecting
    //  connecting  a group chose it                 on, off
    //  on          it was said to be connected      off
    enum class ServerStage : std::uint8_t { off, connecting, on };

    struct Server {
        std::string name;
        ServerStage stage = ServerStage::off;
        std::uint32_t groups = 0;  // that have it
        Nanoseconds deadline = 0;  // while connecting
    };

    // Keys.
    void forget(Handle handle) noexcept;
    void forget_removed(Group& group) noexcept;

    // What to do.
    void expire(Nanoseconds now) noexcept;
    void say_disconnects();
    void advance(Group& group, Nanoseconds now);
    void seek(Group& group, Nanoseconds now);
    void ask_if_needed(Group& group, Nanoseconds now);
    void sync_everything(Group& group, Nanoseconds now);
    void sync_changes(Group& group, Nanoseconds now);
    void touch(Group& group, Nanoseconds now);
    void begin_request(Group& group, Asking asking, Nanoseconds now) noexcept;
    [[nodiscard]] std::optional<Nanoseconds> deadline_of(const Group& group) const noexcept;

    // What happened.
    [[nodiscard]] Group* find_asking(std::uint64_t request, bool heartbeat) noexcept;
    [[nodiscard]] Group* find_asking(std::uint64_t request) noexcept;
    void end_request(Group& group, Nanoseconds now) noexcept;
    void take_as_another_tree(Group& group) noexcept;
    void leave(Group& group) noexcept;
    void give_up(Group& group, Nanoseconds now, bool counts) noexcept;
    void give_up_server(std::uint32_t server, Nanoseconds now) noexcept;
    void cut_server(std::uint32_t server, Nanoseconds now) noexcept;

    const Config config_;
    Slab<FollowedKey> keys_;
    EventQueue events_{keys_};
    std::vector<Group> groups_;
    std::vector<Server> servers_;
    std::vector<std::uint32_t> to_disconnect_;  // room for each server
    std::vector<Action> todo_;                  // of a call of actions() that ran out of memory
    std::uint64_t last_request_ = 0;
    SubscriberStats counters_;
};

}  // namespace watchtree::core
