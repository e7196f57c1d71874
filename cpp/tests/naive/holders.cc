#include "tests/naive/holders.h"

namespace watchtree::naive {

const std::vector<Place>& Holders::watches(const std::string& key) const {
    static const std::vector<Place> nothing;
    const auto at = watches_.find(key);
    return at == watches_.end() ? nothing : at->second;
}

Index Holders::index(const Tree& tree, const std::string& key) const {
    const TreeNode* node = tree.find(key);
    if (node != nullptr) return node->update_index;
    const auto at = missing_index_.find(key);
    if (at != missing_index_.end()) return at->second;
    std::string ancestor = key;
    while (node == nullptr) node = tree.find(ancestor = parent_of(ancestor));
    return node->update_index;
}

void Holders::add(const Tree& tree, const std::string& key, const Place& place) {
    watches_[key].push_back(place);
    mount(tree);
}

void Holders::move_last(const std::string& key, const Place& place) {
    take_out(key, place.channel);
    watches_[key].push_back(place);
}

void Holders::remove(const Tree& tree, const std::string& key, const std::string& channel) {
    take_out(key, channel);
    if (watches_[key].empty()) watches_.erase(key);
    mount(tree);
}

// A missing key whose holder is new has the update_index of its nearest existing ancestor. That covers removals as well: a
// node that was removed has no index as a missing key yet, and its ancestors have just taken the removal's.
void Holders::mount(const Tree& tree) {
    std::map<std::string, Index> missing_index;
    holders_.clear();
    for (const auto& [watched, places] : watches_) {
        Keys missing;
        std::string key = watched;
        for (; tree.find(key) == nullptr; key = parent_of(key)) missing.push_back(key);
        holders_.insert({watched, key});
        holders_.insert(missing.begin(), missing.end());
        for (const std::string& part : missing) missing_index[part] = index(tree, part);
    }
    missing_index_ = missing_index;
}

void Holders::take_out(const std::string& key, const std::string& channel) {
    std::erase_if(watches_[key], [&](const Place& place) { return place.channel == channel; });
}

}  // namespace watchtree::naive
