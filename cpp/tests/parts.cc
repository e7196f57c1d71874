// parts.cc: the parts that the core is made of, each by itself: the structures of core/base and the queue of changed holders do
// over long runs of random operations what the standard library's do, hashes spread, the clock goes forward.
//
// The seeds are fixed and the engine is std::mt19937, so a failure comes again. Run with the sanitizers in .ci/run.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/buffer.h"
#include "core/base/hash.h"
#include "core/base/intrusive_list.h"
#include "core/base/probe_table.h"
#include "core/base/slab.h"
#include "core/engine/forward_clock.h"
#include "core/watch/changed_queue.h"
#include "tests/check.h"

using namespace watchtree::core;

namespace {

class Random {
  public:
    explicit Random(std::uint32_t seed) : engine_(seed) {}
    [[nodiscard]] std::uint32_t below(std::size_t bound) { return word() % static_cast<std::uint32_t>(bound); }
    [[nodiscard]] std::uint32_t word() { return static_cast<std::uint32_t>(engine_()); }

  private:
    std::mt19937 engine_;
};

// A record with something to destroy, so that one destroyed twice or never is seen.
struct Record {
    std::shared_ptr<std::uint32_t> number;
    Links links{none, none};
};
Links& links_of(Record& record) { return record.links; }
using List = IntrusiveList<Record, links_of>;

[[nodiscard]] Record record(std::uint32_t number) { return {std::make_shared<std::uint32_t>(number), {none, none}}; }

void a_slab_is_a_map_from_handles_to_records() {
    Random random(1);
    Slab<Record> slab;
    std::map<Handle, std::shared_ptr<std::uint32_t>> model;
    std::vector<Handle> live;
    for (int step = 0; step < 60'000; ++step) {
        // Grows to some thousands, shrinks to none, and so on: chunks come and go.
        const bool growing = step / 10'000 % 2 == 0;
        if (live.empty() || random.below(10) < (growing ? 7u : 3u)) {
            const Record made = record(random.word());
            const Handle handle = slab.make(made);
            CHECK(model.emplace(handle, made.number).second);
            live.push_back(handle);
        } else {
            const std::size_t at = random.below(live.size());
            const Handle handle = std::exchange(live[at], live.back());
            live.pop_back();
            CHECK(slab[handle].number == model.at(handle));
            CHECK(model.at(handle).use_count() == 2);
            slab.free(handle);
            CHECK(model.at(handle).use_count() == 1);
            model.erase(handle);
        }
        CHECK(slab.size() == model.size());
        if (step % 1'000 != 0) continue;
        auto expected = model.begin();
        slab.for_each([&](Handle handle, Record& at) {
            CHECK(expected != model.end() && expected->first == handle && expected->second == at.number);
            ++expected;
        });
        CHECK(expected == model.end());
    }
    const std::size_t memory = slab.memory();
    for (const Handle handle : live) slab.free(handle);
    CHECK(slab.size() == 0);
    CHECK(slab.memory() <= memory);
}

void the_memory_of_a_slab_follows_what_is_live() {
    Slab<std::uint64_t> slab;
    std::vector<Handle> handles;
    for (std::uint64_t i = 0; i < 100'000; ++i) handles.push_back(slab.make(i));
    const std::size_t full = slab.memory();
    CHECK(full < 100'000 * sizeof(std::uint64_t) * 5 / 4);
    for (const Handle handle : handles) slab.free(handle);
    CHECK(slab.memory() < full / 10);
    for (std::uint64_t i = 0; i < 100'000; ++i) CHECK(slab[slab.make(i)] == i);
    CHECK(slab.memory() <= full);
}

void a_full_slab_refuses_and_changes_nothing() {
    constexpr std::uint32_t limit = 2 * Slab<std::uint64_t>::chunk_size;
    Slab<std::uint64_t> slab(limit);
    for (std::uint32_t i = 0; i < limit; ++i) CHECK(slab[slab.make(i)] == i);
    bool refused = false;
    try {
        (void)slab.make(0u);
    } catch (const std::length_error&) {
        refused = true;
    }
    CHECK(refused && slab.size() == limit);
    slab.free(0);
    CHECK(slab.make(7u) == 0 && slab[0] == 7);
}

void a_reserved_slab_allocates_no_more() {
    Slab<std::uint64_t> slab;
    slab.reserve(5'000);
    const std::size_t memory = slab.memory();
    for (std::uint64_t i = 0; i < 5'000; ++i) (void)slab.make(i);
    CHECK(slab.memory() == memory);
}

void a_list_is_a_queue_from_which_any_record_can_go() {
    Random random(2);
    Slab<Record> slab;
    List list;
    std::deque<Handle> model;
    for (int step = 0; step < 20'000; ++step) {
        const std::uint32_t choice = random.below(10);
        if (model.empty() || choice < 5) {
            const Handle handle = slab.make(record(random.word()));
            list.push_back(slab, handle);
            model.push_back(handle);
        } else if (choice < 7) {
            const Handle handle = list.pop_front(slab);
            CHECK(handle == model.front());
            model.pop_front();
            slab.free(handle);
        } else {
            const auto at = model.begin() + random.below(model.size());
            const Handle handle = *at;
            model.erase(at);
            if (choice < 9) {
                list.erase(slab, handle);
                slab.free(handle);
            } else {
                list.move_to_back(slab, handle);
                model.push_back(handle);
            }
        }
        CHECK(list.size() == model.size() && list.empty() == model.empty());
        CHECK(list.front() == (model.empty() ? none : model.front()));
        CHECK(list.back() == (model.empty() ? none : model.back()));
        if (step % 500 != 0) continue;
        std::vector<Handle> walked;
        list.verify(slab, "the list of the test", [&](Handle handle) { walked.push_back(handle); });
        CHECK(std::equal(walked.begin(), walked.end(), model.begin(), model.end()));
    }
}

// hashes: how many different ones, 0 for one a key. Few make long clusters, which wrap around the end of the table.
void a_probe_table_is_a_hash_map(std::uint32_t seed, std::uint32_t hashes, std::uint32_t keys) {
    Random random(seed);
    const std::uint32_t spread = hashes == 0 ? 1 : 0xFFFFFFFFu / hashes;
    const auto hash_of_key = [&](std::uint32_t key) {
        return hashes == 0 ? key * 2654435769u : 0xFFFFFFFFu - key % hashes * spread;
    };
    ProbeTable<HashedHandle> table;
    std::unordered_map<std::uint32_t, std::uint32_t> model;
    const auto find = [&](std::uint32_t key) {
        return table.find(hash_of_key(key), [&](const HashedHandle::Slot& slot) { return slot.handle == key; });
    };
    for (int step = 0; step < 40'000; ++step) {
        const std::uint32_t key = random.below(keys);
        const bool growing = step / 8'000 % 2 == 0;
        HashedHandle::Slot* slot = find(key);
        CHECK((slot != nullptr) == model.contains(key));
        if (slot != nullptr) {
            CHECK(slot->handle == key && slot->hash == model.at(key));
            if (!growing || random.below(4) == 0) {
                table.erase(slot, HashedHandle::hash_of);
                if (random.below(4) == 0) table.trim(HashedHandle::hash_of);
                model.erase(key);
                CHECK(find(key) == nullptr);
            }
        } else if (growing || random.below(4) == 0) {
            table.insert(hash_of_key(key), {hash_of_key(key), key}, HashedHandle::hash_of);
            model.emplace(key, hash_of_key(key));
        }
        CHECK(table.size() == model.size());
        if (step % 500 != 0) continue;
        table.verify(HashedHandle::hash_of, "the table of the test");
        std::size_t count = 0;
        table.for_each([&](const HashedHandle::Slot& at) {
            CHECK(model.contains(at.handle));
            ++count;
        });
        CHECK(count == model.size());
    }
    for (std::uint32_t key = 0; key < keys; ++key)
        if (auto* slot = find(key); slot != nullptr) table.erase(slot, HashedHandle::hash_of);
    table.trim(HashedHandle::hash_of);
    CHECK(table.size() == 0 && table.memory() == 0);
}

void a_reserved_probe_table_does_not_move() {
    ProbeTable<HashedHandle> table;
    table.reserve(HashedHandle::hash_of, 1'000);
    const std::size_t memory = table.memory();
    for (std::uint32_t key = 0; key < 1'000; ++key) table.insert(key, {key, key}, HashedHandle::hash_of);
    CHECK(table.memory() == memory);
}

void a_moved_table_leaves_none_behind() {
    ProbeTable<HashedHandle> table;
    table.insert(1, {1, 1}, HashedHandle::hash_of);
    ProbeTable<HashedHandle> other(std::move(table));
    CHECK(other.size() == 1 && other.find(1, [](const auto& slot) { return slot.handle == 1; }) != nullptr);
    table = ProbeTable<HashedHandle>();
    CHECK(table.size() == 0 && table.find(1, [](const auto&) { return true; }) == nullptr);
}

void a_buffer_is_written_in_place_only_by_its_one_holder() {
    BufferRef first = BufferRef::adopt(Buffer::make("abc"));
    CHECK(first.get()->overwrite("xyz") && first.get()->view() == "xyz");
    CHECK(!first.get()->overwrite("longer"));
    {
        const BufferRef second = BufferRef::share(first.get());
        CHECK(!first.get()->overwrite("abc") && second.get()->view() == "xyz");
    }
    CHECK(first.get()->overwrite("abc"));
    const std::string bytes("\0\xff", 2);
    CHECK(BufferRef::adopt(Buffer::make(bytes)).get()->view() == bytes);
    CHECK(BufferRef::adopt(Buffer::make("")).get()->view().empty());
}

void a_buffer_equals_its_bytes_alone() {
    const BufferRef buffer = BufferRef::adopt(Buffer::make("abc"));
    CHECK(buffer.get()->equals("abc") && !buffer.get()->equals("abd") && !buffer.get()->equals("ab"));
    CHECK(!buffer.get()->equals("") && BufferRef::adopt(Buffer::make("")).get()->equals(""));
}

// As many different hashes as random ones would have, and spread as evenly.
void keys_of_a_family_have_hashes_as_if_by_chance(const std::function<std::string(std::uint32_t)>& key) {
    constexpr std::uint32_t count = 100'000;
    constexpr std::size_t shelves = 256;
    std::unordered_set<std::uint32_t> hashes;
    std::vector<std::uint32_t> on_shelf(shelves, 0);
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t hash = hash_bytes(key(i));
        hashes.insert(hash);
        ++on_shelf[hash >> 24];
    }
    CHECK(hashes.size() >= count - 20);  // by chance one is lost
    const auto [least, greatest] = std::minmax_element(on_shelf.begin(), on_shelf.end());
    CHECK(*least > count / shelves * 7 / 10 && *greatest < count / shelves * 13 / 10);
}

void the_hash_reads_every_byte() {
    for (std::size_t size = 1; size <= 40; ++size) {
        const std::string bytes(size, 'x');
        for (std::size_t i = 0; i < size; ++i) {
            std::string other = bytes;
            other[i] = 'y';
            CHECK(hash_bytes(other) != hash_bytes(bytes));
        }
        CHECK(hash_bytes(bytes) != hash_bytes(bytes + 'x'));
    }
}

// most: how many holders are live at once; waiting: how often they wait in the queue, of a hundred.
void the_queue_of_changed_holders_is_one_from_which_any_can_go(std::uint32_t seed, std::size_t most,
                                                               std::uint32_t waiting) {
    Random random(seed);
    Slab<Holder> holders;
    ChangedQueue queue;
    std::vector<Handle> live;
    std::deque<Handle> model;
    std::map<Handle, std::uint32_t> stamps;
    std::size_t longest = 0;
    for (int step = 0; step < 60'000; ++step) {
        if (live.size() < most && random.below(3) == 0) {
            live.push_back(holders.make());
            holders[live.back()].queued = 0;
        }
        if (!live.empty() && random.below(100) < waiting) {
            const Handle handle = live[random.below(live.size())];
            if (holders[handle].queued == 0) {
                if (queue.room() == 0) queue.reserve(holders, 1 + random.below(3));
                const std::uint32_t room = queue.room();
                const std::uint32_t stamp = random.word();
                const std::size_t memory = queue.memory();
                queue.push_back(holders, handle, stamp);
                model.push_back(handle);
                CHECK(queue.room() == room - 1 && queue.memory() == memory);
                CHECK(queue.stamp_of(holders[handle]) == stamp);
                stamps[handle] = stamp;
                longest = std::max(longest, model.size());
                CHECK(memory <= 32 * std::max(longest, std::size_t{16}));
            }
        }
        if (!model.empty() && random.below(100) >= waiting) {
            CHECK(queue.ahead(0) == model.front());
            const Handle handle = queue.pop_front(holders);
            CHECK(handle == model.front());
            CHECK(holders[handle].queued == 0 && queue.stamp_of(holders[handle]) == stamps.at(handle));
            model.pop_front();
        }
        if (!live.empty() && random.below(4) == 0) {
            const std::size_t which = random.below(live.size());
            const Handle handle = live[which];
            if (holders[handle].queued != 0) {
                queue.erase(holders[handle]);
                CHECK(holders[handle].queued == 0 && queue.stamp_of(holders[handle]) == stamps.at(handle));
                std::erase(model, handle);
            }
            if (random.below(3) == 0) {
                holders.free(handle);
                live.erase(live.begin() + static_cast<std::ptrdiff_t>(which));
                const std::size_t trimmed = queue.memory();
                queue.trim(holders);
                CHECK(queue.room() >= holders.size() - queue.size() || queue.memory() == trimmed);
            }
        }
        CHECK(queue.size() == model.size() && queue.empty() == model.empty());
        if (step % 64 == 0) queue.verify(holders);
    }
    while (!live.empty()) {
        if (holders[live.back()].queued != 0) queue.erase(holders[live.back()]);
        holders.free(live.back());
        live.pop_back();
        queue.trim(holders);
    }
    CHECK(queue.empty() && queue.memory() <= 512);
}

void the_queue_of_changed_holders_gives_back_what_it_no_longer_needs() {
    Slab<Holder> holders;
    ChangedQueue queue;
    std::vector<Handle> all;
    for (int i = 0; i < 10'000; ++i) all.push_back(holders.make());
    const auto pass = [&](std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            queue.reserve(holders, 1);
            queue.push_back(holders, all[i], 1);
        }
        for (std::size_t i = 0; i < count; ++i) {
            CHECK(queue.pop_front(holders) == all[i]);
        }
    };
    pass(10'000);
    const std::size_t full = queue.memory();
    pass(10'000);
    CHECK(queue.memory() == full);  // what it needs again and again it keeps
    queue.reserve(holders, 20'000);
    const std::size_t asked = queue.memory();
    pass(10);
    CHECK(queue.memory() == asked);  // what was asked for once will be asked for again
    for (int i = 0; i < 300; ++i) pass(10);
    CHECK(queue.memory() == 512);
}

void the_clock_follows_one_that_is_set_and_never_goes_back() {
    class Jumping final : public watchtree::Clock {
      public:
        [[nodiscard]] watchtree::Nanoseconds now() noexcept override { return time; }
        watchtree::Nanoseconds time = 5;
    };
    const auto set = std::make_shared<Jumping>();
    ForwardClock clock(set);
    CHECK(clock.now() == 5);
    set->time = 6;
    CHECK(clock.now() == 6);
    set->time = 1;
    CHECK(clock.now() == 6);
}

// It may read the machine's less often than it is asked. One that stood still would not end here.
void the_machines_clock_goes_on() {
    ForwardClock clock(std::make_shared<watchtree::SteadyClock>());
    const watchtree::Nanoseconds begin = watchtree::SteadyClock().now();
    watchtree::Nanoseconds last = clock.now();
    CHECK(last >= begin);
    while (last < begin + 5'000'000) {
        const watchtree::Nanoseconds now = clock.now();
        CHECK(now >= last);
        last = now;
    }
    CHECK(last <= watchtree::SteadyClock().now());
}

}  // namespace

int main() {
    a_slab_is_a_map_from_handles_to_records();
    the_memory_of_a_slab_follows_what_is_live();
    a_full_slab_refuses_and_changes_nothing();
    a_reserved_slab_allocates_no_more();
    a_list_is_a_queue_from_which_any_record_can_go();
    a_probe_table_is_a_hash_map(3, 0, 4'000);
    a_probe_table_is_a_hash_map(4, 7, 200);
    a_probe_table_is_a_hash_map(5, 1, 60);
    a_reserved_probe_table_does_not_move();
    a_moved_table_leaves_none_behind();
    a_buffer_is_written_in_place_only_by_its_one_holder();
    a_buffer_equals_its_bytes_alone();
    keys_of_a_family_have_hashes_as_if_by_chance([](std::uint32_t i) { return "k" + std::to_string(i); });
    keys_of_a_family_have_hashes_as_if_by_chance(
        [](std::uint32_t i) { return "d" + std::to_string(i % 100) + ".key" + std::to_string(i); });
    keys_of_a_family_have_hashes_as_if_by_chance([](std::uint32_t i) {
        return std::string{static_cast<char>(i), static_cast<char>(i >> 8), static_cast<char>(i >> 16)};
    });
    keys_of_a_family_have_hashes_as_if_by_chance(
        [](std::uint32_t i) { return std::string(i % 100, 'a') + std::to_string(i / 100) + std::string(30, 'b'); });
    the_hash_reads_every_byte();
    the_queue_of_changed_holders_is_one_from_which_any_can_go(6, 5, 50);
    the_queue_of_changed_holders_is_one_from_which_any_can_go(7, 500, 90);
    the_queue_of_changed_holders_is_one_from_which_any_can_go(8, 2'000, 99);
    the_queue_of_changed_holders_is_one_from_which_any_can_go(9, 100, 20);
    the_queue_of_changed_holders_gives_back_what_it_no_longer_needs();
    the_clock_follows_one_that_is_set_and_never_goes_back();
    the_machines_clock_goes_on();
    std::puts("the parts: all hold");
}
