// later.h: arithmetic with moments that cannot overflow.
#pragma once

#include <limits>

#include "watchtree/words.h"

namespace watchtree::core {

// A moment after another; the last there is if the sum would not fit.
[[nodiscard]] constexpr Nanoseconds later(Nanoseconds time, Nanoseconds by) noexcept {
    return time > std::numeric_limits<Nanoseconds>::max() - by ? std::numeric_limits<Nanoseconds>::max() : time + by;
}

}  // namespace watchtree::core
