// sides.h: the engine and the model, each with its transport and its clock, under the same calls.
//
// Each side writes a transcript of a call: how it ended, what it handed over, what it reported, and the same for what the
// transport called from inside. Two sides that were told the same have equal transcripts.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tests/naive/model.h"
#include "tests/side_by_side/call.h"
#include "watchtree/dispatcher.h"
#include "watchtree/tree.h"

namespace watchtree::side_by_side {

// How one call ended. What a call does not answer is 0.
struct Outcome {
    Status status = Status::ok;
    std::int64_t number = 0;
    std::vector<Status> items = {};  // of a batch of operations

    bool operator==(const Outcome&) const = default;
};

// What went to Transport::on_error, or to on_wrong_result_count with the number of results.
struct Problem {
    std::string channel;
    std::optional<std::size_t> results;

    bool operator==(const Problem&) const = default;
};

using Transcript = std::vector<std::variant<Outcome, naive::HandedOver, Problem>>;

// The transport's part that is the same on both sides: what it does from inside a call.
class Inside {
  public:
    void begin(const Call& call) {
        call_ = &call;
        left_ = call.batches_inside;
    }
    // Makes the calls of one batch; answers whether the transport raises then.
    template <typename Make>
    bool act(std::uint64_t ticket, Make make) {
        if (left_ == 0) return false;
        --left_;
        const Call* call = call_;
        for (Call inner : call->inside) {
            auto* answer = std::get_if<AnswerCall>(&inner.what);
            if (answer != nullptr && answer->is_relative) answer->ticket += ticket;
            make(inner);
        }
        return call->raises;
    }

  private:
    const Call* call_ = nullptr;
    std::uint32_t left_ = 0;
};

class EngineSide final : public Transport {
  public:
    // keeps: holds on to each batch, and answers through it.
    explicit EngineSide(const Config& config, bool keeps = false);

    const Transcript& make(const Call& call);
    [[nodiscard]] const Tree& tree() const { return tree_; }
    [[nodiscard]] const Dispatcher& dispatcher() const { return dispatcher_; }
    // Whether each batch that was kept still reads as it did when it was handed over.
    [[nodiscard]] bool kept_batches_stand() const;

    void send(Batch& batch) override;
    void on_error(std::exception_ptr error, std::string_view channel) override;
    void on_wrong_result_count(std::string_view channel, std::size_t results) override;

  private:
    class StoodClock final : public Clock {
      public:
        [[nodiscard]] Nanoseconds now() noexcept override { return at; }
        Nanoseconds at = 0;
    };
    struct Kept {
        Batch batch;
        naive::HandedOver then;
    };
    friend struct EngineCalls;

    std::shared_ptr<StoodClock> clock_ = std::make_shared<StoodClock>();
    bool keeps_;
    std::map<std::uint64_t, Kept> kept_;
    std::optional<std::string> image_;
    Transcript transcript_;
    Inside inside_;
    Tree tree_;
    Dispatcher dispatcher_;
};

// May be copied between calls.
class ModelSide final : public naive::Receiver {
  public:
    explicit ModelSide(const Config& config) : model_(config) {}

    const Transcript& make(const Call& call);
    [[nodiscard]] const naive::Model& model() const { return model_; }

    bool receive(const naive::HandedOver& batch) override;
    void on_error(std::string_view channel) override;
    void on_wrong_result_count(std::string_view channel, std::size_t results) override;

  private:
    friend struct ModelCalls;

    naive::Model model_;
    std::optional<naive::Tree> image_;
    Transcript transcript_;
    Inside inside_;
};

}  // namespace watchtree::side_by_side
