// moves.h: what may be done next in a small scope, told relative to the state, so that a sequence of moves has a meaning
// wherever it starts.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/naive/model.h"
#include "tests/side_by_side/call.h"

namespace watchtree::side_by_side {

// The call that a move stands for in a state; none where it has no meaning, such as an answer to nothing.
using Move = std::function<std::optional<Call>(const naive::Model& model)>;

// A part of all histories: what they are made of, and where they begin.
struct Scope {
    std::string name;
    naive::Keys keys;  // three
    Config config;
    std::vector<Move> beginning;
    // What there is for one channel there is for the other: a canonical form does not tell them apart.
    std::vector<Move> moves;
};

[[nodiscard]] std::vector<Scope> scopes();

inline constexpr const char* channel_names[] = {"x", "y"};

}  // namespace watchtree::side_by_side
