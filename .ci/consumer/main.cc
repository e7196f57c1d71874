// Uses what is installed, and nothing of the checkout.
#include <cstdio>

#include "watchtree/status.h"
#include "watchtree/tree_id.h"

int main() {
    const watchtree::TreeId id = watchtree::make_tree_id();
    const bool random_id = (id[6] & 0xF0) == 0x40;
    std::printf("watchtree::core linked: %s\n", watchtree::name_of(watchtree::Status::ok));
    return random_id ? 0 : 1;
}
