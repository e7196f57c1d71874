#include "core/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace watchtree::core {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
    std::fprintf(stderr, "watchtree: %s:%d: assertion failed: %s\n", file, line, expression);
    std::abort();
}

}  // namespace watchtree::core
