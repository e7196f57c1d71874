// hash.h: the hash of a key or a name.
//
// Cost        one multiplication for each eight bytes, nothing called: keys are short, and std::hash takes some 70 instructions
//             for any of them, a sixth of a put. Like that one it is fixed: whoever chooses the keys can choose ones that collide.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace watchtree::core {

[[nodiscard]] inline std::uint32_t hash_bytes(std::string_view bytes) noexcept {
    constexpr std::uint64_t factor = 0x9E3779B97F4A7C15u;  // 2^64 by the golden ratio, odd
    const auto word_at = [&](std::size_t position) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data() + position, sizeof word);
        return word;
    };
    const auto half_at = [&](std::size_t position) {
        std::uint32_t half;
        std::memcpy(&half, bytes.data() + position, sizeof half);
        return std::uint64_t{half};
    };
    const auto byte_at = [&](std::size_t position) {
        return std::uint64_t{static_cast<unsigned char>(bytes[position])};
    };

    const std::size_t size = bytes.size();
    std::uint64_t hash = size * factor;
    const auto mix = [&](std::uint64_t word) {
        hash = (hash ^ word) * factor;
        hash ^= hash >> 32;
    };
    // The last bytes of what is no multiple of the word overlap those before.
    std::uint64_t last = 0;
    if (size >= 8) {
        for (std::size_t i = 0; i + 8 < size; i += 8) mix(word_at(i));
        last = word_at(size - 8);
    } else if (size >= 4) {
        last = half_at(0) << 32 | half_at(size - 4);
    } else if (size > 0) {
        last = byte_at(0) << 16 | byte_at(size / 2) << 8 | byte_at(size - 1);
    }
    mix(last);
    return static_cast<std::uint32_t>(hash * factor >> 32);
}

}  // namespace watchtree::core
