#include "tests/naive/tree.h"

#include <algorithm>
#include <limits>

namespace watchtree::naive {

namespace {

// One code point off the front; false if the bytes are not UTF-8. What a longer form than needed, a surrogate or a number
// above U+10FFFF would be is no text.
bool take_code_point(std::string_view& text, std::uint32_t& point) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at])); };
    const std::uint32_t first = byte(0);
    const std::size_t size = first < 0x80 ? 1 : first >> 5 == 0b110 ? 2 : first >> 4 == 0b1110 ? 3 : 4;
    if (size == 4 && first >> 3 != 0b11110) return false;
    if (text.size() < size) return false;
    point = size == 1 ? first : first & (0x7Fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if (byte(i) >> 6 != 0b10) return false;
        point = point << 6 | (byte(i) & 0x3F);
    }
    constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    text.remove_prefix(size);
    return point >= least[size] && point <= 0x10FFFF && !(point >= 0xD800 && point <= 0xDFFF);
}

Keys above(std::string key) {
    Keys keys;
    while (!key.empty()) keys.push_back(key = parent_of(key));
    return keys;
}

}  // namespace

bool KeyOrder::operator()(const std::string& left, const std::string& right) const {
    // No key holds U+0000, so the end of a part may stand for it: it sorts before whatever continues the part.
    const auto rank = [](char at) { return at == '.' ? 0 : static_cast<int>(static_cast<unsigned char>(at)); };
    return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end(),
                                        [&](char one, char other) { return rank(one) < rank(other); });
}

Status check_key(std::string_view key, std::uint32_t max_bytes) {
    std::uint32_t before = '.';
    for (std::string_view rest = key; !rest.empty();) {
        std::uint32_t point = 0;
        if (!take_code_point(rest, point)) return Status::invalid_key;
        if (point <= 0x1F || (point >= 0x7F && point <= 0x9F)) return Status::invalid_key;
        if (point == '.' && before == '.') return Status::invalid_key;
        before = point;
    }
    if (!key.empty() && before == '.') return Status::invalid_key;
    return key.size() > max_bytes ? Status::key_too_long : Status::ok;
}

std::string parent_of(const std::string& key) {
    const std::size_t dot = key.rfind('.');
    return dot == std::string::npos ? "" : key.substr(0, dot);
}

Tree::Tree(const Config& config) : max_key_bytes_(config.max_key_bytes), max_value_bytes_(config.max_value_bytes) {
    nodes_[""] = {std::nullopt, 0, 0};
}

Status Tree::check_form(const Operation& operation) const {
    const Status status = check_key(operation.key, max_key_bytes_);
    if (status != Status::ok) return status;
    if (operation.kind == Operation::Kind::remove && operation.key.empty()) return Status::invalid_key;
    const bool has_value = operation.kind == Operation::Kind::put || operation.kind == Operation::Kind::compare_and_set;
    if (has_value && operation.value && operation.value->size() > max_value_bytes_) return Status::value_too_long;
    return Status::ok;
}

Status Tree::choose_index(AskedIndex asked, Index& index) const {
    if (asked.kind == AskedIndex::Kind::too_large) return Status::index_out_of_range;
    if (asked.kind == AskedIndex::Kind::given) {
        index = asked.value;
        return index > index_ ? Status::ok : Status::stale_index;
    }
    if (index_ == std::numeric_limits<Index>::max()) return Status::index_out_of_range;
    index = index_ + 1;
    return Status::ok;
}

Status Tree::apply(const Operation& operation, Index index, Keys& changed) {
    const std::string key(operation.key);
    switch (operation.kind) {
        case Operation::Kind::put: return put(key, *operation.value, operation.deep, index, changed);
        case Operation::Kind::mkdir: return mkdir(key, operation.deep, index, changed);
        case Operation::Kind::remove: return remove(key, operation.deep, index, changed);
        case Operation::Kind::compare_and_set: return compare_and_set(operation, index, changed);
    }
    return Status::ok;
}

const TreeNode* Tree::find(const std::string& key) const {
    const auto at = nodes_.find(key);
    return at == nodes_.end() ? nullptr : &at->second;
}

Status Tree::put(const std::string& key, std::string_view value, bool parents, Index index, Keys& changed) {
    const auto at = nodes_.find(key);
    if (at == nodes_.end()) return create(key, std::string(value), parents, index, changed);
    if (at->second.is_directory()) return Status::is_directory;
    at->second.value = std::string(value);
    at->second.update_index = index;
    changed = {key};
    finish(index, changed);
    return Status::ok;
}

Status Tree::mkdir(const std::string& key, bool parents, Index index, Keys& changed) {
    const TreeNode* node = find(key);
    if (node == nullptr) return create(key, std::nullopt, parents, index, changed);
    return node->is_directory() ? Status::directory_exists : Status::value_exists;
}

Status Tree::create(const std::string& key, const std::optional<std::string>& value, bool parents, Index index,
                    Keys& changed) {
    if (!parents && find(parent_of(key)) == nullptr) return Status::parent_not_found;
    Keys missing;
    for (const std::string& ancestor : above(key)) {
        const TreeNode* node = find(ancestor);
        if (node == nullptr) missing.push_back(ancestor);
        if (node != nullptr && !node->is_directory()) return Status::parent_not_directory;
    }
    for (const std::string& ancestor : missing) nodes_[ancestor] = {std::nullopt, index, index};
    nodes_[key] = {value, index, index};
    changed = {key};
    finish(index, changed);
    return Status::ok;
}

Status Tree::remove(const std::string& key, bool recursive, Index index, Keys& changed) {
    if (find(key) == nullptr) return Status::not_found;
    Keys gone;
    add_below_then_itself(key, gone);
    if (gone.size() > 1 && !recursive) return Status::has_children;
    for (const std::string& removed : gone) nodes_.erase(removed);
    changed = gone;
    finish(index, changed);
    return Status::ok;
}

Status Tree::compare_and_set(const Operation& operation, Index index, Keys& changed) {
    const std::string key(operation.key);
    const TreeNode* node = find(key);
    if (node != nullptr && node->is_directory()) return Status::is_directory;
    const std::optional<std::string> current = node == nullptr ? std::nullopt : node->value;
    if (current != operation.expected) return Status::compare_failed;
    if (!operation.value) return remove(key, false, index, changed);
    return put(key, *operation.value, false, index, changed);
}

void Tree::add_below_then_itself(const std::string& key, Keys& keys) const {
    for (const auto& [below, node] : nodes_)
        if (!below.empty() && parent_of(below) == key) add_below_then_itself(below, keys);
    keys.push_back(key);
}

// Requires: the highest node that changed is last.
void Tree::finish(Index index, Keys& changed) {
    for (const std::string& ancestor : above(changed.back())) {
        nodes_[ancestor].update_index = index;
        changed.push_back(ancestor);
    }
    index_ = index;
}

}  // namespace watchtree::naive
