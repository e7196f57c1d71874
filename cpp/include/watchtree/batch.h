// batch.h: one sending: the newest states of what one channel watches (contract §3).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "watchtree/words.h"

namespace watchtree {

namespace core {
class Engine;
class TransportCourier;
struct BatchRecord;
}  // namespace core

// The newest state of one watched key. Its bytes belong to the batch.
struct Notification {
    std::string_view key;
    State state;
    Index index;
    std::optional<std::string_view> value;  // the bytes if the state is value
};

// To be answered once, now or later, from any thread. An answer that comes late or again changes nothing, and is counted.
// May be kept; it stays readable after its dispatcher is gone.
class Batch {
  public:
    Batch(Batch&& other) noexcept;
    Batch& operator=(Batch&& other) noexcept;
    ~Batch();

    [[nodiscard]] std::string_view channel() const noexcept;
    [[nodiscard]] std::uint64_t ticket() const noexcept;  // names this sending; counted from 1 in the dispatcher
    [[nodiscard]] std::uint64_t epoch() const noexcept;
    [[nodiscard]] bool more() const noexcept;  // cut by max_batch_bytes: the rest follows once this one is acknowledged
    [[nodiscard]] std::uint32_t size_bytes() const noexcept;  // 24 + key + value over all notifications
    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] Notification operator[](std::size_t position) const noexcept;  // Requires: position < size().

    // Each says whether the answer counted.
    bool acknowledge();
    // One Result for each notification, or any other number for an error. A wrong number of them closes the channel, and
    // goes to Transport::on_wrong_result_count.
    bool acknowledge(std::span<const std::int64_t> results);
    bool remove_all();
    bool fail(Failure reason);

    // As a watchtree.v1.NotifyRequest.
    [[nodiscard]] std::string encode() const;

  private:
    friend class core::TransportCourier;
    // Borrows the record for the length of a hand-over. Moved away, it is kept: that is all that costs.
    Batch(core::Engine& engine, core::BatchRecord& record) noexcept : engine_(&engine), record_(&record) {}

    core::Engine* engine_;
    core::BatchRecord* record_;
    bool is_kept_ = false;
};

}  // namespace watchtree
