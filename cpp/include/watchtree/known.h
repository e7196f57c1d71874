// known.h: what a subscriber says in a sync, and what it is answered (contract §2).
#pragma once

#include <string_view>

#include "watchtree/tree_id.h"
#include "watchtree/words.h"

namespace watchtree {

// A key and the index that the subscriber has of it: 0 nothing, -1 stop watching.
struct Known {
    std::string_view key;
    Index index;
};

struct Synced {
    TreeId tree_id;
    Index index;
};

}  // namespace watchtree
