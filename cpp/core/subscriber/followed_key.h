// followed_key.h: one key that a subscriber follows, or is about to stop following (contract §4).
#pragma once

#include <cstdint>
#include <string>

#include "core/base/intrusive_list.h"
#include "watchtree/words.h"

namespace watchtree::core {

//  state      since                              linked in            leaves to
//  added      the user added it                  its group, pending   told, (gone)
//  told       a sync named it to a server        its group            removed, added
//  removed    the user removed it                its group, pending   added, (gone)
// A key that is removed is gone once a sync named it, or at once if the server was not told of it.
enum class KeyStage : std::uint8_t { added, told, removed };

inline constexpr Index nothing = -1;  // the index of a key of which no state has come

struct FollowedKey {
    std::string key;
    std::uint32_t group;
    KeyStage stage = KeyStage::added;
    bool at_server = false;  // a sync named it since the group's last one of everything
    bool has_event = false;
    State state = State::missing;  // of the waiting event
    Index index = nothing;         // of the newest state that came, as far as it is known of the group's tree
    Index event_index = nothing;   // of the waiting event
    std::uint64_t era = 0;         // of its group, when that came
    std::string value;             // of the waiting event, if that state is value
    Links in_group{none, none};
    Links in_pending{none, none};
    Links in_events{none, none};
};

}  // namespace watchtree::core
