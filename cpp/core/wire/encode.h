// encode.h: a batch as the protobuf message watchtree.v1.NotifyRequest (watchtree.proto).
#pragma once

#include <string>

#include "core/dispatch/batch_record.h"

namespace watchtree::core {

// The same bytes as the reference implementation writes. Requires: a pin. Cost: O(bytes), one allocation.
[[nodiscard]] std::string encode(const BatchRecord& record);

}  // namespace watchtree::core
