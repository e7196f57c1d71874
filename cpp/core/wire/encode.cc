#include "core/wire/encode.h"

#include <bit>
#include <cstdint>
#include <string_view>

namespace watchtree::core {

namespace {

// Protobuf's wire format: a field starts with its number and its type in a varint.
enum class Type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2 };

[[nodiscard]] std::size_t varint_size(std::uint64_t number) noexcept {
    return static_cast<std::size_t>(std::bit_width(number | 1) + 6) / 7;
}

class Writer {
  public:
    explicit Writer(std::size_t size) { out_.reserve(size); }

    void tag(unsigned field, Type type) { out_.push_back(static_cast<char>(field << 3 | static_cast<unsigned>(type))); }
    void varint(std::uint64_t number) {
        for (; number >= 0x80; number >>= 7) out_.push_back(static_cast<char>(number | 0x80));
        out_.push_back(static_cast<char>(number));
    }
    void bytes(unsigned field, std::string_view bytes) {
        tag(field, Type::bytes);
        varint(bytes.size());
        out_ += bytes;
    }
    void number(unsigned field, std::uint64_t number) {
        tag(field, Type::varint);
        varint(number);
    }
    void fixed64(unsigned field, std::uint64_t number) {
        tag(field, Type::fixed64);
        for (unsigned shift = 0; shift < 64; shift += 8) out_.push_back(static_cast<char>(number >> shift));
    }
    [[nodiscard]] std::string take() { return std::move(out_); }

  private:
    std::string out_;
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

void write_notification(Writer& out, const BatchEntry& entry) {
    if (entry.key->size() != 0) out.bytes(1, entry.key->view());
    if (entry.state_bits != 0) out.number(2, entry.state_bits);
    if (entry.index != 0) out.fixed64(3, static_cast<std::uint64_t>(entry.index));
    if (entry.value != nullptr) out.bytes(4, entry.value->view());
}

}  // namespace

std::string encode(const BatchRecord& record) {
    std::size_t size = bytes_size(record.name->size()) + 24;
    for (const BatchEntry& entry : record.entries) size += bytes_size(notification_size(entry));
    Writer out(size);
    if (record.name->size() != 0) out.bytes(1, record.name->view());
    out.number(2, record.ticket);
    out.number(3, record.epoch);
    if (record.more) out.number(4, 1);
    for (const BatchEntry& entry : record.entries) {
        out.tag(5, Type::bytes);
        out.varint(notification_size(entry));
        write_notification(out, entry);
    }
    return out.take();
}

}  // namespace watchtree::core
