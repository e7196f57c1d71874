// check.h: assertions that are on in checked builds (debug, tests, sanitizers, fuzzing) and absent in release.
//
// require() is for verify(): it is always there, and names the invariant that is broken.
#pragma once

#include <stdexcept>
#include <string>

namespace watchtree::core {

class BrokenInvariant : public std::logic_error {
  public:
    using std::logic_error::logic_error;
};

inline void require(bool holds, const char* invariant) {
    if (!holds) throw BrokenInvariant(invariant);
}

#if defined(WATCHTREE_CHECKED)
inline constexpr bool checked = true;
#else
inline constexpr bool checked = false;
#endif

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace watchtree::core

#if defined(WATCHTREE_CHECKED)
#define WATCHTREE_ASSERT(expression) \
    ((expression) ? (void)0 : ::watchtree::core::assertion_failed(#expression, __FILE__, __LINE__))
#else
#define WATCHTREE_ASSERT(expression) ((void)0)
#endif
