// varint.h: numbers of seven bits a byte, the lowest first, as protobuf writes them; negative ones by zigzag.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace watchtree::core {

inline constexpr std::size_t most_varint_bytes = 10;

[[nodiscard]] inline char* write_varint(char* at, std::uint64_t number) noexcept {
    for (; number >= 0x80; number >>= 7) *at++ = static_cast<char>(number | 0x80);
    *at++ = static_cast<char>(number);
    return at;
}

[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t number) noexcept {
    return (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
}

[[nodiscard]] constexpr std::int64_t unzigzag(std::uint64_t number) noexcept {
    return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}

// Reads bytes that may be anything. After the first that does not fit everything is 0 and empty, and ok() is false.
class VarintReader {
  public:
    explicit VarintReader(std::string_view bytes) noexcept : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    [[nodiscard]] bool ok() const noexcept { return ok_; }
    [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }
    [[nodiscard]] const char* position() const noexcept { return at_; }
    [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

    std::uint8_t byte() noexcept { return at_ == end_ ? (fail(), std::uint8_t{0}) : static_cast<std::uint8_t>(*at_++); }
    std::uint64_t number() noexcept {
        std::uint64_t number = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint64_t bits = byte();
            if (shift == 63 && bits > 1) break;
            number |= (bits & 0x7F) << shift;
            if (bits < 0x80) return number;
        }
        fail();
        return 0;
    }
    std::int64_t signed_number() noexcept { return unzigzag(number()); }
    std::string_view text() noexcept {
        const std::uint64_t size = number();
        if (size > left()) {
            fail();
            return {};
        }
        return bytes(static_cast<std::size_t>(size));
    }
    // Requires: size <= left().
    std::string_view bytes(std::size_t size) noexcept {
        const std::string_view taken(at_, size);
        at_ += size;
        return taken;
    }
    void fail() noexcept {
        ok_ = false;
        at_ = end_;
    }

  private:
    const char* at_;
    const char* end_;
    bool ok_ = true;
};

}  // namespace watchtree::core
