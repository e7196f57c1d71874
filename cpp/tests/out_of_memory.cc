// out_of_memory.cc: each allocation of each call fails once. The call says so, everything is whole, a failed change has
// changed nothing, and the call made again does what it would have done.
//
// A history of calls is played for each allocation of each of its calls: up to that call, then that call with the one
// allocation failing, then the rest. What comes out at the end must be what comes out without a failure. The linker hands
// malloc to this file (see CMakeLists.txt).
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "watchtree/dispatcher.h"
#include "watchtree/subscriber.h"
#include "watchtree/tree.h"

using namespace watchtree;

namespace {

long until_failure = -1;  // allocations that still succeed before one fails; negative: all do

bool fails_now() noexcept {
    if (until_failure < 0) return false;
    return until_failure-- == 0;
}

// What the test itself allocates never fails.
class Undisturbed {
  public:
    Undisturbed() : kept_(std::exchange(until_failure, -1)) {}
    ~Undisturbed() { until_failure = kept_; }
    Undisturbed(const Undisturbed&) = delete;
    Undisturbed& operator=(const Undisturbed&) = delete;

  private:
    long kept_;
};

}  // namespace

extern "C" void* __real_malloc(std::size_t);
extern "C" void* __wrap_malloc(std::size_t bytes) { return fails_now() ? nullptr : __real_malloc(bytes); }

void* operator new(std::size_t bytes) {
    void* const memory = fails_now() ? nullptr : __real_malloc(bytes == 0 ? 1 : bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    const auto align = static_cast<std::size_t>(alignment);
    return fails_now() ? nullptr : std::aligned_alloc(align, (bytes + align - 1) / align * align);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }

namespace {

const std::string large(300, 'l');

// Answers as it is told to.
class Answering final : public Transport {
  public:
    enum class Way { acknowledge, keep, fail, error };

    void send(Batch& batch) override {
        switch (way) {
            case Way::acknowledge: batch.acknowledge(); return;
            case Way::fail: batch.fail(Failure::network); return;
            case Way::error: batch.acknowledge(std::array<std::int64_t, 1>{7}); return;
            case Way::keep: {
                const Undisturbed undisturbed;
                kept.push_back(std::move(batch));
                return;
            }
        }
    }

    Way way = Way::acknowledge;
    std::vector<Batch> kept;
};

struct World {
    World() {
        Config config;
        config.max_batch_size = 3;
        config.max_batch_bytes = 200;
        dispatcher.emplace(tree, transport, config, clock);
        second.emplace(tree, of_second, config, clock);
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    void dispatch() {
        while (!dispatcher->dispatch()) {
        }
    }

    // All that a user sees in the end, once everything was delivered.
    std::string outcome() {
        transport.way = Answering::Way::acknowledge;
        std::vector<Batch> kept = std::move(transport.kept);
        for (Batch& batch : kept) batch.fail(Failure::network);
        for (int i = 0; i < 10; ++i) {
            dispatch();
            if (!clock->advance(60'000'000'000)) std::abort();
        }
        std::string text = std::to_string(tree.index()) + "\n";
        describe("", text);
        for (const std::string& channel : dispatcher->channels()) {
            text += channel + ":";
            const auto watches = dispatcher->watches(channel);
            for (const auto& [key, index] : watches.value()) text += " " + key + std::to_string(index);
            text += "\n";
        }
        return text;
    }

    void describe(const std::string& key, std::string& text) {
        std::vector<Node> children;
        if (tree.list(key, children) != Status::ok) return;
        for (const Node& child : children) {
            text += child.key + "=" + child.value.value_or("/") + " " + std::to_string(child.create_index) + " " +
                    std::to_string(child.update_index) + "\n";
            describe(child.key, text);
        }
    }

    std::string text_of_tree() {
        std::string text = std::to_string(tree.index()) + "\n";
        describe("", text);
        return text;
    }

    // A put that fails has not changed anything.
    void put_in_place(const std::string& key, std::string_view value) {
        const Index before = tree.index();
        try {
            (void)tree.put(key, value, false);
        } catch (const std::bad_alloc&) {
            const Undisturbed undisturbed;
            Node node;
            if (tree.index() != before || tree.get(key, node) != Status::ok || node.value == value) std::abort();
            throw;
        }
    }

    Tree tree;
    Answering transport;
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::optional<Dispatcher> dispatcher;
    Answering of_second;
    std::optional<Dispatcher> second;  // nothing in the nodes names its holders
};

template <typename Side>
struct Call {
    const char* name;
    std::function<void(Side&)> make;
    bool keeps_a_part = false;  // what it did until it failed stays: it is not compared
};

[[noreturn]] void stop(const char* call, long allocation, const std::string& why) {
    const Undisturbed undisturbed;
    std::fprintf(stderr, "allocation %ld of \"%s\" failed: %s\n", allocation, call, why.c_str());
    std::exit(1);
}

const std::string& image() {
    static const std::string bytes = [] {
        Tree tree;
        for (const char* key : {"a.b", "a.c", "d.e.f"}) (void)tree.put(key, "restored", true);
        return tree.snapshot();
    }();
    return bytes;
}

void sync(World& world, const char* channel, std::vector<Known> known, bool replace = false) {
    if (world.dispatcher->sync(channel, known, replace) != Status::ok) std::abort();
}

const std::vector<Call<World>>& history() {
    using Way = Answering::Way;
    static const std::vector<Call<World>> calls = {
        {"put with parents", [](World& w) { (void)w.tree.put("a.b.c.d", "1", true); }},
        {"mkdir with parents", [](World& w) { (void)w.tree.mkdir("e.f.g", true); }},
        {"sync", [](World& w) { sync(w, "one", {{"a.b.c.d", 0}, {"e.f.missing.deep", 0}, {"", 0}}); }},
        {"sync of a second channel",
         [](World& w) { sync(w, "two", {{"a.b", 0}, {"e.f.missing", 0}, {"nothing", 0}}); }},
        {"dispatch", [](World& w) { w.dispatch(); }},
        {"a put of a watched key", [](World& w) { (void)w.tree.put("a.b.c.d", large, false); }},
        {"a put that makes watched keys", [](World& w) { (void)w.tree.put("e.f.missing.deep", "2", true); }},
        {"dispatch that keeps the batches",
         [](World& w) {
             w.transport.way = Way::keep;
             w.dispatch();
         }},
        {"a put while in flight", [](World& w) { (void)w.tree.put("a.b.c.d", "3", false); }},
        {"dispatch while in flight", [](World& w) { w.dispatch(); }},
        {"an acknowledgement of each kept batch",
         [](World& w) {
             std::vector<Batch> kept = std::move(w.transport.kept);  // more are kept meanwhile
             for (Batch& batch : kept) batch.acknowledge();
         }},
        {"dispatch that fails",
         [](World& w) {
             w.transport.way = Way::fail;
             w.transport.kept.clear();
             w.dispatch();
         }},
        {"many keys",
         [](World& w) {
             const Undisturbed undisturbed;  // one is enough to see
             for (int i = 0; i < 40; ++i) (void)w.tree.put("many.key" + std::to_string(i), "v", true);
         }},
        {"a sync of many",
         [](World& w) {
             std::vector<std::string> keys;
             std::vector<Known> known;
             for (int i = 0; i < 40; ++i) keys.push_back("many.key" + std::to_string(i));
             for (const std::string& key : keys) known.push_back({key, 0});
             sync(w, "three", known);
         }},
        {"dispatch of cut batches",
         [](World& w) {
             w.transport.way = Way::acknowledge;
             w.dispatch();
         }},
        {"a retry",
         [](World& w) {
             (void)w.clock->advance(1'000'000'000);
             w.dispatch();
         }},
        {"many puts in place",  // more than a queue of changed holders has room for at first
         [](World& w) {
             for (int i = 0; i < 40; ++i) w.put_in_place("many.key" + std::to_string(i), "w");
         },
         true},
        {"a sync that replaces", [](World& w) { sync(w, "two", {{"a.b", 0}, {"x.y.z", 0}, {"many", 0}}, true); }},
        {"a sync of the second dispatcher with all on the way to a missing key",
         [](World& w) {
             std::vector<std::string> keys{"deep"};
             while (keys.size() < 60) keys.push_back(keys.back() + ".deep");
             std::vector<Known> known;
             for (const std::string& key : keys) known.push_back({key, 0});
             if (w.second->sync("five", known) != Status::ok) std::abort();
         }},
        {"a put that makes all of these",
         [](World& w) {
             std::string key = "deep";
             for (int i = 1; i < 60; ++i) key += ".deep";
             (void)w.tree.put(key, "4", true);
         }},
        {"a dispatch of the second dispatcher",
         [](World& w) {
             while (!w.second->dispatch()) {
             }
         }},
        {"a batch of changes",
         [](World& w) {
             const std::array operations = {Operation::put("x.y.z", "new", true), Operation::remove("e", true),
                                            Operation::put("q.r", "s", true), Operation::put("q.t", large),
                                            Operation::compare_and_set("q.r", "s", std::nullopt)};
             std::vector<Change> changes;
             if (w.tree.batch(operations, changes) == Status::ok && changes.size() != 5) std::abort();
         },
         true},
        {"dispatch with an error of each watch",
         [](World& w) {
             w.transport.way = Way::error;
             w.dispatch();
         }},
        {"a removal of all", [](World& w) { (void)w.tree.remove("many", true); }},
        {"dispatch of removals",
         [](World& w) {
             w.transport.way = Way::keep;
             w.dispatch();
         }},
        {"dispatch after the answers are overdue",
         [](World& w) {
             (void)w.clock->advance(16'000'000'000);
             w.dispatch();
         }},
        {"close", [](World& w) { (void)w.dispatcher->close("three"); }},
        {"snapshot", [](World& w) { (void)w.tree.snapshot(); }},
        {"restore", [](World& w) { (void)w.tree.restore(image()); }},
        {"a sync after the restore", [](World& w) { sync(w, "one", {{"a.b", 0}, {"d.e.f.g", 0}}); }},
        {"reset", [](World& w) { w.dispatcher->reset(); }},
        {"a sync after the reset", [](World& w) { sync(w, "four", {{"a.b", 0}, {"d", 0}, {"", 0}}); }},
        {"put", [](World& w) { (void)w.tree.put("a.b", large, false); }},
    };
    return calls;
}

// A subscriber of two groups; what it is told to do is done at once, by servers that have what they are asked for.
struct FollowingWorld {
    FollowingWorld() {
        const std::vector<GroupServers> groups = {{"g", {"s1", "s2"}}, {"h", {"s1"}}};
        subscriber.emplace(groups, Config{}, clock);
    }

    void act() {
        for (int i = 0; i < 4; ++i)
            for (const Action& action : subscriber->actions()) {
                const Undisturbed undisturbed;
                if (const auto* connect = std::get_if<action::Connect>(&action)) {
                    (void)subscriber->connected(connect->server);
                } else if (const auto* asked = std::get_if<action::Sync>(&action)) {
                    subscriber->synced(asked->request, TreeId{}, 100);
                } else if (const auto* touch = std::get_if<action::Touch>(&action)) {
                    subscriber->touched(touch->request, 2);
                }
            }
    }

    void notify(const char* key, Index index) {
        std::string server;
        if (subscriber->server("g", server) != Status::ok) std::abort();
        const std::array notifications = {Notified{key, State::value, index, large}};
        std::vector<Result> results;
        bool all_removed = false;
        (void)subscriber->notified(server, "g", notifications, results, all_removed);
    }

    std::string outcome() {
        act();
        std::string text;
        for (const char* group : {"g", "h"}) {
            std::vector<std::pair<std::string, Index>> known;
            if (subscriber->known(group, known) != Status::ok) std::abort();
            for (const auto& [key, index] : known) text += key + " " + std::to_string(index) + "\n";
        }
        while (const std::optional<Event> event = subscriber->take())
            taken += event->key + std::to_string(event->index);
        return text + taken;
    }

    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::optional<Subscriber> subscriber;
    std::string taken;
};

void add(FollowingWorld& world, std::vector<std::string_view> keys, const char* group) {
    if (world.subscriber->add(keys, group) != Status::ok) std::abort();
}

const std::vector<Call<FollowingWorld>>& following() {
    using F = FollowingWorld;
    static const std::vector<Call<F>> calls = {
        {"add", [](F& f) { add(f, {"a key that is too long for a small string", "b"}, "g"); }},
        {"add to the other group", [](F& f) { add(f, {"c"}, "h"); }},
        {"actions", [](F& f) { f.act(); }},
        {"notified", [](F& f) { f.notify("b", 7); }},
        {"notified again", [](F& f) { f.notify("a key that is too long for a small string", 8); }},
        {"a newer notification", [](F& f) { f.notify("b", 9); }},
        {"take",
         [](F& f) {
             if (const std::optional<Event> event = f.subscriber->take()) {
                 const Undisturbed undisturbed;
                 f.taken += event->key + std::to_string(event->index);
             }
         }},
        {"a lost connection", [](F& f) { (void)f.subscriber->disconnected("s1"); }},
        {"actions after it",
         [](F& f) {
             (void)f.clock->advance(2'000'000'000);
             f.act();
         }},
        {"remove", [](F& f) { (void)f.subscriber->remove(std::array<std::string_view, 1>{"b"}, "g"); }},
        {"actions after the removal", [](F& f) { f.act(); }},
        {"add again", [](F& f) { add(f, {"b", "d", "e", "f"}, "g"); }},
        {"heartbeats",
         [](F& f) {
             (void)f.clock->advance(60'000'000'000);
             f.act();
         }},
    };
    return calls;
}

template <typename Side>
std::string whole_history(const std::vector<Call<Side>>& calls) {
    Side side;
    for (const Call<Side>& call : calls) call.make(side);
    return side.outcome();
}

void verify(World& world) {
    world.tree.verify();
    world.dispatcher->verify();
    world.second->verify();
}
void verify(FollowingWorld& world) { world.subscriber->verify(); }

std::string text_of(World& world) { return world.text_of_tree(); }
std::string text_of(FollowingWorld&) { return {}; }

// Plays the history with one allocation of one call failing; false if that call needs no more than those before it.
template <typename Side>
bool play(const std::vector<Call<Side>>& calls, std::size_t failing, long allocation, const std::string& expected) {
    Side side;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const Call<Side>& call = calls[i];
        if (i != failing) {
            call.make(side);
            continue;
        }
        const std::string before = text_of(side);
        bool thrown = false;
        try {
            until_failure = allocation;
            call.make(side);
        } catch (const std::bad_alloc&) {
            thrown = true;
        }
        if (std::exchange(until_failure, -1) >= 0) return false;
        try {
            verify(side);
        } catch (const std::exception& broken) {
            stop(call.name, allocation, broken.what());
        }
        if (!thrown) continue;  // it was the transport's, or could wait
        if (!call.keeps_a_part && text_of(side) != before) stop(call.name, allocation, "it changed something");
        call.make(side);
    }
    const std::string outcome = side.outcome();
    verify(side);
    if (!calls[failing].keeps_a_part && outcome != expected)
        stop(calls[failing].name, allocation, "it ended with\n" + outcome + "not with\n" + expected);
    return true;
}

template <typename Side>
long try_all(const std::vector<Call<Side>>& calls) {
    const std::string expected = whole_history(calls);
    long tried = 0;
    for (std::size_t failing = 0; failing < calls.size(); ++failing)
        for (long allocation = 0; play(calls, failing, allocation, expected); ++allocation) ++tried;
    return tried;
}

}  // namespace

int main() {
    (void)image();
    const long dispatching = try_all(history());
    const long subscribing = try_all(following());
    std::printf("%ld allocations of a tree and its dispatcher, %ld of a subscriber\n", dispatching, subscribing);
    return dispatching > 100 && subscribing > 30 ? 0 : 1;
}
