#include <algorithm>
#include <random>

#include "bench/random_puts.h"
#include "bench/rig.h"
#include "bench/workloads.h"

namespace watchtree::bench {

void directory(const Run& run) {
    constexpr int levels[] = {10, 40, 150, 300, 500};
    constexpr int leaves_in_each = 20, channels = 100, watched = 10, drains = 300, puts = 1'000;
    std::mt19937 random(42);
    std::vector<std::string> directories;
    std::vector<std::string> parents{""};
    for (int level = 0; level < 5; ++level) {
        std::vector<std::string> here;
        for (int i = 0; i < levels[level]; ++i) {
            const std::string& parent =
                parents[static_cast<std::size_t>(i) * parents.size() / static_cast<std::size_t>(levels[level])];
            here.push_back(parent + (parent.empty() ? "" : ".") + static_cast<char>('a' + level) + std::to_string(i));
        }
        directories.insert(directories.end(), here.begin(), here.end());
        parents = here;
    }
    Rig rig;
    std::vector<std::string> leaves;
    for (const std::string& parent : parents)
        for (int i = 0; i < leaves_in_each; ++i) leaves.push_back(parent + ".k" + std::to_string(i));
    for (const std::string& directory : directories) (void)rig.tree.mkdir(directory, true);
    for (const std::string& leaf : leaves) rig.put(leaf);
    std::uniform_int_distribution<std::size_t> any_directory(0, directories.size() - 1);
    for (int c = 0; c < channels; ++c) {
        std::vector<std::string> keys{""};
        while (keys.size() <= watched) {
            const std::string& directory = directories[any_directory(random)];
            if (std::find(keys.begin(), keys.end(), directory) == keys.end()) keys.push_back(directory);
        }
        rig.watch("channel" + std::to_string(c), keys);
    }
    rig.drain();

    measure_random_puts(rig, leaves, "directory", "1000 directories on 5 levels, 100 channels x 11", drains, puts, run);
}

}  // namespace watchtree::bench
