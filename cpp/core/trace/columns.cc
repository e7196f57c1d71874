#include "core/trace/columns.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/trace/call.h"

namespace watchtree::core {

namespace {

// Numbers for names, in the order in which they first come.
class Names {
  public:
    explicit Names(std::vector<std::string>& names) : names_(names) {}
    [[nodiscard]] std::int32_t number_of(std::string_view name) {
        const auto found = numbers_.find(name);
        if (found != numbers_.end()) return found->second;
        const auto number = static_cast<std::int32_t>(names_.size());
        names_.emplace_back(name);
        numbers_.emplace(name, number);  // the name is a view into the log
        return number;
    }

  private:
    std::vector<std::string>& names_;
    std::unordered_map<std::string_view, std::int32_t> numbers_;
};

[[nodiscard]] std::int32_t clipped(std::uint64_t number) {
    return static_cast<std::int32_t>(std::min<std::uint64_t>(number, std::numeric_limits<std::int32_t>::max()));
}

struct Row {
    Event event;
    std::int32_t channel = -1;
    std::int32_t key = -1;
    std::uint64_t ticket = 0;
    Index index = 0;
    std::int32_t outcome = 0;
    std::int32_t count = 0;
    std::uint64_t bytes = 0;
    Nanoseconds duration = 0;
    std::int64_t coalesced = 0;
};

class Builder {
  public:
    explicit Builder(const Log& log)
        : reader_(log.calls, log.base), number_(log.first), is_first_of_part_(log.first != 0) {}

    [[nodiscard]] Columns build() {
        while (reader_.next(call_)) {
            add_call();
            for (const Consequence& what : call_.consequences) add_consequence(what);
            ++number_;
        }
        return std::move(columns_);
    }

  private:
    void add(const Row& row) {
        columns_.time.push_back(call_.time);
        columns_.call.push_back(static_cast<std::int64_t>(number_));
        columns_.event.push_back(static_cast<std::uint8_t>(row.event));
        columns_.channel.push_back(row.channel);
        columns_.key.push_back(row.key);
        columns_.ticket.push_back(static_cast<std::int64_t>(row.ticket));
        columns_.index.push_back(row.index);
        columns_.outcome.push_back(row.outcome);
        columns_.count.push_back(row.count);
        columns_.bytes.push_back(static_cast<std::int64_t>(row.bytes));
        columns_.duration.push_back(row.duration);
        columns_.coalesced.push_back(row.coalesced);
        columns_.changed_holders.push_back(call_.ending.queues.changed_holders);
        columns_.ready_channels.push_back(call_.ending.queues.ready_channels);
        columns_.backing_off.push_back(call_.ending.queues.backing_off);
        columns_.in_flight.push_back(call_.ending.queues.in_flight);
    }

    void add_call() {
        Row row{.event = call_.event, .index = call_.ending.index, .outcome = clipped(call_.ending.outcome)};
        row.duration = call_.ending.elapsed;
        row.coalesced =
            static_cast<std::int64_t>(call_.ending.coalesced - std::exchange(coalesced_, call_.ending.coalesced));
        if (std::exchange(is_first_of_part_, false)) row.coalesced = 0;  // what was before is not known
        switch (call_.event) {
            case Event::put:
            case Event::mkdir:
            case Event::remove:
            case Event::compare_and_set:
                row.key = keys_.number_of(call_.operations.front().operation.key);
                row.bytes = call_.operations.front().value_bytes;
                add(row);
                return;
            case Event::changes:
                row.count = clipped(call_.operations.size());
                add(row);
                for (const RecordedOperation& each : call_.operations)
                    add({.event = each.event,
                         .key = keys_.number_of(each.operation.key),
                         .index = call_.ending.index,
                         // Where all were refused, none has an outcome of its own.
                         .outcome = row.outcome != 0 ? row.outcome : static_cast<std::int32_t>(each.status),
                         .bytes = each.value_bytes});
                return;
            case Event::restore:
                row.bytes = call_.image_bytes;
                add(row);
                return;
            case Event::sync:
                row.channel = channels_.number_of(call_.channel);
                row.count = clipped(call_.known.size());
                add(row);
                for (const Known& known : call_.known)
                    add({.event = known.index < 0 ? Event::unwatch : Event::watch,
                         .channel = row.channel,
                         .key = keys_.number_of(known.key),
                         .index = known.index});
                return;
            case Event::touch:
            case Event::close:
                row.channel = channels_.number_of(call_.channel);
                add(row);
                return;
            case Event::hand_over:
            case Event::acknowledge:
            case Event::results:
            case Event::remove_all:
            case Event::fail:
            case Event::raised: add_sending(row); return;
            case Event::dispatch:
                row.outcome = static_cast<std::int32_t>(call_.ending.outcome & 1);
                row.count = clipped(call_.ending.outcome >> 1);
                add(row);
                return;
            default: add(row); return;
        }
    }

    void add_sending(Row row) {
        row.ticket = call_.ticket;
        row.channel = call_.channel.empty() ? channel_of(call_.ticket) : channels_.number_of(call_.channel);
        if (call_.event == Event::fail || call_.event == Event::raised) {
            row.count = row.outcome;
            row.outcome = static_cast<std::int32_t>(call_.failure);
        }
        if (call_.event == Event::results) row.count = clipped(call_.results.size());
        add(row);
        if (call_.event == Event::hand_over || call_.ending.outcome == 0) return;
        const auto sent = keys_sent_.find(call_.ticket);
        if (sent == keys_sent_.end()) return;
        const std::size_t results = call_.results.size() == sent->second.size() ? sent->second.size() : 0;
        for (std::size_t i = 0; i < results; ++i)
            if (call_.results[i] != static_cast<std::int64_t>(Result::ok))
                add({.event = Event::result,
                     .channel = row.channel,
                     .key = sent->second[i],
                     .ticket = row.ticket,
                     .outcome = static_cast<std::int32_t>(
                         std::clamp<std::int64_t>(call_.results[i], std::numeric_limits<std::int32_t>::min(),
                                                  std::numeric_limits<std::int32_t>::max()))});
        keys_sent_.erase(sent);
    }

    // Of an answer that comes too late: -1 if its sending is older than the log.
    [[nodiscard]] std::int32_t channel_of(std::uint64_t ticket) const {
        const auto sent = sent_to_.find(ticket);
        return sent == sent_to_.end() ? -1 : sent->second;
    }

    void add_consequence(const Consequence& what) {
        Row row{.event = what.event, .channel = channels_.number_of(what.channel), .ticket = what.ticket};
        if (what.event == Event::overdue) {
            row.outcome = static_cast<std::int32_t>(Failure::timeout);
            keys_sent_.erase(what.ticket);
            add(row);
            return;
        }
        row.duration = what.wait;
        row.bytes = what.size_bytes;
        row.count = clipped(what.notifications);
        row.outcome = what.more ? 1 : 0;
        add(row);
        if (what.event != Event::batch) return;
        sent_to_[what.ticket] = row.channel;
        std::vector<std::int32_t>& keys = keys_sent_[what.ticket];
        for (std::uint32_t i = 0; i < what.notifications; ++i) {
            const RecordedNotification& note = call_.notifications[what.first_notification + i];
            const std::int32_t key = keys_.number_of(note.key);
            keys.push_back(key);
            add({.event = Event::notification,
                 .channel = row.channel,
                 .key = key,
                 .ticket = what.ticket,
                 .index = note.index,
                 .outcome = static_cast<std::int32_t>(note.state),
                 .bytes = note.value_bytes});
        }
    }

    CallReader reader_;
    std::uint64_t number_;
    Columns columns_;
    Names channels_{columns_.channels};
    Names keys_{columns_.keys};
    std::unordered_map<std::uint64_t, std::int32_t> sent_to_;
    std::unordered_map<std::uint64_t, std::vector<std::int32_t>> keys_sent_;  // of batches without an answer
    std::uint64_t coalesced_ = 0;
    bool is_first_of_part_;
    Call call_;
};

}  // namespace

Columns columns_of(const Log& log) { return Builder(log).build(); }

}  // namespace watchtree::core
