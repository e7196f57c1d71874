// snapshot.cc: any bytes are refused by restore() with nothing changed, or restored whole: the tree then has their image.
//
// No bytes but a true image end in their checksum, so each input is tried as it is and with the checksum put right.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "tests/check.h"
#include "watchtree/dispatcher.h"
#include "watchtree/tree.h"

using namespace watchtree;

namespace {

class NoTransport final : public Transport {
  public:
    void send(Batch&) override {}
};

Config small_limits() {
    Config config;
    config.max_key_bytes = 16;
    config.max_value_bytes = 16;
    return config;
}

std::string with_checksum(std::string image) {
    if (image.size() < 8) return image;
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (std::size_t i = 0; i + 8 < image.size(); ++i)
        hash = (hash ^ static_cast<unsigned char>(image[i])) * 0x100000001b3;
    for (std::size_t i = 0; i < 8; ++i) image[image.size() - 8 + i] = static_cast<char>(hash >> (8 * i) & 0xFF);
    return image;
}

std::size_t count_below(const Tree& tree, const std::string& key) {
    std::vector<Node> children;
    CHECK(tree.list(key, children) == Status::ok);
    std::size_t count = children.size();
    for (const Node& child : children) {
        Node again = {};
        CHECK(tree.get(child.key, again) == Status::ok && again.value == child.value);
        CHECK(again.update_index <= tree.index() && again.create_index <= again.update_index);
        if (!child.value) count += count_below(tree, child.key);
    }
    return count;
}

// The next change has the next index, if there is one.
void check_goes_on(Tree& tree) {
    const Index before = tree.index();
    if (before == std::numeric_limits<Index>::max()) return;
    const Change made = tree.put("made later", "1");
    CHECK(made.status == Status::ok || made.status == Status::is_directory);
    CHECK(made.index == before + (made.status == Status::ok ? 1 : 0));
    tree.verify();
}

void check(const std::string& image) {
    Tree tree(small_limits());
    NoTransport transport;
    Dispatcher dispatcher(tree, transport, small_limits());
    const Known known[] = {{"before", 0}};
    CHECK(tree.put("before", "1").status == Status::ok);
    CHECK(dispatcher.sync("x", known) == Status::ok);
    const std::string before = tree.snapshot();

    const Status status = tree.restore(image);
    tree.verify();
    if (status != Status::ok) {
        CHECK(status == Status::invalid_snapshot);
        CHECK(tree.snapshot() == before && dispatcher.epoch() == 1 && dispatcher.stats().watches == 1);
        return;
    }
    CHECK(dispatcher.epoch() == 2 && dispatcher.stats().watches == 0);
    CHECK(tree.snapshot() == image);  // the format leaves no choice, so none of the bytes was passed over
    CHECK(count_below(tree, "") == tree.size());
    Tree again(small_limits());
    CHECK(again.restore(tree.snapshot()) == Status::ok);
    CHECK(again.id() == tree.id() && again.index() == tree.index() && again.size() == tree.size());
    CHECK(again.snapshot() == image);
    check_goes_on(tree);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    const std::string image(reinterpret_cast<const char*>(input), size);
    check(image);
    check(with_checksum(image));
    return 0;
}
