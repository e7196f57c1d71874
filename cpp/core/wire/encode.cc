#include "core/wire/encode.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/base/check.h"
#include "core/base/prefetch.h"

namespace watchtree::core {

namespace {

// Protobuf's wire format: a field starts with its number and its type in a varint.
enum class Type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2 };

[[nodiscard]] std::size_t varint_size(std::uint64_t number) noexcept {
    return static_cast<std::size_t>(std::bit_width(number | 1) + 6) / 7;
}

// Writes where its caller made room.
class Writer {
  public:
    explicit Writer(char* out) noexcept : out_(out) {}

    void tag(unsigned field, Type type) noexcept {
        *out_++ = static_cast<char>(field << 3 | static_cast<unsigned>(type));
    }
    void varint(std::uint64_t number) noexcept {
        for (; number >= 0x80; number >>= 7) *out_++ = static_cast<char>(number | 0x80);
        *out_++ = static_cast<char>(number);
    }
    void bytes(unsigned field, std::string_view bytes) noexcept {
        tag(field, Type::bytes);
        varint(bytes.size());
        if (!bytes.empty()) std::memcpy(out_, bytes.data(), bytes.size());
        out_ += bytes.size();
    }
    void number(unsigned field, std::uint64_t number) noexcept {
        tag(field, Type::varint);
        varint(number);
    }
    void fixed64(unsigned field, std::uint64_t number) noexcept {
        tag(field, Type::fixed64);
        for (unsigned shift = 0; shift < 64; shift += 8) *out_++ = static_cast<char>(number >> shift);
    }
    [[nodiscard]] const char* end() const noexcept { return out_; }

  private:
    char* out_;
};

[[nodiscard]] std::size_t bytes_size(std::size_t size) noexcept { return 1 + varint_size(size) + size; }

// Fields without presence are left out where they have their default, as every protobuf writer does.
[[nodiscard]] std::size_t notification_size(const BatchEntry& entry) noexcept {
    std::size_t size = 0;
    if (entry.key->size() != 0) size += bytes_size(entry.key->size());
    if (entry.state_bits != 0) size += 2;
    if (entry.index != 0) size += 9;
    if (entry.value != nullptr) size += bytes_size(entry.value->size());
    return size;
}

void write_notification(Writer& out, const BatchEntry& entry) noexcept {
    if (entry.key->size() != 0) out.bytes(1, entry.key->view());
    if (entry.state_bits != 0) out.number(2, entry.state_bits);
    if (entry.index != 0) out.fixed64(3, static_cast<std::uint64_t>(entry.index));
    if (entry.value != nullptr) out.bytes(4, entry.value->view());
}

// Asks the processor for the bytes of a notification some ahead of the one that is written.
void prefetch_bytes(const std::vector<BatchEntry>& entries, std::size_t position) noexcept {
    if (position >= entries.size()) return;
    prefetch(entries[position].key);
    if (entries[position].value == nullptr) return;
    const auto* value = reinterpret_cast<const char*>(entries[position].value);
    prefetch(value);
    prefetch(value + cache_line_bytes);
}
constexpr std::size_t notifications_ahead = 4;

}  // namespace

std::size_t encoded_size(const BatchRecord& record) noexcept {
    std::size_t size = record.name->size() == 0 ? 0 : bytes_size(record.name->size());
    size += 1 + varint_size(record.ticket);
    size += 1 + varint_size(record.epoch);
    if (record.more) size += 2;
    for (std::size_t i = 0; i < record.entries.size(); ++i) {
        prefetch_bytes(record.entries, i + notifications_ahead);
        size += bytes_size(notification_size(record.entries[i]));
    }
    return size;
}

void encode(const BatchRecord& record, char* bytes) noexcept {
    Writer out(bytes);
    if (record.name->size() != 0) out.bytes(1, record.name->view());
    out.number(2, record.ticket);
    out.number(3, record.epoch);
    if (record.more) out.number(4, 1);
    for (const BatchEntry& entry : record.entries) {
        out.tag(5, Type::bytes);
        out.varint(notification_size(entry));
        write_notification(out, entry);
    }
    WATCHTREE_ASSERT(out.end() == bytes + encoded_size(record));
}

std::string encode(const BatchRecord& record) {
    std::string bytes(encoded_size(record), '\0');
    encode(record, bytes.data());
    return bytes;
}

}  // namespace watchtree::core
