#include "core/trace/recording.h"

#include <algorithm>
#include <cstring>

#include "core/base/check.h"
#include "core/trace/varint.h"

namespace watchtree::core {

namespace {
constexpr std::size_t most_end_bytes = 1 + 8 * most_varint_bytes;
constexpr std::size_t most_head_bytes = 1 + most_varint_bytes;
constexpr std::size_t most_lost_bytes = most_head_bytes + 1;

[[nodiscard]] std::size_t text_bytes(std::string_view text) noexcept { return most_varint_bytes + text.size(); }
[[nodiscard]] std::uint8_t number_of(Event event) noexcept { return static_cast<std::uint8_t>(event); }
}  // namespace

Recording::Recording(std::size_t segments, std::size_t segment_bytes, bool for_replay)
    : segment_bytes_(segment_bytes),
      for_replay_(for_replay),
      block_(new char[segments * segment_bytes]),
      segments_(segments),
      at_(block_.get()),
      limit_(at_ + segment_bytes_ - most_end_bytes - most_lost_bytes),
      call_begin_(at_),
      call_end_(at_),
      complete_(for_replay) {
    WATCHTREE_ASSERT(segment_bytes >= least_bytes / usual_segments);
}

// Writing.

void Recording::number(std::uint64_t value) noexcept { at_ = write_varint(at_, value); }

void Recording::text(std::string_view bytes) noexcept {
    number(bytes.size());
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
}

// A value that would fill the recording alone is left out, as all are that nobody will need.
bool Recording::keeps(std::string_view value) const noexcept {
    return for_replay_ && value.size() <= segment_bytes_ / 4;
}

void Recording::value(std::string_view bytes) noexcept {
    const bool kept = keeps(bytes);
    number(bytes.size() << 1 | (kept ? 1 : 0));
    if (!kept) {
        complete_ = false;
        return;
    }
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
}

bool Recording::begin(Event event, Nanoseconds now, std::size_t bytes) noexcept {
    if (open_) lost_ = true;  // the call before has thrown
    if (lost_) close(last_ending_);
    if (at_ > limit_) open_next_segment();  // so that there is room for `lost` at least
    open_ = true;
    call_begin_ = at_;
    call_time_ = now;
    if (!reserve(most_head_bytes + bytes)) return false;
    byte(number_of(event));
    number(static_cast<std::uint64_t>(now - last_time_));
    return true;
}

// A call that does not fit is moved to the next segment whole, or is lost if it began there.
bool Recording::make_room(std::size_t bytes) noexcept {
    if (lost_) return false;
    const auto written = static_cast<std::size_t>(at_ - call_begin_);
    const std::size_t room = segment_bytes_ - most_end_bytes - most_lost_bytes;
    if (bytes > room - written) {
        lose();
        return false;
    }
    const char* const begin = call_begin_;
    segments_[current_].used = static_cast<std::size_t>(begin - segment_begin(current_));
    open_next_segment();
    std::memcpy(at_, begin, written);
    at_ += written;
    return true;
}

void Recording::open_next_segment() noexcept {
    current_ = (current_ + 1) % segments_.size();
    if (in_use_ < segments_.size()) {
        ++in_use_;
    } else {
        complete_ = false;
    }
    segments_[current_] = {0, calls_, last_time_};
    at_ = segment_begin(current_);
    limit_ = at_ + segment_bytes_ - most_end_bytes - most_lost_bytes;
    call_begin_ = at_;
}

void Recording::lose() noexcept {
    lost_ = true;
    complete_ = false;
}

void Recording::close(const Ending& ending) noexcept {
    if (lost_) {
        at_ = call_begin_;
        byte(number_of(Event::lost));
        number(static_cast<std::uint64_t>(call_time_ - last_time_));
        complete_ = false;
    }
    byte(number_of(Event::end));
    number(lost_ ? 0 : ending.outcome);
    number(static_cast<std::uint64_t>(ending.index));
    number(ending.queues.changed_holders);
    number(ending.queues.ready_channels);
    number(ending.queues.backing_off);
    number(ending.queues.in_flight);
    number(ending.coalesced);
    number(lost_ ? 0 : static_cast<std::uint64_t>(ending.elapsed));
    WATCHTREE_ASSERT(at_ <= segment_begin(current_) + segment_bytes_);
    call_end_ = at_;
    last_time_ = call_time_;
    last_ending_ = ending;
    segments_[current_].used = static_cast<std::size_t>(at_ - segment_begin(current_));
    ++calls_;
    open_ = false;
    lost_ = false;
}

void Recording::end(const Ending& ending) noexcept {
    if (open_) close(ending);
}

void Recording::end(const Ending& ending, std::span<const Change> outcomes) noexcept {
    if (open_ && !lost_ && reserve(1 + most_varint_bytes + outcomes.size())) {
        byte(number_of(Event::outcomes));
        number(outcomes.size());
        for (const Change& outcome : outcomes) byte(static_cast<std::uint8_t>(outcome.status));
    }
    end(ending);
}

// Calls.

std::size_t Recording::most_bytes_of(const Operation& operation) const noexcept {
    std::size_t bytes = 2 + text_bytes(operation.key) + 2 * most_varint_bytes;
    for (const auto& value : {operation.value, operation.expected})
        if (value && keeps(*value)) bytes += value->size();
    return bytes;
}

void Recording::operation(const Operation& operation) noexcept {
    byte(
        static_cast<std::uint8_t>((operation.deep ? 1 : 0) | (operation.value ? 2 : 0) | (operation.expected ? 4 : 0)));
    text(operation.key);
    if (operation.value) value(*operation.value);
    if (operation.expected) value(*operation.expected);
}

void Recording::asked(AskedIndex asked) noexcept {
    byte(static_cast<std::uint8_t>(asked.kind));
    number(zigzag(asked.value));
}

namespace {
[[nodiscard]] Event event_of(Operation::Kind kind) noexcept {
    switch (kind) {
        case Operation::Kind::put: return Event::put;
        case Operation::Kind::mkdir: return Event::mkdir;
        case Operation::Kind::remove: return Event::remove;
        case Operation::Kind::compare_and_set: break;
    }
    return Event::compare_and_set;
}
constexpr std::size_t most_asked_bytes = 1 + most_varint_bytes;
}  // namespace

void Recording::change(Nanoseconds now, const Operation& change, AskedIndex index) noexcept {
    if (!begin(event_of(change.kind), now, most_bytes_of(change) + most_asked_bytes)) return;
    operation(change);
    asked(index);
}

void Recording::changes(Nanoseconds now, std::span<const Operation> operations, AskedIndex index) noexcept {
    if (!begin(Event::changes, now, most_varint_bytes + most_asked_bytes)) return;
    asked(index);
    number(operations.size());
    for (const Operation& each : operations) {
        if (!reserve(1 + most_bytes_of(each))) return;
        byte(number_of(event_of(each.kind)));
        operation(each);
    }
}

void Recording::restore(Nanoseconds now, std::string_view image) noexcept {
    if (begin(Event::restore, now, most_varint_bytes + (keeps(image) ? image.size() : 0))) value(image);
}

void Recording::sync(Nanoseconds now, std::string_view channel, std::span<const Known> known, bool replace) noexcept {
    if (!begin(Event::sync, now, text_bytes(channel) + 1 + most_varint_bytes)) return;
    text(channel);
    byte(replace ? 1 : 0);
    number(known.size());
    for (const Known& each : known) {
        if (!reserve(text_bytes(each.key) + most_varint_bytes)) return;
        text(each.key);
        number(zigzag(each.index));
    }
}

void Recording::channel_call(Event event, Nanoseconds now, std::string_view channel) noexcept {
    if (begin(event, now, text_bytes(channel))) text(channel);
}

void Recording::plain_call(Event event, Nanoseconds now) noexcept { (void)begin(event, now, 0); }

void Recording::sending_call(Event event, Nanoseconds now, std::uint64_t ticket, std::string_view channel) noexcept {
    if (!begin(event, now, most_varint_bytes + text_bytes(channel))) return;
    number(ticket);
    text(channel);
}

void Recording::failure(Event event, Nanoseconds now, std::uint64_t ticket, std::string_view channel,
                        Failure failure) noexcept {
    if (!begin(event, now, most_varint_bytes + text_bytes(channel) + 1)) return;
    number(ticket);
    text(channel);
    byte(static_cast<std::uint8_t>(failure));
}

void Recording::results(Nanoseconds now, std::uint64_t ticket, std::string_view channel,
                        std::span<const std::int64_t> results) noexcept {
    if (!begin(Event::results, now, 2 * most_varint_bytes + text_bytes(channel))) return;
    number(ticket);
    text(channel);
    number(results.size());
    for (const std::int64_t result : results) {
        if (!reserve(most_varint_bytes)) return;
        number(zigzag(result));
    }
}

// What follows.

void Recording::channel_moved(Event event, std::string_view channel) noexcept {
    if (!open_ || !reserve(1 + text_bytes(channel))) return;
    byte(number_of(event));
    text(channel);
}

void Recording::backs_off(std::string_view channel, Nanoseconds wait) noexcept {
    if (!open_ || !reserve(1 + text_bytes(channel) + most_varint_bytes)) return;
    byte(number_of(Event::back_off));
    text(channel);
    number(static_cast<std::uint64_t>(wait));
}

void Recording::overdue(std::uint64_t ticket, std::string_view channel) noexcept {
    if (!open_ || !reserve(1 + most_varint_bytes + text_bytes(channel))) return;
    byte(number_of(Event::overdue));
    number(ticket);
    text(channel);
}

void Recording::batch(std::string_view channel, std::uint64_t ticket, std::uint32_t size_bytes, bool more,
                      std::size_t notifications) noexcept {
    if (!open_ || !reserve(2 + text_bytes(channel) + 3 * most_varint_bytes)) return;
    byte(number_of(Event::batch));
    text(channel);
    number(ticket);
    number(size_bytes);
    byte(more ? 1 : 0);
    number(notifications);
}

void Recording::notification(std::string_view key, State state, Index index, std::size_t value_bytes) noexcept {
    if (!open_ || !reserve(1 + text_bytes(key) + 2 * most_varint_bytes)) return;
    byte(static_cast<std::uint8_t>(state));
    text(key);
    number(static_cast<std::uint64_t>(index));
    number(value_bytes);
}

Recording::Content Recording::content() const {
    Content content;
    std::size_t bytes = 0;
    for (const Segment& segment : segments_) bytes += segment.used;
    content.calls.reserve(bytes);
    const std::size_t oldest = (current_ + segments_.size() - (in_use_ - 1)) % segments_.size();
    for (std::size_t i = 0; i < in_use_; ++i) {
        const std::size_t which = (oldest + i) % segments_.size();
        content.calls.append(segment_begin(which), segments_[which].used);
    }
    content.base = segments_[oldest].base;
    content.first = segments_[oldest].first;
    content.complete = complete_ && !open_;  // a call that has thrown is not closed yet
    return content;
}

}  // namespace watchtree::core
