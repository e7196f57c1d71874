// differences.h: what the engine and the model answer differently, as text.
#pragma once

#include <string>

#include "tests/side_by_side/sides.h"

namespace watchtree::side_by_side {

// Makes the call on both sides, has the engine check itself, and compares transcripts and all that can be asked: the tree,
// the numbers of stats() and channel() but for durations, the watches, the next deadline. Empty: no difference.
[[nodiscard]] std::string make_and_compare(EngineSide& engine, ModelSide& model, const Call& call);

}  // namespace watchtree::side_by_side
