// trace.cc: any bytes are refused as a log, or can be cut, made into columns and replayed, whatever they say; a log that is written
// again is the same.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/engine/engine.h"
#include "core/engine/replay.h"
#include "core/trace/columns.h"
#include "core/trace/log.h"
#include "tests/check.h"
#include "watchtree/clock.h"

using namespace watchtree;
using namespace watchtree::core;

namespace {

class NoCourier final : public Courier {
  public:
    [[nodiscard]] bool hand_over(BatchRecord&) override { return true; }
};

void check_columns(const Log& log) {
    const Columns columns = columns_of(log);
    const std::size_t rows = columns.time.size();
    CHECK(columns.event.size() == rows && columns.coalesced.size() == rows && columns.in_flight.size() == rows);
    const auto names = [](const auto& positions, const auto& known) {
        for (const std::int32_t position : positions)
            CHECK(position >= -1 && position < static_cast<std::int32_t>(known.size()));
    };
    names(columns.channel, columns.channels);
    names(columns.key, columns.keys);
}

void check_replay(const Log& log) {
    auto group = std::make_shared<Group>(log.tree_max_key_bytes, log.tree_max_value_bytes);
    auto clock = std::make_shared<ManualClock>();
    const EngineOwner engine = Engine::make(group, log.config, clock, std::make_shared<NoCourier>());
    if (!log.image.empty() && group->restore(log.image) != Status::ok) return;
    if (engine->epoch() != 1) {  // restored: as a tree that was made of the image
        const EngineOwner again = Engine::make(group, log.config, clock, std::make_shared<NoCourier>());
        CHECK(replay(log, *again, *clock, UINT64_MAX).has_value());
        again->verify();
    } else {
        CHECK(replay(log, *engine, *clock, UINT64_MAX).has_value());
        engine->verify();
    }
    group->verify();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    const std::string bytes(reinterpret_cast<const char*>(input), size);
    const std::optional<Log> log = parse_log(bytes);
    if (!log) return 0;
    const std::optional<Log> again = parse_log(encode(*log));
    CHECK(again.has_value() && encode(*again) == encode(*log));
    check_columns(*log);
    for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{7}}) {
        const Log part = cut(*log, log->first + at, log->first + 2 * at);
        CHECK(parse_log(encode(part)).has_value());
        check_columns(part);
    }
    check_replay(*log);
    return 0;
}
