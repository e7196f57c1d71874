// exhaustive.cc: every sequence of calls to a depth, over two channels and three keys, on the engine and on the naive model.
//
//   exhaustive [--depth N] [--states N] [--seconds S] [--scope N]
//
// Breadth first, so that the first difference is one that the fewest calls make. A state whose canonical form was reached
// before, so at no greater depth, is not gone on from. The engine cannot be copied: it is made anew and led to the state by
// the same calls; the model is copied. A call that leaves the form as it was is not undone: the next one follows on it, so
// that what it may have left behind in the engine is there to be found.
//
// Each scope (side_by_side/moves.cc) has its share of the states and of the time. Exits with 1 and prints the calls if
// there is a difference. Some 3,000 states a second: ten million are an hour, or half of one with the scopes, 0 to 5, in
// two processes.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "bench/stopwatch.h"
#include "tests/naive/form.h"
#include "tests/side_by_side/differences.h"
#include "tests/side_by_side/moves.h"

// Present where the program is built with a sanitizer.
#if defined(__GNUC__)
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));
#endif

using namespace watchtree;
using namespace watchtree::side_by_side;
using bench::Stopwatch;

namespace {

struct Limits {
    std::uint32_t depth = std::numeric_limits<std::uint32_t>::max();
    std::uint64_t states = 300'000;
    double seconds = std::numeric_limits<double>::max();
    std::optional<std::size_t> scope;
};

// Both sides, and what they were told.
struct Pair {
    EngineSide engine;
    ModelSide model;
    std::vector<Call> calls;

    explicit Pair(const Config& config) : engine(config), model(config) {}
    // The engine is led to a state that the model has; nothing is compared, since it was on the way there.
    Pair(const Config& config, const ModelSide& there, const std::vector<Call>& way)
        : engine(config), model(there), calls(way) {
        for (const Call& call : way) engine.make(call);
    }
    [[nodiscard]] std::string make(const Call& call) {
        calls.push_back(call);
        return make_and_compare(engine, model, call);
    }
};

// A failed assertion, a bad access or a sanitizer's report ends the process: the calls that led there are told even then,
// though no handler may do what this one does: there is nothing left to lose.
const Pair* current = nullptr;

void print(const std::vector<Call>& calls) {
    for (const Call& call : calls) std::fprintf(stderr, "    %s\n", text_of(call).c_str());
}
void print_current() {
    if (const Pair* dying = std::exchange(current, nullptr)) {
        std::fprintf(stderr, "exhaustive: died in the last of these calls:\n");
        print(dying->calls);
    }
}
void tell_calls_at_death() {
    const auto handler = [](int signal) {
        std::signal(signal, SIG_DFL);
        print_current();
        std::raise(signal);
    };
    std::signal(SIGABRT, handler);
    std::signal(SIGSEGV, handler);
#if defined(__GNUC__)
    if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(print_current);
#endif
}

// Runs moves from the start; answers the first difference, with the calls up to it.
std::string run(const Scope& scope, const std::vector<Move>& moves, std::vector<Call>& calls) {
    Pair pair(scope.config);
    std::string difference;
    for (std::size_t i = 0; i < moves.size() && difference.empty(); ++i) {
        const std::optional<Call> call = moves[i](pair.model.model());
        if (call) difference = pair.make(*call);
    }
    calls = pair.calls;
    return difference;
}

// Leaves out each move without which there is still a difference: those of the beginning, and those that changed nothing.
void report(const Scope& scope, std::vector<Move> moves) {
    std::vector<Call> calls;
    for (std::size_t i = moves.size(); i-- > 0;) {
        std::vector<Move> fewer = moves;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
        if (!run(scope, fewer, calls).empty()) moves = fewer;
    }
    const std::string difference = run(scope, moves, calls);
    std::fprintf(stderr, "exhaustive: a difference in %zu calls, with %s:\n", calls.size(),
                 text_of(scope.config).c_str());
    print(calls);
    std::fprintf(stderr, "%s", difference.c_str());
}

class Search {
  public:
    Search(const Scope& scope, const Limits& limits) : scope_(scope), limits_(limits) {}

    // False: there was a difference, which has been printed.
    bool run_all() {
        std::vector<Call> calls;
        if (!run(scope_, scope_.beginning, calls).empty()) {
            report(scope_, scope_.beginning);
            return false;
        }
        nodes_.push_back({0, 0});
        (void)is_new(form_of(at(0, calls)));
        std::size_t level_end = nodes_.size();
        bool has_difference = false;
        for (std::size_t node = 0; node < nodes_.size() && depth_ < limits_.depth; ++node) {
            if (is_over()) break;
            if (!expand(static_cast<std::uint32_t>(node))) {
                has_difference = true;
                break;
            }
            if (node + 1 == level_end) {
                ++depth_;
                level_end = nodes_.size();
            }
        }
        print_summary();
        return !has_difference;
    }

    [[nodiscard]] std::uint64_t states() const { return nodes_.size(); }
    [[nodiscard]] std::uint64_t steps() const { return steps_; }

  private:
    // How a state was reached first. The first node is the scope's beginning.
    struct Node {
        std::uint32_t before;
        std::uint16_t move;
    };

    [[nodiscard]] bool is_over() const {
        return nodes_.size() >= limits_.states || stopwatch_.seconds() >= limits_.seconds;
    }
    [[nodiscard]] std::string form_of(const ModelSide& model) const {
        return naive::canonical_form(model.model(), scope_.keys, channel_names[0], channel_names[1]);
    }
    [[nodiscard]] bool is_new(const std::string& form) { return seen_.insert(std::hash<std::string>{}(form)).second; }

    [[nodiscard]] std::vector<Move> moves_to(std::uint32_t node) const {
        std::vector<Move> moves;
        for (; node != 0; node = nodes_[node].before) moves.insert(moves.begin(), scope_.moves[nodes_[node].move]);
        moves.insert(moves.begin(), scope_.beginning.begin(), scope_.beginning.end());
        return moves;
    }
    // The model in a state, and the calls that lead there.
    [[nodiscard]] ModelSide at(std::uint32_t node, std::vector<Call>& calls) const {
        ModelSide model(scope_.config);
        calls.clear();
        for (const Move& move : moves_to(node)) {
            calls.push_back(*move(model.model()));
            model.make(calls.back());
        }
        return model;
    }

    // Makes every move in a state.
    bool expand(std::uint32_t node) {
        std::vector<Call> way;
        const ModelSide here = at(node, way);
        const std::string form = form_of(here);
        std::unique_ptr<Pair> pair;
        std::vector<Move> unmade;  // moves that changed nothing, since the pair was made
        for (std::uint16_t i = 0; i < scope_.moves.size(); ++i) {
            const Move& move = scope_.moves[i];
            const std::optional<Call> call = move(pair ? pair->model.model() : here.model());
            if (!call) continue;
            if (!pair) {
                pair = std::make_unique<Pair>(scope_.config, here, way);
                unmade.clear();
            }
            current = pair.get();
            ++steps_;
            unmade.push_back(move);
            if (!pair->make(*call).empty()) {
                std::vector<Move> moves = moves_to(node);
                moves.insert(moves.end(), unmade.begin(), unmade.end());
                report(scope_, moves);
                return false;
            }
            const std::string next = form_of(pair->model);
            if (next == form) continue;
            if (is_new(next)) nodes_.push_back({node, i});
            current = nullptr;
            pair.reset();
        }
        current = nullptr;
        return true;
    }

    void print_summary() const {
        std::printf("%-20s %9zu states, %10llu steps, %6.1f s, every sequence of %u calls\n", scope_.name.c_str(),
                    nodes_.size(), static_cast<unsigned long long>(steps_), stopwatch_.seconds(), depth_);
        std::fflush(stdout);
    }

    const Scope& scope_;
    const Limits limits_;
    const Stopwatch stopwatch_;
    std::vector<Node> nodes_;
    std::unordered_set<std::size_t> seen_;  // hashes of forms
    std::uint32_t depth_ = 0;               // every state at it has been gone on from
    std::uint64_t steps_ = 0;
};

bool read(int count, char** words, Limits& limits) {
    for (int i = 1; i + 1 < count; i += 2) {
        const std::string_view option = words[i];
        const unsigned long long number = std::strtoull(words[i + 1], nullptr, 10);
        if (option == "--depth")
            limits.depth = static_cast<std::uint32_t>(number);
        else if (option == "--states")
            limits.states = number;
        else if (option == "--seconds")
            limits.seconds = std::strtod(words[i + 1], nullptr);
        else if (option == "--scope")
            limits.scope = static_cast<std::size_t>(number);
        else
            return false;
    }
    return count % 2 == 1;
}

}  // namespace

int main(int count, char** words) {
    Limits limits;
    if (!read(count, words, limits)) {
        std::fprintf(stderr, "exhaustive [--depth N] [--states N] [--seconds S] [--scope N]\n");
        return 2;
    }
    tell_calls_at_death();
    std::vector<Scope> chosen = scopes();
    if (limits.scope) chosen = {chosen.at(*limits.scope)};
    limits.states /= chosen.size();
    limits.seconds /= static_cast<double>(chosen.size());
    const Stopwatch stopwatch;
    std::uint64_t states = 0;
    std::uint64_t steps = 0;
    bool agree = true;
    for (std::size_t i = 0; i < chosen.size() && agree; ++i) {
        Search search(chosen[i], limits);
        agree = search.run_all();
        states += search.states();
        steps += search.steps();
    }
    std::printf("%llu states, %llu steps in %.1f s\n", static_cast<unsigned long long>(states),
                static_cast<unsigned long long>(steps), stopwatch.seconds());
    return agree ? 0 : 1;
}
