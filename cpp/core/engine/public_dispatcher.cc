// watchtree::Dispatcher and watchtree::Batch for C++ users: forward to the engine.
#include <utility>

#include "core/engine/engine.h"
#include "core/wire/encode.h"
#include "watchtree/dispatcher.h"

namespace watchtree {

void Transport::on_error(std::exception_ptr, std::string_view) {}
void Transport::on_wrong_result_count(std::string_view, std::size_t) {}

class core::TransportCourier final : public core::Courier {
  public:
    explicit TransportCourier(Transport& transport) : transport_(transport) {}

    [[nodiscard]] bool hand_over(core::BatchRecord& record) override {
        try {
            Batch batch(*engine_, record);
            transport_.send(batch);
            return true;
        } catch (...) {
            transport_.on_error(std::current_exception(), record.name->view());
            return false;
        }
    }

    void connect(core::Engine& engine) noexcept { engine_ = &engine; }
    [[nodiscard]] Transport& transport() const noexcept { return transport_; }

  private:
    Transport& transport_;
    core::Engine* engine_ = nullptr;
};

namespace {

class FunctionWaker final : public core::Waker {
  public:
    explicit FunctionWaker(std::function<void()> callback) : callback_(std::move(callback)) {}
    void wake() noexcept override { callback_(); }

  private:
    std::function<void()> callback_;
};

bool finish(core::Engine& engine, const core::Answered& answered) {
    if (answered.must_deliver) engine.deliver();
    return answered.outcome != core::Outcome::ignored;
}

// sending: a ticket or a record.
template <typename Sending>
bool answer(core::Engine& engine, Sending& sending, std::span<const std::int64_t> results) {
    std::string culprit;
    const core::Answered answered = engine.acknowledge(sending, results, culprit);
    if (answered.outcome == core::Outcome::wrong_count)
        static_cast<core::TransportCourier&>(engine.courier())
            .transport()
            .on_wrong_result_count(culprit, results.size());
    return finish(engine, answered);
}

}  // namespace

// Dispatcher.

Dispatcher::Dispatcher(const Tree& tree, Transport& transport, const Config& config, std::shared_ptr<Clock> clock) {
    validate(config);
    auto courier = std::make_shared<core::TransportCourier>(transport);
    if (clock == nullptr) clock = std::make_shared<SteadyClock>();
    engine_.reset(core::Engine::make(tree.group_, config, std::move(clock), courier).release());
    courier->connect(*engine_);
}

Dispatcher::Dispatcher(Dispatcher&&) noexcept = default;
Dispatcher& Dispatcher::operator=(Dispatcher&&) noexcept = default;
Dispatcher::~Dispatcher() = default;

void Dispatcher::Retire::operator()(core::Engine* engine) const noexcept { engine->retire(); }

Status Dispatcher::sync(std::string_view channel, std::span<const Known> known, bool replace, Synced* synced,
                        std::size_t* bad) {
    Synced answer{};
    std::size_t position = 0;
    const Status status = engine_->sync(channel, known, replace, answer, position);
    if (synced != nullptr) *synced = answer;
    if (bad != nullptr) *bad = position;
    return status;
}

bool Dispatcher::dispatch() {
    const bool complete = engine_->step();
    engine_->deliver();
    return complete;
}

bool Dispatcher::acknowledge(std::uint64_t ticket) { return finish(*engine_, engine_->acknowledge(ticket)); }
bool Dispatcher::acknowledge(std::uint64_t ticket, std::span<const std::int64_t> results) {
    return answer(*engine_, ticket, results);
}
bool Dispatcher::remove_all(std::uint64_t ticket) { return finish(*engine_, engine_->remove_all(ticket)); }
bool Dispatcher::fail(std::uint64_t ticket, Failure reason) { return finish(*engine_, engine_->fail(ticket, reason)); }

std::uint32_t Dispatcher::touch(std::string_view channel) { return engine_->touch(channel); }
bool Dispatcher::close(std::string_view channel) { return engine_->close(channel); }
void Dispatcher::reset() { engine_->reset(); }
std::uint64_t Dispatcher::epoch() const { return engine_->epoch(); }
DispatcherStats Dispatcher::stats() const { return engine_->stats(); }
std::optional<ChannelStats> Dispatcher::channel(std::string_view name) const { return engine_->channel_stats(name); }
std::vector<std::string> Dispatcher::channels() const { return engine_->channels(); }
std::optional<std::vector<std::pair<std::string, Index>>> Dispatcher::watches(std::string_view channel) const {
    return engine_->watches(channel);
}
std::optional<Nanoseconds> Dispatcher::next_deadline() const { return engine_->next_deadline(); }
Memory Dispatcher::memory() const { return engine_->memory(); }
void Dispatcher::verify() const { engine_->verify(); }
void Dispatcher::on_work(std::function<void()> callback) {
    engine_->set_waker(callback ? std::make_shared<FunctionWaker>(std::move(callback)) : nullptr);
}

// Batch.

Batch::Batch(Batch&& other) noexcept : engine_(other.engine_), record_(other.record_), is_kept_(true) {
    if (other.is_kept_) {
        other.is_kept_ = false;  // its pin is ours now; it may be read as long as we live
    } else {
        core::Engine::pin(*record_);
    }
}

Batch& Batch::operator=(Batch&& other) noexcept {
    if (this == &other) return *this;
    Batch moved(std::move(other));
    std::swap(engine_, moved.engine_);
    std::swap(record_, moved.record_);
    std::swap(is_kept_, moved.is_kept_);
    return *this;
}

Batch::~Batch() {
    if (is_kept_) engine_->give_back(*record_);
}

std::string_view Batch::channel() const noexcept { return record_->name->view(); }
std::uint64_t Batch::ticket() const noexcept { return record_->ticket; }
std::uint64_t Batch::epoch() const noexcept { return record_->epoch; }
bool Batch::more() const noexcept { return record_->more; }
std::uint32_t Batch::size_bytes() const noexcept { return record_->size_bytes; }
std::size_t Batch::size() const noexcept { return record_->entries.size(); }

Notification Batch::operator[](std::size_t position) const noexcept {
    const core::BatchEntry& entry = record_->entries[position];
    return {entry.key->view(), entry.state(), entry.index,
            entry.value == nullptr ? std::nullopt : std::make_optional(entry.value->view())};
}

bool Batch::acknowledge() { return finish(*engine_, engine_->acknowledge(*record_)); }
bool Batch::acknowledge(std::span<const std::int64_t> results) { return answer(*engine_, *record_, results); }
bool Batch::remove_all() { return finish(*engine_, engine_->remove_all(*record_)); }
bool Batch::fail(Failure reason) { return finish(*engine_, engine_->fail(*record_, reason)); }
std::string Batch::encode() const { return core::encode(*record_); }

}  // namespace watchtree
