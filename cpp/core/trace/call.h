// call.h: reads the calls of a recording back, one at a time, from bytes that may come from anywhere.
//
// Cost        O(bytes). Everything that is read is a view into them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/trace/event.h"
#include "core/trace/varint.h"
#include "watchtree/known.h"
#include "watchtree/operation.h"

namespace watchtree::core {

// An operation of the tree. A value that was not kept is null, with its size.
struct RecordedOperation {
    Event event = Event::put;
    Operation operation{};
    std::size_t value_bytes = 0;
    Status status = Status::ok;
};

struct RecordedNotification {
    std::string_view key;
    State state;
    Index index;
    std::uint64_t value_bytes;
};

// What followed from a call.
struct Consequence {
    Event event;
    std::string_view channel;
    std::uint64_t ticket = 0;
    std::uint64_t size_bytes = 0;  // of a batch
    bool more = false;             // of a batch
    Nanoseconds wait = 0;          // of a back-off
    std::uint32_t first_notification = 0;
    std::uint32_t notifications = 0;
};

// One call. Which fields count follows from its event. Used for one after the other, it keeps its memory.
struct Call {
    Event event = Event::end;
    Nanoseconds time = 0;
    std::vector<RecordedOperation> operations;  // one, or those of `changes`
    AskedIndex asked;
    std::string_view image;
    std::uint64_t image_bytes = 0;
    std::string_view channel;
    bool replace = false;
    std::vector<Known> known;
    std::uint64_t ticket = 0;
    Failure failure = Failure::network;
    std::vector<std::int64_t> results;
    std::vector<Consequence> consequences;
    std::vector<RecordedNotification> notifications;  // of all batches
    Ending ending;
    std::string_view compared;  // its bytes but for its time and how long it took

    void clear() noexcept;
};

class CallReader {
  public:
    // base: what the time of the first call counts from.
    CallReader(std::string_view calls, Nanoseconds base) noexcept : reader_(calls), size_(calls.size()), time_(base) {}

    // False at the end, or if the bytes are none of a recording: see ok().
    [[nodiscard]] bool next(Call& call);
    // The same, without the items: only whether they can be read.
    [[nodiscard]] bool skip();
    [[nodiscard]] bool ok() const noexcept { return reader_.ok(); }
    [[nodiscard]] std::size_t read() const noexcept { return size_ - reader_.left(); }  // bytes

  private:
    void read_call(Call& call);
    void read_operation(Call& call, Event event);
    void read_consequence(Call& call, Event event);
    [[nodiscard]] std::string_view read_value(std::uint64_t& bytes);
    [[nodiscard]] std::size_t read_count();
    [[nodiscard]] AskedIndex read_asked();

    VarintReader reader_;
    std::size_t size_;
    Call skipped_;
    bool keeps_items_ = true;
    Nanoseconds time_;
};

}  // namespace watchtree::core
