// buffer.h: immutable bytes, counted and shared. A key or a value is stored once, however many hold it.
//
// Threads     none: counts change only under the engine's lock, which spares two locked instructions a notification.
//             The bytes themselves may be read by anyone who holds a count.
// Cost        one allocation: an 8-byte header and the bytes.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "core/base/check.h"

namespace watchtree::core {

class Buffer {
  public:
    static constexpr std::size_t max_size = std::size_t{1} << 31;

    [[nodiscard]] static Buffer* make(std::string_view bytes) {
        if (bytes.size() > max_size) throw std::length_error("watchtree: a name or value of more than 2^31 bytes");
        void* memory = std::malloc(sizeof(Buffer) + bytes.size());
        if (memory == nullptr) throw std::bad_alloc();
        auto* buffer = new (memory) Buffer(static_cast<std::uint32_t>(bytes.size()));
        if (!bytes.empty()) std::memcpy(buffer->data(), bytes.data(), bytes.size());
        return buffer;
    }

    [[nodiscard]] std::string_view view() const noexcept { return {reinterpret_cast<const char*>(this + 1), size_}; }
    [[nodiscard]] bool equals(std::string_view bytes) const noexcept {
        return bytes.size() == size_ && (size_ == 0 || std::memcmp(this + 1, bytes.data(), size_) == 0);
    }
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t memory() const noexcept { return sizeof(Buffer) + size_; }

    void retain() noexcept { ++count_; }
    void release() noexcept {
        WATCHTREE_ASSERT(count_ > 0);
        if (--count_ == 0) std::free(this);
    }

    // Writes other bytes of the same size in place, if nobody else can see them.
    [[nodiscard]] bool overwrite(std::string_view bytes) noexcept {
        if (count_ != 1 || bytes.size() != size_) return false;
        if (!bytes.empty()) std::memcpy(data(), bytes.data(), bytes.size());
        return true;
    }

  private:
    explicit Buffer(std::uint32_t size) noexcept : size_(size) {}
    [[nodiscard]] char* data() noexcept { return reinterpret_cast<char*>(this + 1); }

    std::uint32_t count_ = 1;
    std::uint32_t size_;
};
static_assert(sizeof(Buffer) == 8);

// Holds one count. For places that are not hot records; those keep a plain pointer and say who releases it.
class BufferRef {
  public:
    BufferRef() noexcept = default;
    static BufferRef share(Buffer* buffer) noexcept {
        if (buffer != nullptr) buffer->retain();
        return BufferRef(buffer);
    }
    static BufferRef adopt(Buffer* buffer) noexcept { return BufferRef(buffer); }
    BufferRef(BufferRef&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
    BufferRef& operator=(BufferRef&& other) noexcept {
        std::swap(buffer_, other.buffer_);
        return *this;
    }
    BufferRef(const BufferRef&) = delete;
    BufferRef& operator=(const BufferRef&) = delete;
    ~BufferRef() {
        if (buffer_ != nullptr) buffer_->release();
    }

    [[nodiscard]] Buffer* get() const noexcept { return buffer_; }
    [[nodiscard]] Buffer* leave() noexcept { return std::exchange(buffer_, nullptr); }
    explicit operator bool() const noexcept { return buffer_ != nullptr; }

  private:
    explicit BufferRef(Buffer* buffer) noexcept : buffer_(buffer) {}
    Buffer* buffer_ = nullptr;
};

}  // namespace watchtree::core
