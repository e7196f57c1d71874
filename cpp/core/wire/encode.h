// encode.h: a batch as the protobuf message watchtree.v1.NotifyRequest (watchtree.proto), with the same bytes as the reference
// implementation writes.
//
// Threads     any, with a pin of the record.
// Cost        O(bytes), copied once.
#pragma once

#include <cstddef>
#include <string>

#include "core/dispatch/batch_record.h"

namespace watchtree::core {

[[nodiscard]] std::size_t encoded_size(const BatchRecord& record) noexcept;
// Requires: room for encoded_size() bytes at `out`.
void encode(const BatchRecord& record, char* out) noexcept;
[[nodiscard]] std::string encode(const BatchRecord& record);

}  // namespace watchtree::core
