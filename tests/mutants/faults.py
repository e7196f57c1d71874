"""The faults that the tests must catch: each a small change of the core, by name, with the guarantee or rule it breaks."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """What stands there once, and what stands there in the mutant."""

    name: str
    breaks: str
    file: str
    text: str
    mutant: str


D = "cpp/core/dispatch/"
W = "cpp/core/watch/"
T = "cpp/core/tree/"
E = "cpp/core/engine/"
S = "cpp/core/subscriber/"

FAULTS = [
    # Answers.
    Fault("old generations count", "G9", D + "states.cc",
          "records_[channel.batch].entries[watch.batch_position].watch = none; break;", "break;"),
    Fault("an answered ticket counts again", "G9", D + "answers.cc",
          "if (record != nullptr && record->channel != none) return true;", "if (record != nullptr) return true;"),
    Fault("the notified index may go down", "§3 answers", D + "answers.cc",
          "watch.notified = std::max(watch.notified, entry.index);", "watch.notified = entry.index - 1;"),
    Fault("an acknowledgement forgets a change in flight", "G3", D + "answers.cc",
          "if (watch_tree_.is_due(watch)) become_ready(entry.watch, watch, channel);\n}", "}"),
    Fault("a failed batch is not sent again", "G3", D + "answers.cc",
          "        if (watch_tree_.is_due(watch)) {\n            become_ready(entry.watch, watch, channel);\n        } else {\n"
          "            become_idle(watch);\n        }", "        become_idle(watch);"),
    Fault("an error of one watch delays the channel", "G6", D + "answers.cc",
          "        back_off(entry.watch, now);", "        back_off(entry.watch, now);\n        channel.failures = 1;"),
    Fault("failures are not forgotten after an acknowledgement", "§3 back-off", D + "answers.cc",
          "    channel.failures = 0;\n    forget(record, channel);", "    forget(record, channel);"),
    Fault("an acknowledgement is no activity", "§3 touch", D + "answers.cc",
          "    count_activity(record.channel, channel, now);\n", "    (void)now;\n"),
    Fault("a wrong number of results is taken", "§3 answers", D + "answers.cc",
          "if (results.size() != record->entries.size()) {", "if (results.size() < record->entries.size()) {"),
    Fault("REMOVE_WATCH only silences", "§3 answers", D + "answers.cc",
          "        become_idle(watch);\n        drop(entry.watch);", "        become_idle(watch);"),
    Fault("a permanent failure is retried", "§3 answers", D + "answers.cc", "if (is_permanent(failure)) {",
          "if (is_permanent(failure) && failure != Failure::stopping) {"),
    Fault("a cut batch waits for the next step", "§3 batch", D + "answers.cc",
          "if (more && channel.left_by_cut != 0) {", "if (more && channel.left_by_cut > 1) {"),
    Fault("a cut batch never ends", "G6", D + "answers.cc",
          "channel.left_by_cut = left - std::min(left, ready - channel.ready.size());", "(void)left;\n            (void)ready;"),
    # Batches.
    Fault("due by equal indexes", "G2", D + "batch_builder.cc", "if (state.index <= watch.notified) {",
          "if (state.index < watch.notified) {"),
    Fault("a batch is one byte too large", "G4", D + "batch_builder.cc",
          "if (!record.entries.empty() && bytes + more > config_.max_batch_bytes) {",
          "if (!record.entries.empty() && bytes + more > config_.max_batch_bytes + 1) {"),
    Fault("a large notification never goes", "§3 batch", D + "batch_builder.cc",
          "if (!record.entries.empty() && bytes + more", "if (bytes + more"),
    Fault("the failure count survives an empty retry", "§3 batch", D + "batch_builder.cc",
          "        channel.failures = 0;\n        keep_spare(record);", "        keep_spare(record);"),
    Fault("a batch of a closed channel is handed over", "§3 dispatch", D + "registration.cc",
          "        record.cancelled.store(true, std::memory_order_relaxed);\n        forget", "        forget"),
    Fault("a batch answered early outlives its channel", "§3 dispatch", D + "registration.cc",
          "    if (channel.answered_early && !resetting_) cancel_undelivered(channel.name);\n", ""),
    Fault("an overdue batch is handed over", "§3 dispatch", D + "step.cc", "        withdraw(*record);\n", ""),
    # The step.
    Fault("a deadline that has come waits", "§3 dispatch", D + "step.cc",
          "now - record->sent_at < config_.answer_timeout_ns) return end_part(items, true);",
          "now - record->sent_at <= config_.answer_timeout_ns) return end_part(items, true);"),
    Fault("silent channels one moment late", "§3 touch", D + "step.cc",
          "last_activity < config_.channel_timeout_ns) return end_part(items, true);",
          "last_activity <= config_.channel_timeout_ns) return end_part(items, true);"),
    Fault("retries one moment late", "§3 dispatch", D + "step.cc", "retry->at > now) return end_part(items, true);",
          "retry->at >= now) return end_part(items, true);"),
    Fault("one channel too many in a step", "G4", D + "step.cc",
          "        if (ready_channels_.empty()) return end_part(items, true);\n        if (items == config_.max_batch_size)",
          "        if (ready_channels_.empty()) return end_part(items, true);\n        if (items > config_.max_batch_size)"),
    Fault("a change in flight is not looked at", "§3 counters", D + "step.cc",
          "            if (!watch.changed) {\n                watch.changed = 1;\n                return;\n            }\n            break;",
          "            break;"),
    Fault("a retried watch mutes its channel", "G3", D + "step.cc",
          "    if (sends) send_or_idle(channel_handle, channel, *record, now);", "    if (sends) keep_spare(*record);"),
    Fault("back-off starts at the second interval", "§3 back-off", D + "states.cc",
          "static_cast<std::uint32_t>(config_.backoff_ns.size())) - 1;",
          "static_cast<std::uint32_t>(config_.backoff_ns.size() - 1));"),
    Fault("a watch backs off as its channel does", "§3 answers", D + "states.cc",
          "lane_of(watch.failures);", "lane_of(channels_[watch.channel].failures + 1u);"),
    # Registration.
    Fault("0 on a watched key keeps the generation", "§2 sync", D + "registration.cc",
          "    watch.notified = -1;\n    watch.unacknowledged", "    watch.unacknowledged"),
    Fault("a positive index cannot go down", "§2 sync", D + "registration.cc",
          "        watch.notified = known.index;", "        if (known.index > watch.notified) watch.notified = known.index;"),
    Fault("replace forgets to drop", "§2 sync", D + "registration.cc", "    if (replace) drop_unnamed(channel);\n",
          "    if (replace && known.empty()) drop_unnamed(channel);\n"),
    Fault("an empty channel stays", "G7", D + "registration.cc",
          "    if (channels_[channel].watches.size() == 0) close_channel(channel);\n    return Status::ok;",
          "    return Status::ok;"),
    Fault("a registration anew keeps its place", "§3 dispatch order", D + "registration.cc",
          "    watch_tree_.move_to_back(handle);\n", ""),
    Fault("a key named twice is taken", "§2 sync", D + "registration.cc",
          "if (is_named_before(known, bad)) return Status::duplicate_key;", "(void)is_named_before(known, bad);"),
    Fault("reset keeps the epoch", "§3 reset", D + "registration.cc", "    ++epoch_;\n", ""),
    # Where watches hang.
    Fault("a holder is never freed", "G7", W + "watch_tree.cc",
          "    if (holder.child_count == 0) free_if_bare(holder_handle);\n", ""),
    Fault("a holder is freed one too early", "G7", W + "watch_tree.cc",
          "        if (holder.watch_count != 0 || holder.child_count != 0) return;",
          "        if (holder.watch_count != 0 || holder.child_count > 1) return;"),
    Fault("a removed key keeps its old index", "§2", W + "watch_tree.cc", "    holder.missing_index = index;\n", ""),
    Fault("a removal queues nobody", "G3", W + "watch_tree.cc",
          "    missing_key_bytes_ += holder.key->memory();\n    queue(handle);", "    missing_key_bytes_ += holder.key->memory();"),
    Fault("a created key stays under its parent", "§2", W + "watch_tree.cc",
          "    if (missing_.size() == 0) return;\n", "    if (missing_.size() < 2) return;\n"),
    Fault("a missing key takes its parent holder's old index", "§2", W + "watch_tree.cc",
          "    const Index index = tree_.node(nearest).update_index;",
          "    const Index index = holders_[parent].mounted ? tree_.node(nearest).update_index "
          ": holders_[parent].missing_index;"),
    Fault("a queued holder is queued twice as coalesced", "§3 counters", W + "watch_tree.cc",
          "        coalesced_ += holder.watch_count;", "        coalesced_ += 1;"),
    # The tree.
    Fault("ancestors are not touched", "§1", T + "tree.cc", "        if (handle == root_) return;\n        handle = node.parent;\n    }",
          "        if (handle == root_ || node.parent == root_) return;\n        handle = node.parent;\n    }"),
    Fault("an equal index is taken", "§1", T + "tree.cc", "asked.value <= index_", "asked.value < index_"),
    # The lock and the hand-over.
    Fault("a raising transport is not a failure", "§3 answers", E + "engine.cc",
          "if (!courier->hand_over(record)) raised(record.ticket);", "(void)courier->hand_over(record);"),
    Fault("a transport is called again before it returned", "§3 dispatch", E + "engine.cc",
          "    delivering_ = true;\n", "    delivering_ = false;\n"),
    Fault("time goes backwards", "§3", E + "forward_clock.h", "        if (time > last_) last_ = time;", "        last_ = time;"),
    # Traces.
    Fault("a recorded hand-over has no place among the calls", "trace", E + "engine.cc",
          "    if (recording_ == nullptr) return true;  // it was stopped meanwhile", "    if (recording_ != nullptr) return true;"),
    Fault("a cancelled batch is handed over while it is recorded", "§3 dispatch", E + "engine.cc",
          "    if (record.cancelled.load(std::memory_order_relaxed)) return false;\n    record.handed_over", "    record.handed_over"),
    Fault("a recording has other limits for its tree", "trace", E + "recorder.cc",
          ".tree_max_value_bytes = group_->max_value_bytes(),", ".tree_max_value_bytes = config_.max_value_bytes,"),
    Fault("a dispatcher that was used counts as new", "trace", D + "dispatcher.h",
          "last_ticket_ == 0 && epoch_ == 1 && channels_.size() == 0", "channels_.size() == 0"),
    Fault("an older call is dropped in silence", "trace", "cpp/core/trace/recording.cc",
          "    } else {\n        complete_ = false;\n    }", "    }"),
    Fault("a call that goes on in the next segment loses its beginning", "trace", "cpp/core/trace/recording.cc",
          "    std::memcpy(at_, begin, written);\n    at_ += written;\n", ""),
    Fault("what a replay leads to is not compared", "trace", E + "replay.cc", " && made_.compared == call.compared;", ";"),
    # The subscriber.
    Fault("equal indexes are news", "G2", S + "keys.cc", "if (notification.index <= key.index) {",
          "if (notification.index < key.index) {"),
    Fault("an event is told twice", "§4 events", S + "event_queue.h", "        if (key.has_event) return true;\n", ""),
    Fault("a removed key is still told", "§4 events", S + "keys.cc", "    events_.drop(handle);\n", ""),
    Fault("a key that is not followed is acknowledged", "§4", S + "keys.cc",
          "            results.push_back(Result::remove_watch);", "            results.push_back(Result::ok);"),
    Fault("a heartbeat is not compared", "§4", S + "answers.cc", "    if (watches == group->request.watches) return;\n",
          "    return;\n"),
    Fault("changes put the heartbeat off", "G5", S + "answers.cc",
          "    if (group.request.asking != Asking::changes) group.heartbeat_at", "    group.heartbeat_at"),
    Fault("a new connection tells only changes", "G5", S + "answers.cc",
          "    group.was_served = false;\n    group.needs_everything = true;", "    group.was_served = false;"),
    Fault("another tree keeps the old indexes", "G5", S + "answers.cc",
          "if (group->tree && group->tree->tree_id != tree.tree_id) take_as_another_tree(*group);", ""),
    Fault("another tree repeats what came from it", "§4", S + "answers.cc",
          "key.stage == KeyStage::removed || key.era >= era || key.index == nothing",
          "key.stage == KeyStage::removed || key.index == nothing"),
    Fault("requests never time out", "§4", S + "actions.cc",
          "if (group.stage == GroupStage::asking && group.request.deadline <= now)",
          "if (group.stage == GroupStage::asking && group.request.deadline < 0 * now)"),
    Fault("the same server is chosen again", "§4", S + "server_choice.h", "return {candidate.server == last_, candidate.failures};",
          "return {false, candidate.failures};"),
    Fault("failed servers have no back-off", "§4", S + "server_choice.h",
          "        candidate.not_before = later(now, wait);", "        (void)wait;\n        candidate.not_before = now;"),
]  # fmt: skip
