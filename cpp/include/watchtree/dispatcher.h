// dispatcher.h: brings every channel the newest state of what it watches, in bounded steps (contract §2 and §3). Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "watchtree/clock.h"
#include "watchtree/config.h"
#include "watchtree/known.h"
#include "watchtree/stats.h"
#include "watchtree/status.h"
#include "watchtree/transport.h"
#include "watchtree/tree.h"

namespace watchtree {

class Dispatcher {
  public:
    // The transport must outlive the dispatcher. clock: null for the steady clock.
    Dispatcher(const Tree& tree, Transport& transport, const Config& config = {},
               std::shared_ptr<Clock> clock = nullptr);
    Dispatcher(Dispatcher&&) noexcept;
    Dispatcher& operator=(Dispatcher&&) noexcept;
    ~Dispatcher();

    // Registers what a channel watches. Bad items refuse the whole call: bad, if given, is the position of the first one.
    Status sync(std::string_view channel, std::span<const Known> known, bool replace = false, Synced* synced = nullptr,
                std::size_t* bad = nullptr);

    // One bounded step, then the batches go to the transport. False: call again at once.
    bool dispatch();

    // An answer by its ticket, as those of Batch.
    bool acknowledge(std::uint64_t ticket);
    bool acknowledge(std::uint64_t ticket, std::span<const std::int64_t> results);
    bool remove_all(std::uint64_t ticket);
    bool fail(std::uint64_t ticket, Failure reason);

    std::uint32_t touch(std::string_view channel);  // the channel's number of watches, 0 if it is unknown
    bool close(std::string_view channel);
    void reset();

    [[nodiscard]] std::uint64_t epoch() const;
    [[nodiscard]] DispatcherStats stats() const;
    [[nodiscard]] std::optional<ChannelStats> channel(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> channels() const;
    // Key and notified index, -1 if never notified, in key order; none if there is no such channel.
    [[nodiscard]] std::optional<std::vector<std::pair<std::string, Index>>> watches(std::string_view channel) const;
    // Nanoseconds until dispatch has something to do: 0 now, none never unless something changes.
    [[nodiscard]] std::optional<Nanoseconds> next_deadline() const;
    [[nodiscard]] Memory memory() const;
    void verify() const;

    // Called with no lock held, from any thread, when dispatch has something to do after it had nothing, and when it will
    // have sooner than next_deadline and Config::dispatch_interval_ns said. Must not throw. Empty: nobody is called.
    void on_work(std::function<void()> callback);

  private:
    struct Retire {
        void operator()(core::Engine* engine) const noexcept;
    };
    std::unique_ptr<core::Engine, Retire> engine_;
};

}  // namespace watchtree
