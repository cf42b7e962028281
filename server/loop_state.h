// What commands see of the loop they run on: its clock, its counters, its subscribers. No sockets,
// so that tests have one too.
//
// Owner: an EventLoop or a test. Threads: the loop's; the counters may be read by any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/pubsub.h"
#include "server/stats.h"
#include "storage/op_context.h"

namespace spinel {

class BlobSource;
class BlockedClient;
class ScriptEngine;
class Session;

struct LoopState {
  LoopState(int loop_index, size_t commands, ChannelRegistry* channel_registry)
      : index(loop_index),
        stats(commands),
        op(&stats.store),
        channels(channel_registry, loop_index, &op) {
    op.event_classes = &channel_registry->event_classes;
    op.key_events = &channels;
  }
  LoopState(const LoopState&) = delete;
  LoopState& operator=(const LoopState&) = delete;

  const int index;
  LoopStats stats;
  // -- Any thread reads: how the loop is doing.
  std::atomic<int64_t> turned_ms{0};  // when it last looked at its timer, Unix time
  std::atomic<int> connections{0};    // about now
  std::atomic<int> cpu_clock{0};      // clock_gettime's, of the loop's thread; 0: none yet

  OpContext op;  // with the time of the current batch
  LoopChannels channels;
  std::vector<Session*> monitors;  // clients in MONITOR
  // Keys that have changed, and are still to be told to those who track by prefix; by whom each was
  // changed last (a client's id; 0: by none).
  std::map<std::string, uint64_t, std::less<>> broadcasts;
  // The client whose requests are executed, or were last; null: none yet. For crash reports.
  const Session* serves = nullptr;
  // What the requests that are executed lie in, if it can give big values away; or null.
  BlobSource* input = nullptr;
  bool runs_script = false;  // the command that is executed is a script's
  // Made by the first script.
  std::shared_ptr<ScriptEngine> scripts;
  // Lets the loop's other clients have answers while a script takes long; may be empty.
  std::function<void()> look_after_clients;
  // No reply is begun: what is pushed to the client that is being served comes in front of it.
  bool before_reply = false;
  // Clients in blocking commands with a time-out, by its end (Unix ms) and the client's id.
  std::map<std::pair<int64_t, uint64_t>, std::shared_ptr<BlockedClient>> deadlines;
};

}  // namespace spinel
