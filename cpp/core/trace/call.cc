#include "core/trace/call.h"

#include <limits>

namespace watchtree::core {

void Call::clear() noexcept {
    operations.clear();
    asked = {};
    image = {};
    image_bytes = 0;
    channel = {};
    replace = false;
    known.clear();
    ticket = 0;
    failure = Failure::network;
    results.clear();
    consequences.clear();
    notifications.clear();
}

bool CallReader::skip() {
    keeps_items_ = false;
    const bool there = next(skipped_);
    keeps_items_ = true;
    return there;
}

bool CallReader::next(Call& call) {
    if (!reader_.ok() || reader_.at_end()) return false;
    call.clear();
    const std::uint8_t event = reader_.byte();
    if (event == 0 || event > static_cast<std::uint8_t>(Event::last_call)) {
        reader_.fail();
        return false;
    }
    call.event = static_cast<Event>(event);
    const std::uint64_t delta = reader_.number();
    if (delta > static_cast<std::uint64_t>(std::numeric_limits<Nanoseconds>::max() - time_)) reader_.fail();
    if (!reader_.ok()) return false;
    time_ += static_cast<Nanoseconds>(delta);
    call.time = time_;
    const char* const begin = reader_.position();
    read_call(call);
    while (reader_.ok()) {
        const auto consequence = static_cast<Event>(reader_.byte());
        if (consequence == Event::end) break;
        read_consequence(call, consequence);
    }
    Ending& ending = call.ending;
    const auto size = [&] { return static_cast<std::uint32_t>(reader_.number()); };
    ending.outcome = reader_.number();
    ending.index = static_cast<Index>(reader_.number());
    ending.queues.changed_holders = size();
    ending.queues.ready_channels = size();
    ending.queues.backing_off = size();
    ending.queues.in_flight = size();
    ending.coalesced = reader_.number();
    call.compared = {begin, static_cast<std::size_t>(reader_.position() - begin)};
    ending.elapsed = static_cast<Nanoseconds>(reader_.number());
    return reader_.ok();
}

void CallReader::read_call(Call& call) {
    switch (call.event) {
        case Event::put:
        case Event::mkdir:
        case Event::remove:
        case Event::compare_and_set:
            read_operation(call, call.event);
            call.asked = read_asked();
            return;
        case Event::changes:
            call.asked = read_asked();
            for (std::size_t left = read_count(); left != 0 && reader_.ok(); --left)
                read_operation(call, static_cast<Event>(reader_.byte()));
            return;
        case Event::restore: call.image = read_value(call.image_bytes); return;
        case Event::sync:
            call.channel = reader_.text();
            call.replace = reader_.byte() != 0;
            for (std::size_t left = read_count(); left != 0 && reader_.ok(); --left) {
                const Known known{reader_.text(), reader_.signed_number()};
                if (keeps_items_) call.known.push_back(known);
            }
            return;
        case Event::touch:
        case Event::close: call.channel = reader_.text(); return;
        case Event::hand_over:
        case Event::acknowledge:
        case Event::remove_all:
            call.ticket = reader_.number();
            call.channel = reader_.text();
            return;
        case Event::fail:
        case Event::raised: {
            call.ticket = reader_.number();
            call.channel = reader_.text();
            const std::uint8_t failure = reader_.byte();
            if (failure >= failure_kinds) reader_.fail();
            call.failure = static_cast<Failure>(failure);
            return;
        }
        case Event::results:
            call.ticket = reader_.number();
            call.channel = reader_.text();
            for (std::size_t left = read_count(); left != 0 && reader_.ok(); --left) {
                const std::int64_t result = reader_.signed_number();
                if (keeps_items_) call.results.push_back(result);
            }
            return;
        default: return;  // reset, dispatch, lost
    }
}

void CallReader::read_operation(Call& call, Event event) {
    RecordedOperation recorded;
    recorded.event = event;
    switch (event) {
        case Event::put: recorded.operation.kind = Operation::Kind::put; break;
        case Event::mkdir: recorded.operation.kind = Operation::Kind::mkdir; break;
        case Event::remove: recorded.operation.kind = Operation::Kind::remove; break;
        case Event::compare_and_set: recorded.operation.kind = Operation::Kind::compare_and_set; break;
        default: reader_.fail(); return;
    }
    const std::uint8_t flags = reader_.byte();
    recorded.operation.deep = (flags & 1) != 0;
    recorded.operation.key = reader_.text();
    std::uint64_t bytes = 0;
    if ((flags & 2) != 0) {
        recorded.operation.value = read_value(bytes);
        recorded.value_bytes = static_cast<std::size_t>(bytes);
    } else if (event == Event::put) {
        reader_.fail();  // nothing that a tree could be given
    }
    if ((flags & 4) != 0) recorded.operation.expected = read_value(bytes);
    if (keeps_items_) call.operations.push_back(recorded);
}

// Empty if it was not kept; `bytes` says what it had.
std::string_view CallReader::read_value(std::uint64_t& bytes) {
    const std::uint64_t size = reader_.number();
    bytes = size >> 1;
    if ((size & 1) == 0) return {};
    if (bytes > reader_.left()) {
        reader_.fail();
        return {};
    }
    return reader_.bytes(static_cast<std::size_t>(bytes));
}

// Of items that take at least a byte each, so that nothing is reserved for a number that only claims to be one.
std::size_t CallReader::read_count() {
    const std::uint64_t count = reader_.number();
    if (count > reader_.left()) reader_.fail();
    return reader_.ok() ? static_cast<std::size_t>(count) : 0;
}

AskedIndex CallReader::read_asked() {
    const std::uint8_t kind = reader_.byte();
    if (kind > static_cast<std::uint8_t>(AskedIndex::Kind::too_large)) reader_.fail();
    return {static_cast<AskedIndex::Kind>(kind), reader_.signed_number()};
}

void CallReader::read_consequence(Call& call, Event event) {
    Consequence what{.event = event, .channel = {}};
    switch (event) {
        case Event::ready:
        case Event::idle:
        case Event::closed: what.channel = reader_.text(); break;
        case Event::back_off:
            what.channel = reader_.text();
            what.wait = static_cast<Nanoseconds>(reader_.number());
            break;
        case Event::overdue:
            what.ticket = reader_.number();
            what.channel = reader_.text();
            break;
        case Event::batch: {
            what.channel = reader_.text();
            what.ticket = reader_.number();
            what.size_bytes = reader_.number();
            what.more = reader_.byte() != 0;
            const std::size_t count = read_count();
            what.first_notification = static_cast<std::uint32_t>(call.notifications.size());
            what.notifications = static_cast<std::uint32_t>(count);
            for (std::size_t left = count; left != 0 && reader_.ok(); --left) {
                const std::uint8_t state = reader_.byte();
                if (state > static_cast<std::uint8_t>(State::missing)) reader_.fail();
                const std::string_view key = reader_.text();
                const auto index = static_cast<Index>(reader_.number());
                const std::uint64_t value_bytes = reader_.number();
                if (keeps_items_) call.notifications.push_back({key, static_cast<State>(state), index, value_bytes});
            }
            break;
        }
        case Event::outcomes: {
            const std::size_t count = read_count();
            for (std::size_t i = 0; i < count && reader_.ok(); ++i) {
                const auto status = static_cast<Status>(reader_.byte());
                if (i < call.operations.size()) call.operations[i].status = status;
            }
            return;
        }
        default: reader_.fail(); return;
    }
    if (keeps_items_) call.consequences.push_back(what);
}

}  // namespace watchtree::core
