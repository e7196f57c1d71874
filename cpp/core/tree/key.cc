#include "core/tree/key.h"

#include <algorithm>

namespace watchtree::core {

namespace {

// Length of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7), 0 if there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) noexcept {
    const auto byte = [&](std::size_t i) -> unsigned {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
    };
    const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        if (lead == 0xE0 && byte(1) < 0xA0) return 0;
        if (lead == 0xED && byte(1) > 0x9F) return 0;  // surrogates
        return continues(1) && continues(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (lead == 0xF0 && byte(1) < 0x90) return 0;
        if (lead == 0xF4 && byte(1) > 0x8F) return 0;
        return continues(1) && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

bool is_control(std::string_view text, std::size_t at) noexcept {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == 0x7F) return true;
    return byte == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0;  // U+0080 to U+009F
}

}  // namespace

Status check_key(std::string_view key, std::uint32_t max_key_bytes) noexcept {
    bool part_is_empty = true;
    for (std::size_t at = 0; at < key.size();) {
        if (key[at] == '.') {
            if (part_is_empty) return Status::invalid_key;
            part_is_empty = true;
            ++at;
            continue;
        }
        const std::size_t length = sequence_length(key, at);
        if (length == 0 || is_control(key, at)) return Status::invalid_key;
        part_is_empty = false;
        at += length;
    }
    if (part_is_empty && !key.empty()) return Status::invalid_key;
    return key.size() > max_key_bytes ? Status::key_too_long : Status::ok;
}

bool key_less(std::string_view a, std::string_view b) noexcept {
    const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    if (y == b.end()) return false;
    if (x == a.end()) return true;
    // A dot ends a part, and a part sorts before every longer one.
    if (*x == '.' || *y == '.') return *x == '.';
    return static_cast<unsigned char>(*x) < static_cast<unsigned char>(*y);
}

}  // namespace watchtree::core
