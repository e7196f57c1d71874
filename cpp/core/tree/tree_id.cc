#include "watchtree/tree_id.h"

#include <cstring>
#include <random>

namespace watchtree {

TreeId make_tree_id() {
    std::random_device device;
    TreeId id;
    for (std::size_t i = 0; i < id.size(); i += sizeof(std::uint32_t)) {
        const auto word = static_cast<std::uint32_t>(device());
        std::memcpy(&id[i], &word, sizeof word);
    }
    id[6] = static_cast<std::uint8_t>((id[6] & 0x0F) | 0x40);  // version 4, RFC 9562
    id[8] = static_cast<std::uint8_t>((id[8] & 0x3F) | 0x80);
    return id;
}

}  // namespace watchtree
