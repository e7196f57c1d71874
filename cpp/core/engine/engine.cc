#include "core/engine/engine.h"

#include <algorithm>
#include <utility>

#include "core/tree/key.h"

namespace watchtree::core {

Engine::Engine(std::shared_ptr<Group> group, const Config& config, std::shared_ptr<Clock> clock,
               std::shared_ptr<Courier> courier)
    : group_(std::move(group)),
      clock_(std::move(clock)),
      courier_(std::move(courier)),
      watch_tree_(std::in_place, group_->tree_, clock_),
      dispatcher_(group_->tree_, *watch_tree_, config),
      dispatch_interval_(config.dispatch_interval_ns) {}

EngineOwner Engine::make(std::shared_ptr<Group> group, const Config& config, std::shared_ptr<Clock> clock,
                         std::shared_ptr<Courier> courier) {
    Group& kept = *group;
    const Turn turn(kept);
    kept.engines_.reserve(kept.engines_.size() + 1);
    auto* engine = new Engine(std::move(group), config, std::move(clock), std::move(courier));
    kept.engines_.push_back(engine);
    return EngineOwner(engine);
}

void Retire::operator()(Engine* engine) const noexcept { engine->retire(); }

void Engine::retire() noexcept {
    bool last = false;
    const std::shared_ptr<Group> group = group_;  // keeps the lock alive beyond this
    std::shared_ptr<Waker> waker;                 // goes with the lock free: it may own anything of the user's
    {
        const Turn turn(*group);
        set_recorder(nullptr);
        dispatcher_.reset();  // and cancels what is being handed over
        dispatcher_.drop_outbox();
        std::erase(group->engines_, this);
        watch_tree_.reset();
        retired_ = true;
        disarm();
        waker.swap(waker_);
        last = is_unused();
    }
    if (last) delete this;
}

void Engine::give_back(BatchRecord& record) noexcept {
    if (record.pins.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    bool last = false;
    {
        const Turn turn(*group_);
        dispatcher_.recycle(record);
        last = is_unused();
    }
    if (last) delete this;
}

Status Engine::sync(std::string_view channel, std::span<const Known> known, bool replace, Synced& synced,
                    std::size_t& bad) {
    const Turn turn(*group_);
    const Nanoseconds now = clock_.now();
    if (recording_ != nullptr) [[unlikely]]
        recording_->sync(now, channel, known, replace);
    const Status status = dispatcher_.sync(channel, known, replace, now, bad);
    end_recorded(static_cast<std::uint64_t>(status));
    synced = {group_->tree_.id(), group_->tree_.index()};
    return status;
}

std::uint32_t Engine::touch(std::string_view channel) {
    const Turn turn(*group_);
    const Nanoseconds now = clock_.now();
    if (recording_ != nullptr) [[unlikely]]
        recording_->channel_call(Event::touch, now, channel);
    const std::uint32_t watches = dispatcher_.touch(channel, now);
    end_recorded(watches);
    return watches;
}

bool Engine::close(std::string_view channel) {
    const Turn turn(*group_);
    if (recording_ != nullptr) [[unlikely]]
        recording_->channel_call(Event::close, clock_.now(), channel);
    const bool was_there = dispatcher_.close(channel);
    end_recorded(was_there ? 1 : 0);
    return was_there;
}

void Engine::reset() {
    const Turn turn(*group_);
    if (recording_ != nullptr) [[unlikely]]
        recording_->plain_call(Event::reset, clock_.now());
    dispatcher_.reset();
    end_recorded(0);
}

bool Engine::step() {
    const Turn turn(*group_);
    const Nanoseconds begin = clock_.now();
    if (recording_ != nullptr) [[unlikely]]
        recording_->plain_call(Event::dispatch, begin);
    const bool complete = dispatcher_.step(begin);
    const Nanoseconds elapsed = clock_.now() - begin;
    dispatcher_.count_step_time(elapsed);
    end_recorded(std::uint64_t{dispatcher_.busiest_part()} << 1 | (complete ? 1 : 0), elapsed);
    disarm();
    if (!dispatcher_.has_work()) arm();
    return complete;
}

void Engine::deliver() {
    const std::shared_ptr<Courier> courier = courier_;
    std::vector<BatchRecord*>* records = start_delivery();
    while (records != nullptr) {
        std::size_t done = 0;
        try {
            while (done < records->size()) {
                BatchRecord& record = *(*records)[done++];
                if (is_recorded_.load(std::memory_order_relaxed)) {
                    if (!begin_recorded_hand_over(record)) continue;
                } else {
                    if (record.cancelled.load(std::memory_order_relaxed)) continue;
                    record.handed_over.store(true, std::memory_order_relaxed);
                }
                if (!courier->hand_over(record)) raised(record.ticket);
            }
        } catch (...) {
            raised((*records)[done - 1]->ticket);
            (void)end_delivery(done, true);
            throw;
        }
        records = end_delivery(done, false);
    }
}

// Of a sending that an answer would still count for.
namespace {
[[nodiscard]] std::string_view channel_of(const BatchRecord* record) noexcept {
    return record == nullptr || record->channel == none ? std::string_view{} : record->name->view();
}
}  // namespace

// Under the lock, so that the recording has it in its place among the other calls.
bool Engine::begin_recorded_hand_over(BatchRecord& record) {
    const Turn turn(*group_);
    if (record.cancelled.load(std::memory_order_relaxed)) return false;
    record.handed_over.store(true, std::memory_order_relaxed);
    if (recording_ == nullptr) return true;  // it was stopped meanwhile
    recording_->sending_call(Event::hand_over, clock_.now(), record.ticket, channel_of(&record));
    end_recorded(0);
    return true;
}

void Engine::set_recorder(std::shared_ptr<Recorder> recorder) noexcept {
    if (recorder_ != nullptr) recorder_->detach();
    recorder_ = std::move(recorder);
    record_to(recorder_ == nullptr ? nullptr : &recorder_->recording());
}

void Engine::record_to(Recording* recording) noexcept {
    group_->recorded_ -= recording_ != nullptr;
    group_->recorded_ += recording != nullptr;
    recording_ = recording;
    is_recorded_.store(recording != nullptr, std::memory_order_relaxed);
    dispatcher_.record_to(recording);
}

void Engine::write_end(std::uint64_t outcome, Nanoseconds elapsed) noexcept {
    Ending ending = dispatcher_.ending(outcome);
    ending.elapsed = elapsed;
    recording_->end(ending);
}

std::vector<BatchRecord*>* Engine::start_delivery() {
    const Turn turn(*group_);
    if (!must_deliver()) return nullptr;
    delivering_ = true;
    return &dispatcher_.take_outbox();
}

// What was built meanwhile, to be handed over next; null if there is nothing, or no more is to be handed over now.
std::vector<BatchRecord*>* Engine::end_delivery(std::size_t done, bool interrupted) {
    bool last = false;
    {
        const Turn turn(*group_);
        dispatcher_.done_until(done);
        if (retired_) dispatcher_.drop_outbox();
        if (!interrupted && !dispatcher_.outbox_is_empty()) return &dispatcher_.take_outbox();
        delivering_ = false;
        last = is_unused();
    }
    if (last) delete this;
    return nullptr;
}

Answered Engine::acknowledge(std::uint64_t ticket) {
    const Turn turn(*group_);
    return answered(acknowledge_in_turn(dispatcher_.find_unanswered(ticket), ticket));
}

Answered Engine::acknowledge(BatchRecord& record) {
    const Turn turn(*group_);
    return answered(acknowledge_in_turn(&record, record.ticket));
}

Outcome Engine::acknowledge_in_turn(BatchRecord* record, std::uint64_t ticket) {
    const Nanoseconds now = clock_.now();
    if (recording_ != nullptr) [[unlikely]]
        recording_->sending_call(Event::acknowledge, now, ticket, channel_of(record));
    return recorded(dispatcher_.acknowledge(record, now));
}

Answered Engine::acknowledge(std::uint64_t ticket, std::span<const std::int64_t> results, std::string& culprit) {
    const Turn turn(*group_);
    return answered(acknowledge_in_turn(dispatcher_.find_unanswered(ticket), ticket, results, culprit));
}

Answered Engine::acknowledge(BatchRecord& record, std::span<const std::int64_t> results, std::string& culprit) {
    const Turn turn(*group_);
    return answered(acknowledge_in_turn(&record, record.ticket, results, culprit));
}

Outcome Engine::acknowledge_in_turn(BatchRecord* record, std::uint64_t ticket, std::span<const std::int64_t> results,
                                    std::string& culprit) {
    const Nanoseconds now = clock_.now();
    if (recording_ != nullptr) [[unlikely]]
        recording_->results(now, ticket, channel_of(record), results);
    return recorded(dispatcher_.acknowledge(record, results, now, culprit));
}

Answered Engine::remove_all(std::uint64_t ticket) {
    const Turn turn(*group_);
    return answered(remove_all_in_turn(dispatcher_.find_unanswered(ticket), ticket));
}

Answered Engine::remove_all(BatchRecord& record) {
    const Turn turn(*group_);
    return answered(remove_all_in_turn(&record, record.ticket));
}

Outcome Engine::remove_all_in_turn(BatchRecord* record, std::uint64_t ticket) {
    if (recording_ != nullptr) [[unlikely]]
        recording_->sending_call(Event::remove_all, clock_.now(), ticket, channel_of(record));
    return recorded(dispatcher_.remove_all(record));
}

Answered Engine::fail(std::uint64_t ticket, Failure failure) {
    const Turn turn(*group_);
    return answered(fail_in_turn(Event::fail, dispatcher_.find_unanswered(ticket), ticket, failure));
}

Answered Engine::fail(BatchRecord& record, Failure failure) {
    const Turn turn(*group_);
    return answered(fail_in_turn(Event::fail, &record, record.ticket, failure));
}

void Engine::raised(std::uint64_t ticket) {
    const Turn turn(*group_);
    fail_in_turn(Event::raised, dispatcher_.find_unanswered(ticket), ticket, Failure::raised);
}

Outcome Engine::fail_in_turn(Event event, BatchRecord* record, std::uint64_t ticket, Failure failure) {
    const Nanoseconds now = clock_.now();
    if (recording_ != nullptr) [[unlikely]]
        recording_->failure(event, now, ticket, channel_of(record), failure);
    return recorded(dispatcher_.fail(record, failure, now));
}

void Engine::set_waker(std::shared_ptr<Waker> waker) {
    {
        const Turn turn(*group_);
        disarm();
        waker_.swap(waker);
        arm();
    }
    // The old one goes with the lock free.
}

// The caller of step() comes back after dispatch_interval, or at the deadline that is known by now.
void Engine::arm() noexcept {
    if (waker_ == nullptr) return;
    armed_ = true;
    ++group_->armed_;
    told_ = later(clock_.now(), dispatch_interval_);
    if (const std::optional<Nanoseconds> deadline = dispatcher_.next_deadline()) told_ = std::min(told_, *deadline);
}

std::shared_ptr<Waker> Engine::waker_if_due() noexcept {
    if (!armed_) return nullptr;
    if (!dispatcher_.has_work()) {
        const std::optional<Nanoseconds> deadline = dispatcher_.next_deadline();
        if (!deadline || *deadline >= told_) return nullptr;
    }
    disarm();
    return waker_;
}

void Engine::disarm() noexcept {
    group_->armed_ -= armed_;
    armed_ = false;
}

std::uint64_t Engine::epoch() {
    const Turn turn(*group_);
    return dispatcher_.epoch();
}

DispatcherStats Engine::stats() {
    const Turn turn(*group_);
    return dispatcher_.stats();
}

std::optional<ChannelStats> Engine::channel_stats(std::string_view channel) {
    const Turn turn(*group_);
    return dispatcher_.channel_stats(channel);
}

std::vector<std::string> Engine::channels() {
    const Turn turn(*group_);
    std::vector<std::string> names;
    for (const BufferRef& name : dispatcher_.channels()) names.emplace_back(name.get()->view());
    return names;
}

std::optional<std::vector<std::pair<std::string, Index>>> Engine::watches(std::string_view channel) {
    const Turn turn(*group_);
    std::vector<WatchedKey> watched;
    if (!dispatcher_.watches(channel, watched)) return std::nullopt;
    std::vector<std::pair<std::string, Index>> watches;
    watches.reserve(watched.size());
    for (const WatchedKey& watch : watched) watches.emplace_back(watch.key.get()->view(), watch.notified);
    return watches;
}

std::vector<HolderView> Engine::holders() {
    std::vector<HolderView> holders;
    {
        const Turn turn(*group_);
        holders.reserve(watch_tree_->holders());
        watch_tree_->for_each_holder([&](Handle handle, const Holder& holder) {
            holders.push_back({std::string(holder.key->view()), holder.mounted != 0, holder.watch_count,
                               watch_tree_->index_of(handle), holder.queued != 0});
        });
    }
    std::sort(holders.begin(), holders.end(),
              [](const HolderView& a, const HolderView& b) { return key_less(a.key, b.key); });
    return holders;
}

std::optional<Nanoseconds> Engine::next_deadline() {
    const Turn turn(*group_);
    if (dispatcher_.has_work() || must_deliver()) return 0;
    const std::optional<Nanoseconds> deadline = dispatcher_.next_deadline();
    if (!deadline) return std::nullopt;
    const Nanoseconds now = clock_.now();
    return *deadline > now ? *deadline - now : 0;
}

Memory Engine::memory() {
    const Turn turn(*group_);
    return dispatcher_.memory();
}

void Engine::verify() {
    const Turn turn(*group_);
    verify_in_turn();
}

void Engine::verify_in_turn() {
    watch_tree_->verify();
    dispatcher_.verify();
}

}  // namespace watchtree::core
