// One watch through the installed library: from a put to its acknowledgement, and nothing of the checkout.
#include <cstdio>
#include <memory>
#include <string>

#include "watchtree/clock.h"
#include "watchtree/dispatcher.h"
#include "watchtree/transport.h"
#include "watchtree/tree.h"

namespace {

class Print final : public watchtree::Transport {
  public:
    void send(watchtree::Batch& batch) override {
        for (std::size_t i = 0; i < batch.size(); ++i)
            last = std::string(batch[i].key) + "=" + std::string(batch[i].value.value_or("?"));
        std::printf("%.*s\n", static_cast<int>(last.size()), last.data());
        batch.acknowledge();
    }
    std::string last;
};

}  // namespace

int main() {
    watchtree::Tree tree;
    Print print;
    watchtree::Dispatcher dispatcher(tree, print, {}, std::make_shared<watchtree::ManualClock>());
    const watchtree::Known known[] = {{"app.db", 0}};
    if (dispatcher.sync("alice", known) != watchtree::Status::ok) return 1;
    if (tree.put("app.db", "v1", true).status != watchtree::Status::ok) return 1;
    dispatcher.dispatch();
    return print.last == "app.db=v1" && dispatcher.stats().acknowledged == 1 ? 0 : 1;
}
