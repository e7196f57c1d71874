// subscriber.h: the other end of a dispatcher's channels (contract §4): follows keys through whichever server answers. It
// opens no connection and reads no socket: it is told what happened, and says what to do. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "watchtree/clock.h"
#include "watchtree/config.h"
#include "watchtree/known.h"
#include "watchtree/status.h"
#include "watchtree/tree_id.h"
#include "watchtree/words.h"

namespace watchtree {

// One tree, which any of these servers can show.
struct GroupServers {
    std::string name;
    std::vector<std::string> servers;
};

// What to do, each once, in this order.
namespace action {
struct Connect {
    std::string server;  // then say connected or connect_failed
};
struct Disconnect {
    std::string server;  // nothing more is expected from it
};
struct Sync {
    std::uint64_t request;  // to be named in synced or request_failed
    std::string server;
    std::string group;
    std::vector<std::pair<std::string, Index>> known;
    bool replace;
};
struct Touch {
    std::uint64_t request;  // to be named in touched or request_failed
    std::string server;
    std::string group;
};
}  // namespace action
using Action = std::variant<action::Connect, action::Disconnect, action::Sync, action::Touch>;

// What a server says of one key. The bytes are read during the call only.
struct Notified {
    std::string_view key;
    State state;
    Index index;
    std::optional<std::string_view> value;  // the bytes if the state is value
};

// The newest state of a key, for the user.
struct Event {
    std::string group;
    std::string key;
    State state;
    Index index;
    std::optional<std::string> value;
};

struct SubscriberStats {
    // Now.
    std::uint32_t keys = 0;     // wanted
    std::uint32_t waiting = 0;  // events not taken yet
    std::uint32_t connected = 0;
    std::uint32_t requests = 0;  // without an answer yet
    // Ever.
    std::uint64_t accepted = 0;         // notifications that were news
    std::uint64_t dropped = 0;          // that were not
    std::uint64_t refused = 0;          // for keys that are not watched
    std::uint64_t coalesced = 0;        // events replaced by a newer one before they were taken
    std::uint64_t syncs = 0;            // that were answered
    std::uint64_t heartbeats = 0;       // that were answered
    std::uint64_t forgotten = 0;        // heartbeats that found a server with another number of watches
    std::uint64_t other_trees = 0;      // answers from a tree of another id than before
    std::uint64_t failures = 0;         // servers that were given up
    std::uint64_t ignored_answers = 0;  // that came late, again, or for nothing
};

class Subscriber {
  public:
    // groups: at least one, of different names, each with at least one server and none twice, else std::invalid_argument.
    // clock: null for the steady clock.
    explicit Subscriber(std::span<const GroupServers> groups, const Config& config = {},
                        std::shared_ptr<Clock> clock = nullptr);
    Subscriber(Subscriber&&) noexcept;
    Subscriber& operator=(Subscriber&&) noexcept;
    ~Subscriber();

    // What the user wants. A key that is there already, or not there, is passed over. ok; invalid_key or key_too_long, bad
    // then being the position of the first bad key, and nothing has changed; or unknown_group.
    Status add(std::span<const std::string_view> keys, std::string_view group, std::size_t* bad = nullptr);
    Status remove(std::span<const std::string_view> keys, std::string_view group, std::size_t* bad = nullptr);

    // What to do now. Handles the deadlines that have come.
    [[nodiscard]] std::vector<Action> actions();
    // Nanoseconds until actions() has something to say: 0 now, none never unless something happens.
    [[nodiscard]] std::optional<Nanoseconds> next_deadline() const;

    // What happened. What comes late or unasked for is ignored and counted. unknown_server if there is none of that name.
    Status connected(std::string_view server);
    Status connect_failed(std::string_view server);
    Status disconnected(std::string_view server);
    void synced(std::uint64_t request, const TreeId& tree_id, Index index);
    void touched(std::uint64_t request, std::uint32_t watches);
    void request_failed(std::uint64_t request, Failure reason);
    // results: one for each notification. all_removed: answer REMOVE_ALL_WATCHES instead.
    Status notified(std::string_view server, std::string_view group, std::span<const Notified> notifications,
                    std::vector<Result>& results, bool& all_removed);

    // Events, in the order in which their keys first changed.
    [[nodiscard]] std::optional<Event> take();

    // The wanted keys of a group and the index that it has of each, 0 for nothing, in the order they were added.
    Status known(std::string_view group, std::vector<std::pair<std::string, Index>>& known) const;
    // The server that a group is with, or is connecting to; empty if it has none.
    Status server(std::string_view group, std::string& server) const;
    // The answer to the last sync of a group; none if there was none yet.
    Status tree(std::string_view group, std::optional<Synced>& tree) const;
    [[nodiscard]] SubscriberStats stats() const;
    void verify() const;

  private:
    struct Inside;
    std::unique_ptr<Inside> inside_;
};

}  // namespace watchtree
