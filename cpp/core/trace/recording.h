// recording.h: the last calls of a dispatcher and what followed from each, as bytes, in memory that is bounded.
//
// Owns        one block in segments, written in turn: the oldest one makes room for the next.
// Threads     none; every call is made under the engine's lock.
// Invariants  a call stands in one segment; what does not fit into one is written as `lost`.
// Cost        made: one allocation, touched as it fills. Writing: the bytes, no allocation; 15 to 60 for a usual call and its
//             end, some 10 and the key for each notification.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/trace/event.h"
#include "watchtree/known.h"
#include "watchtree/operation.h"

namespace watchtree::core {

class Recording {
  public:
    static constexpr std::size_t usual_segments = 16;
    static constexpr std::size_t least_bytes = std::size_t{1} << 16;
    static constexpr std::size_t most_bytes = std::size_t{1} << 36;

    // for_replay: also keeps values and images. Requires: least_bytes <= max_bytes <= most_bytes.
    Recording(std::size_t max_bytes, bool for_replay)
        : Recording(usual_segments, max_bytes / usual_segments, for_replay) {}
    // One that always holds the last call, with all its values, if that has so many bytes at most.
    [[nodiscard]] static Recording of_last_call(std::size_t most_bytes) {
        return {2, 4 * most_bytes + least_bytes / usual_segments, true};
    }

    // Calls. Each ends with end(); one that another follows at once has thrown.
    void change(Nanoseconds now, const Operation& operation, AskedIndex asked) noexcept;
    void changes(Nanoseconds now, std::span<const Operation> operations, AskedIndex asked) noexcept;
    void restore(Nanoseconds now, std::string_view image) noexcept;
    void sync(Nanoseconds now, std::string_view channel, std::span<const Known> known, bool replace) noexcept;
    void channel_call(Event event, Nanoseconds now, std::string_view channel) noexcept;  // touch, close
    void plain_call(Event event, Nanoseconds now) noexcept;                              // reset, dispatch
    // Those about a sending. channel: that it was for; empty if the sending is unanswered no more.
    void sending_call(Event event, Nanoseconds now, std::uint64_t ticket,
                      std::string_view channel) noexcept;  // hand_over, acknowledge, remove_all
    void failure(Event event, Nanoseconds now, std::uint64_t ticket, std::string_view channel,
                 Failure failure) noexcept;  // fail, raised
    void results(Nanoseconds now, std::uint64_t ticket, std::string_view channel,
                 std::span<const std::int64_t> results) noexcept;
    void end(const Ending& ending) noexcept;
    void end(const Ending& ending, std::span<const Change> outcomes) noexcept;  // of `changes`

    // What follows from the call that has begun.
    void channel_moved(Event event, std::string_view channel) noexcept;  // ready, idle, closed
    void backs_off(std::string_view channel, Nanoseconds wait) noexcept;
    void overdue(std::uint64_t ticket, std::string_view channel) noexcept;
    void batch(std::string_view channel, std::uint64_t ticket, std::uint32_t size_bytes, bool more,
               std::size_t notifications) noexcept;
    void notification(std::string_view key, State state, Index index, std::size_t value_bytes) noexcept;

    // What there is of it now.
    struct Content {
        std::string calls;        // one after the other
        Nanoseconds base = 0;     // the time that the first one counts from
        std::uint64_t first = 0;  // the number of the first one, from 0
        bool complete = true;     // nothing was dropped, lost or left out
    };
    [[nodiscard]] Content content() const;
    [[nodiscard]] std::string_view last_call() const noexcept {
        return {call_begin_, static_cast<std::size_t>(call_end_ - call_begin_)};
    }

  private:
    struct Segment {
        std::size_t used = 0;
        std::uint64_t first = 0;
        Nanoseconds base = 0;
    };

    Recording(std::size_t segments, std::size_t segment_bytes, bool for_replay);

    [[nodiscard]] char* segment_begin(std::size_t segment) const noexcept {
        return block_.get() + segment * segment_bytes_;
    }
    [[nodiscard]] bool begin(Event event, Nanoseconds now, std::size_t bytes) noexcept;
    [[nodiscard]] bool make_room(std::size_t bytes) noexcept;
    [[nodiscard]] bool reserve(std::size_t bytes) noexcept {
        return limit_ - at_ >= static_cast<std::ptrdiff_t>(bytes) || make_room(bytes);
    }
    void open_next_segment() noexcept;
    void lose() noexcept;
    void close(const Ending& ending) noexcept;
    void byte(std::uint8_t value) noexcept { *at_++ = static_cast<char>(value); }
    void number(std::uint64_t value) noexcept;
    void text(std::string_view bytes) noexcept;
    void value(std::string_view bytes) noexcept;
    void operation(const Operation& operation) noexcept;
    void asked(AskedIndex asked) noexcept;
    [[nodiscard]] bool keeps(std::string_view value) const noexcept;
    [[nodiscard]] std::size_t most_bytes_of(const Operation& operation) const noexcept;

    const std::size_t segment_bytes_;
    const bool for_replay_;
    std::unique_ptr<char[]> block_;
    std::vector<Segment> segments_;  // in the order of the block; a ring
    std::size_t current_ = 0;
    std::size_t in_use_ = 1;
    char* at_;
    char* limit_;  // room for an end lies behind it
    char* call_begin_;
    char* call_end_;
    Nanoseconds last_time_ = 0;
    Nanoseconds call_time_ = 0;
    Ending last_ending_;  // what a call that has thrown ends with
    std::uint64_t calls_ = 0;
    bool open_ = false;  // a call has begun
    bool lost_ = false;  // and did not fit
    bool complete_ = true;
};

}  // namespace watchtree::core
