#include "tests/naive/form.h"

#include <algorithm>

namespace watchtree::naive {

class Form {
  public:
    Form(const Model& model, const Keys& keys, const std::string& one, const std::string& other)
        : model_(model), keys_(keys), names_{&one, &other} {}

    std::string write() {
        add(std::min<Index>(model_.tree_.index(), 2));
        for (const std::string& key : keys_) write_key(key);
        for (const std::string* name : names_) write_channel(*name);
        write_queues();
        return std::move(bytes_);
    }

  private:
    void add(std::int64_t number) {
        const bool is_short = number >= 0 && number < 255;
        bytes_.push_back(static_cast<char>(is_short ? number : 255));
        for (int shift = 0; !is_short && shift < 64; shift += 8) bytes_.push_back(static_cast<char>(number >> shift));
    }
    template <typename Things>
    void add_size(const Things& things) {
        add(static_cast<std::int64_t>(things.size()));
    }
    void add_key(const std::string& key) { add(std::find(keys_.begin(), keys_.end(), key) - keys_.begin()); }
    void add_name(const std::string& name) { add(name == *names_[0] ? 0 : 1); }
    void add_moment(Nanoseconds at) { add(std::max<Nanoseconds>(0, at - model_.clock)); }
    void add_failures(std::uint32_t count) {
        add(static_cast<std::int64_t>(std::min<std::size_t>(count, model_.config_.backoff_ns.size() - 1)));
    }

    void write_key(const std::string& key) {
        const TreeNode* node = model_.tree_.find(key);
        add(node == nullptr ? 0 : node->is_directory() ? 1 : 2 + static_cast<std::int64_t>(node->value->size()));
        add(std::min<Index>(model_.index_of(key), 2));
        add_size(model_.holders_.watches(key));
        for (const Place& place : model_.holders_.watches(key)) {
            add_name(place.channel);
            write_watch(key, model_.channels_.at(place.channel).watches.at(key));
        }
    }
    void write_watch(const std::string& key, const Watch& watch) {
        const Index ahead = watch.notified - model_.tree_.index();
        if (watch.notified == never)
            add(0);
        else if (ahead > 0)
            add(2 + ahead);
        else
            add(watch.notified < model_.index_of(key) ? 1 : 2);
        add(static_cast<std::int64_t>(watch.phase));
        add_failures(watch.failure_count);
        add(watch.is_unacknowledged);
        add(watch.was_found_in_flight);
    }
    void write_channel(const std::string& name) {
        const auto at = model_.channels_.find(name);
        add(at != model_.channels_.end());
        if (at == model_.channels_.end()) return;
        const Channel& channel = at->second;
        add(static_cast<std::int64_t>(channel.phase));
        add_failures(channel.failure_count);
        add_size(channel.ready);
        for (const std::string& key : channel.ready) add_key(key);
        if (channel.sending) write_sending(name, channel);
    }
    void write_sending(const std::string& name, const Channel& channel) {
        add_size(channel.sending->watches);
        for (const SentWatch& sent : channel.sending->watches) {
            const bool counts = model_.still_counts(name, sent);
            add(counts);
            if (!counts) continue;
            add_key(sent.key);
            add(sent.index < model_.index_of(sent.key));
        }
        add(channel.sending->more);
        if (channel.sending->more) add(static_cast<std::int64_t>(channel.left_by_cut));
    }
    void write_queues() {
        add_size(model_.changed_);
        for (const std::string& key : model_.changed_) add_key(key);
        add(model_.cut_.has_value());
        if (model_.cut_) add_key(model_.cut_->key);
        add_size(model_.rest_of_cut_holder());
        add_size(model_.ready_);
        for (const std::string& name : model_.ready_) add_name(name);
        write_deadlines(model_.answers_, [&](const std::string& name) { add_name(name); });
        write_deadlines(model_.silences_, [&](const std::string& name) { add_name(name); });
        write_deadlines(model_.retries_, [&](const Retry& retry) {
            add_name(retry.channel);
            add(retry.key.has_value());
            if (retry.key) add_key(*retry.key);
        });
    }
    template <typename Item, typename Write>
    void write_deadlines(const Deadlines<Item>& deadlines, Write write) {
        add_size(deadlines);
        for (const auto& entry : deadlines.in_order()) {
            add_moment(entry.at);
            write(entry.item);
        }
    }

    const Model& model_;
    const Keys& keys_;
    const std::string* names_[2];
    std::string bytes_;
};

std::string canonical_form(const Model& model, const Keys& keys, const std::string& one, const std::string& other) {
    return std::min(Form(model, keys, one, other).write(), Form(model, keys, other, one).write());
}

}  // namespace watchtree::naive
