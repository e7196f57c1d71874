// watchtree::Subscriber: checks what the user gives, takes the lock and reads the clock for core::Subscriber.
#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "core/engine/forward_clock.h"
#include "core/engine/patient_lock.h"
#include "core/subscriber/subscriber.h"
#include "core/tree/key.h"
#include "watchtree/subscriber.h"

namespace watchtree {

namespace {

using Guard = std::lock_guard<core::PatientLock>;

template <typename Items, typename Name>
bool has_two_of_a_name(const Items& items, Name name) {
    for (auto item = items.begin(); item != items.end(); ++item)
        if (std::any_of(items.begin(), item, [&](const auto& other) { return name(other) == name(*item); }))
            return true;
    return false;
}

void check(std::span<const GroupServers> groups) {
    if (groups.empty()) throw std::invalid_argument("a subscriber needs at least one group of servers");
    if (has_two_of_a_name(groups, [](const GroupServers& group) -> const std::string& { return group.name; }))
        throw std::invalid_argument("two groups of a subscriber have the same name");
    for (const GroupServers& group : groups) {
        if (group.servers.empty()) throw std::invalid_argument("group '" + group.name + "' has no server");
        if (has_two_of_a_name(group.servers, [](const std::string& name) -> const std::string& { return name; }))
            throw std::invalid_argument("group '" + group.name + "' names a server twice");
    }
}

Status check(std::span<const std::string_view> keys, std::uint32_t max_key_bytes, std::size_t* bad) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const Status status = core::check_key(keys[i], max_key_bytes);
        if (status == Status::ok) continue;
        if (bad != nullptr) *bad = i;
        return status;
    }
    return Status::ok;
}

}  // namespace

struct Subscriber::Inside {
    Inside(std::span<const GroupServers> groups, const Config& config, std::shared_ptr<Clock> user_clock)
        : clock(user_clock == nullptr ? std::make_shared<SteadyClock>() : std::move(user_clock)),
          subscriber(groups, config),
          max_key_bytes(config.max_key_bytes) {}

    core::PatientLock lock;
    core::ForwardClock clock;
    core::Subscriber subscriber;
    const std::uint32_t max_key_bytes;

    // change(group, key) for each key, once all are known to be good.
    template <typename Change>
    Status for_each(std::span<const std::string_view> keys, std::string_view group, std::size_t* bad, Change change) {
        const std::optional<std::uint32_t> number = subscriber.find_group(group);
        if (!number) return Status::unknown_group;
        const Status status = check(keys, max_key_bytes, bad);
        if (status != Status::ok) return status;
        const Guard guard(lock);
        for (const std::string_view key : keys) change(*number, key);
        return Status::ok;
    }

    template <typename Happened>
    Status at_server(std::string_view name, Happened happened) {
        const std::optional<std::uint32_t> server = subscriber.find_server(name);
        if (!server) return Status::unknown_server;
        const Guard guard(lock);
        happened(*server);
        return Status::ok;
    }
};

Subscriber::Subscriber(std::span<const GroupServers> groups, const Config& config, std::shared_ptr<Clock> clock) {
    check(groups);
    validate(config);
    inside_ = std::make_unique<Inside>(groups, config, std::move(clock));
}

Subscriber::Subscriber(Subscriber&&) noexcept = default;
Subscriber& Subscriber::operator=(Subscriber&&) noexcept = default;
Subscriber::~Subscriber() = default;

Status Subscriber::add(std::span<const std::string_view> keys, std::string_view group, std::size_t* bad) {
    return inside_->for_each(keys, group, bad,
                             [&](std::uint32_t number, std::string_view key) { inside_->subscriber.add(number, key); });
}

Status Subscriber::remove(std::span<const std::string_view> keys, std::string_view group, std::size_t* bad) {
    return inside_->for_each(
        keys, group, bad, [&](std::uint32_t number, std::string_view key) { inside_->subscriber.remove(number, key); });
}

std::vector<Action> Subscriber::actions() {
    const Guard guard(inside_->lock);
    return inside_->subscriber.actions(inside_->clock.now());
}

std::optional<Nanoseconds> Subscriber::next_deadline() const {
    const Guard guard(inside_->lock);
    const std::optional<Nanoseconds> deadline = inside_->subscriber.next_deadline();
    if (!deadline) return std::nullopt;
    const Nanoseconds now = inside_->clock.now();
    return *deadline > now ? *deadline - now : 0;
}

Status Subscriber::connected(std::string_view server) {
    return inside_->at_server(server, [&](std::uint32_t number) { inside_->subscriber.connected(number); });
}

Status Subscriber::connect_failed(std::string_view server) {
    return inside_->at_server(
        server, [&](std::uint32_t number) { inside_->subscriber.connect_failed(number, inside_->clock.now()); });
}

Status Subscriber::disconnected(std::string_view server) {
    return inside_->at_server(
        server, [&](std::uint32_t number) { inside_->subscriber.disconnected(number, inside_->clock.now()); });
}

void Subscriber::synced(std::uint64_t request, const TreeId& tree_id, Index index) {
    const Guard guard(inside_->lock);
    inside_->subscriber.synced(request, {tree_id, index}, inside_->clock.now());
}

void Subscriber::touched(std::uint64_t request, std::uint32_t watches) {
    const Guard guard(inside_->lock);
    inside_->subscriber.touched(request, watches, inside_->clock.now());
}

void Subscriber::request_failed(std::uint64_t request, Failure reason) {
    const Guard guard(inside_->lock);
    inside_->subscriber.request_failed(request, reason, inside_->clock.now());
}

Status Subscriber::notified(std::string_view server, std::string_view group, std::span<const Notified> notifications,
                            std::vector<Result>& results, bool& all_removed) {
    const std::optional<std::uint32_t> group_number = inside_->subscriber.find_group(group);
    if (!group_number) return Status::unknown_group;
    return inside_->at_server(server, [&](std::uint32_t number) {
        all_removed = !inside_->subscriber.notified(number, *group_number, notifications, results);
    });
}

std::optional<Event> Subscriber::take() {
    const Guard guard(inside_->lock);
    return inside_->subscriber.take();
}

Status Subscriber::known(std::string_view group, std::vector<std::pair<std::string, Index>>& known) const {
    const std::optional<std::uint32_t> number = inside_->subscriber.find_group(group);
    if (!number) return Status::unknown_group;
    const Guard guard(inside_->lock);
    known = inside_->subscriber.known(*number);
    return Status::ok;
}

Status Subscriber::server(std::string_view group, std::string& server) const {
    const std::optional<std::uint32_t> number = inside_->subscriber.find_group(group);
    if (!number) return Status::unknown_group;
    const Guard guard(inside_->lock);
    server = inside_->subscriber.server_of(*number);
    return Status::ok;
}

Status Subscriber::tree(std::string_view group, std::optional<Synced>& tree) const {
    const std::optional<std::uint32_t> number = inside_->subscriber.find_group(group);
    if (!number) return Status::unknown_group;
    const Guard guard(inside_->lock);
    tree = inside_->subscriber.tree_of(*number);
    return Status::ok;
}

SubscriberStats Subscriber::stats() const {
    const Guard guard(inside_->lock);
    return inside_->subscriber.stats();
}

void Subscriber::verify() const {
    const Guard guard(inside_->lock);
    inside_->subscriber.verify();
}

}  // namespace watchtree
