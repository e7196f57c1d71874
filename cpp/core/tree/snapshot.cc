#include "core/tree/snapshot.h"

#include <cstring>

namespace watchtree::core {

namespace {

constexpr std::string_view magic = "WTSN";
constexpr std::uint32_t version = 1;
constexpr std::uint32_t directory_size = 0xFFFFFFFF;
constexpr std::size_t node_header_bytes = 4 + 4 + 8 + 8;

std::uint64_t fnv1a(std::string_view bytes) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    return hash;
}

template <typename Unsigned>
void write(std::string& out, Unsigned number) {
    for (std::size_t i = 0; i < sizeof number; ++i) out.push_back(static_cast<char>(number >> (8 * i) & 0xFF));
}

class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    [[nodiscard]] bool take(std::size_t size, std::string_view& bytes) noexcept {
        if (rest_.size() < size) return false;
        bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return true;
    }
    template <typename Unsigned>
    [[nodiscard]] bool take(Unsigned& number) noexcept {
        std::string_view bytes;
        if (!take(sizeof number, bytes)) return false;
        number = 0;
        for (std::size_t i = 0; i < sizeof number; ++i)
            number |= static_cast<Unsigned>(static_cast<Unsigned>(static_cast<unsigned char>(bytes[i])) << (8 * i));
        return true;
    }
    [[nodiscard]] bool take(Index& number) noexcept {
        std::uint64_t bits = 0;
        if (!take(bits)) return false;
        number = static_cast<Index>(bits);
        return number >= 0;
    }
    [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }

  private:
    std::string_view rest_;
};

bool take_node(Reader& reader, NodeImage& node) noexcept {
    std::uint32_t key_bytes = 0;
    std::uint32_t value_bytes = 0;
    if (!reader.take(key_bytes) || !reader.take(value_bytes)) return false;
    if (!reader.take(node.create_index) || !reader.take(node.update_index)) return false;
    if (!reader.take(key_bytes, node.key)) return false;
    node.value = std::nullopt;
    if (value_bytes == directory_size) return true;
    return reader.take(value_bytes, node.value.emplace());
}

// Whether a node may follow those on the way from the root to the one before it.
bool fits(const NodeImage& node, Index index, std::vector<const NodeImage*>& way, std::uint32_t max_key_bytes,
          std::uint32_t max_value_bytes) {
    if (node.key.empty() || check_key(node.key, max_key_bytes) != Status::ok) return false;
    if (node.value && node.value->size() > max_value_bytes) return false;
    if (node.create_index < 1 || node.create_index > node.update_index || node.update_index > index) return false;
    if (!way.empty() && !key_less(way.back()->key, node.key)) return false;
    const std::string_view parent = parent_key(node.key);
    while (!way.empty() && way.back()->key != parent) way.pop_back();
    if (way.empty()) return parent.empty();
    return !way.back()->value && way.back()->update_index >= node.update_index &&
           way.back()->create_index <= node.create_index;
}

}  // namespace

Capture::Capture(const Tree& tree) : id_(tree.id()), index_(tree.index()) {
    items_.reserve(tree.size());
    tree.for_each([&](const Node& node) {
        items_.push_back({BufferRef::share(node.key), BufferRef::share(node.is_directory ? nullptr : node.value),
                          node.create_index, node.update_index});
    });
}

std::string Capture::encode() const {
    std::size_t size = 64;
    for (const Item& item : items_)
        size += node_header_bytes + item.key.get()->size() + (item.value ? item.value.get()->size() : 0);
    std::string out;
    out.reserve(size);
    out += magic;
    write(out, version);
    out.append(reinterpret_cast<const char*>(id_.data()), id_.size());
    write(out, static_cast<std::uint64_t>(index_));
    write(out, static_cast<std::uint64_t>(items_.size()));
    for (const Item& item : items_) {
        write(out, item.key.get()->size());
        write(out, item.value ? item.value.get()->size() : directory_size);
        write(out, static_cast<std::uint64_t>(item.create_index));
        write(out, static_cast<std::uint64_t>(item.update_index));
        out += item.key.get()->view();
        if (item.value) out += item.value.get()->view();
    }
    write(out, fnv1a(out));
    return out;
}

std::optional<Image> parse_image(std::string_view bytes, std::uint32_t max_key_bytes, std::uint32_t max_value_bytes) {
    if (bytes.size() < 8) return std::nullopt;
    const std::string_view content = bytes.substr(0, bytes.size() - 8);
    std::uint64_t checksum = 0;
    if (!Reader(bytes.substr(content.size())).take(checksum) || checksum != fnv1a(content)) return std::nullopt;

    Reader reader(content);
    Image image;
    std::string_view word;
    std::uint32_t form = 0;
    std::uint64_t count = 0;
    if (!reader.take(magic.size(), word) || word != magic) return std::nullopt;
    if (!reader.take(form) || form != version) return std::nullopt;
    if (!reader.take(image.id.size(), word)) return std::nullopt;
    std::memcpy(image.id.data(), word.data(), word.size());
    if (!reader.take(image.index) || !reader.take(count)) return std::nullopt;
    if (count > reader.left() / node_header_bytes) return std::nullopt;

    image.nodes.resize(static_cast<std::size_t>(count));
    std::vector<const NodeImage*> way;
    for (NodeImage& node : image.nodes) {
        if (!take_node(reader, node) || !fits(node, image.index, way, max_key_bytes, max_value_bytes))
            return std::nullopt;
        way.push_back(&node);
    }
    if (reader.left() != 0) return std::nullopt;
    return image;
}

}  // namespace watchtree::core
