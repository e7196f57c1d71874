// One watch through the installed library, both ends of it, and nothing of the checkout: from a put to the event.
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "watchtree/clock.h"
#include "watchtree/dispatcher.h"
#include "watchtree/subscriber.h"
#include "watchtree/transport.h"
#include "watchtree/tree.h"

namespace {

using namespace watchtree;

// Hands each batch to the subscriber and answers what that says.
class ToSubscriber final : public Transport {
  public:
    explicit ToSubscriber(Subscriber& subscriber) : subscriber_(subscriber) {}

    void send(Batch& batch) override {
        std::vector<Notified> notifications;
        for (std::size_t i = 0; i < batch.size(); ++i)
            notifications.push_back({batch[i].key, batch[i].state, batch[i].index, batch[i].value});
        std::vector<Result> results;
        bool all_removed = false;
        if (subscriber_.notified("server", "", notifications, results, all_removed) != Status::ok) return;
        if (all_removed) {
            batch.remove_all();
        } else {
            batch.acknowledge();
        }
    }

  private:
    Subscriber& subscriber_;
};

void act(Subscriber& subscriber, Dispatcher& dispatcher) {
    for (const Action& todo : subscriber.actions()) {
        if (const auto* connect = std::get_if<action::Connect>(&todo)) (void)subscriber.connected(connect->server);
        if (const auto* sync = std::get_if<action::Sync>(&todo)) {
            std::vector<Known> known;
            for (const auto& [key, index] : sync->known) known.push_back({key, index});
            Synced synced{};
            if (dispatcher.sync("alice", known, sync->replace, &synced) == Status::ok)
                subscriber.synced(sync->request, synced.tree_id, synced.index);
        }
    }
}

}  // namespace

int main() {
    const auto clock = std::make_shared<ManualClock>();
    const GroupServers group{"", {"server"}};
    Subscriber subscriber({&group, 1}, {}, clock);
    Tree tree;
    ToSubscriber transport(subscriber);
    Dispatcher dispatcher(tree, transport, {}, clock);

    const std::string_view key = "app.db";
    if (subscriber.add({&key, 1}, "") != Status::ok) return 1;
    act(subscriber, dispatcher);  // connects
    act(subscriber, dispatcher);  // syncs
    if (tree.put(key, "v1", true).status != Status::ok) return 1;
    dispatcher.dispatch();

    const std::optional<Event> event = subscriber.take();
    if (!event || event->value != "v1" || dispatcher.stats().acknowledged != 1) return 1;
    std::printf("%s=%s\n", event->key.c_str(), event->value->c_str());
    return 0;
}
