#include "core/trace/log.h"

#include <array>
#include <stdexcept>

#include "core/trace/call.h"
#include "core/trace/varint.h"

namespace watchtree::core {

namespace {

void write(std::string& out, std::uint64_t number) {
    std::array<char, most_varint_bytes> bytes;
    out.append(bytes.data(), static_cast<std::size_t>(write_varint(bytes.data(), number) - bytes.data()));
}

void write(std::string& out, std::string_view text) {
    write(out, text.size());
    out += text;
}

constexpr std::array sizes{&Config::max_key_bytes, &Config::max_value_bytes, &Config::max_batch_size,
                           &Config::max_batch_bytes};
constexpr std::array intervals{&Config::dispatch_interval_ns, &Config::answer_timeout_ns, &Config::channel_timeout_ns,
                               &Config::heartbeat_ns};

[[nodiscard]] Config read_config(VarintReader& reader) {
    Config config;
    for (const auto size : sizes) config.*size = static_cast<std::uint32_t>(reader.number());
    for (const auto interval : intervals) config.*interval = static_cast<Nanoseconds>(reader.number());
    config.backoff_ns.clear();
    for (std::uint64_t left = reader.number(); left != 0 && reader.ok(); --left)
        config.backoff_ns.push_back(static_cast<Nanoseconds>(reader.number()));
    return config;
}

[[nodiscard]] bool is_valid(const Config& config) {
    try {
        validate(config);
        return true;
    } catch (const std::invalid_argument&) {
        return false;
    }
}

}  // namespace

std::string encode(const Log& log) {
    std::string out;
    out.reserve(log.image.size() + log.calls.size() + 256);
    for (const auto size : sizes) write(out, log.config.*size);
    for (const auto interval : intervals) write(out, static_cast<std::uint64_t>(log.config.*interval));
    write(out, log.config.backoff_ns.size());
    for (const Nanoseconds wait : log.config.backoff_ns) write(out, static_cast<std::uint64_t>(wait));
    write(out, log.tree_max_key_bytes);
    write(out, log.tree_max_value_bytes);
    write(out, log.replayable ? 1 : 0);
    write(out, log.image);
    write(out, static_cast<std::uint64_t>(log.base));
    write(out, log.first);
    write(out, log.calls);
    return out;
}

Log cut(const Log& log, std::uint64_t begin, std::uint64_t end) {
    Log part{.config = log.config,
             .tree_max_key_bytes = log.tree_max_key_bytes,
             .tree_max_value_bytes = log.tree_max_value_bytes,
             .image = log.image,
             .base = log.base,
             .calls = {}};
    CallReader reader(log.calls, log.base);
    Call call;
    std::uint64_t number = log.first;
    while (number < begin && reader.next(call)) {
        part.base = call.time;
        ++number;
    }
    const std::size_t from = reader.read();
    part.first = number;
    for (; number < end && reader.next(call); ++number) {
    }
    part.calls = log.calls.substr(from, reader.read() - from);
    part.replayable = log.replayable && part.first == log.first;
    if (!part.replayable) part.image.clear();
    return part;
}

std::optional<Log> parse_log(std::string_view bytes) {
    VarintReader reader(bytes);
    Log log;
    log.config = read_config(reader);
    log.tree_max_key_bytes = static_cast<std::uint32_t>(reader.number());
    log.tree_max_value_bytes = static_cast<std::uint32_t>(reader.number());
    log.replayable = reader.number() == 1;
    log.image = reader.text();
    log.base = static_cast<Nanoseconds>(reader.number());
    log.first = reader.number();
    log.calls = reader.text();
    Config of_tree;
    of_tree.max_key_bytes = log.tree_max_key_bytes;
    of_tree.max_value_bytes = log.tree_max_value_bytes;
    if (!reader.ok() || !reader.at_end() || !is_valid(log.config) || !is_valid(of_tree) || log.base < 0)
        return std::nullopt;
    CallReader calls(log.calls, log.base);
    while (calls.skip()) {
    }
    if (!calls.ok()) return std::nullopt;
    return log;
}

}  // namespace watchtree::core
