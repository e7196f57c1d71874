// form.h: the canonical form of a model's state: two states with equal forms have equal futures.
//
// What cannot matter any more is left out, and what matters only beside something else is told relative to it:
//   indexes    are compared with their key's and with those to come, so a notified index is never, behind, current, or so
//              many ahead of the tree; a key's own index only says whether an older one exists (0, 1 or more);
//   tickets    count by being in flight or not; registrations by being in their order, and the ones in a batch by still
//              being the watch's;
//   times      by how far they lie ahead, and those that have come by their order;
//   failures   up to the number after which the interval stays;
//   values     by their size;
//   counters, the epoch and the past of a channel not at all: whoever compares has compared them at each step;
//   channels   are alike but for their names, which the smaller of the forms under either naming does not tell.
#pragma once

#include <string>

#include "tests/naive/model.h"

namespace watchtree::naive {

// Requires: the model holds no other keys, and is not handing over; two channels at most.
[[nodiscard]] std::string canonical_form(const Model& model, const Keys& keys, const std::string& one,
                                         const std::string& other);

}  // namespace watchtree::naive
