#include "server/stats.h"

namespace spinel {

// Runs on the thread of CONFIG RESETSTAT while the loop may be counting: an increment that is under
// way may survive, nothing worse.
void LoopStats::Reset() {
  for (Counter* counter :
       {&store.keyspace_hits, &store.keyspace_misses, &store.expired_keys, &store.expired_fields,
        &store.evicted_keys, &evicted_clients, &commands_processed, &connections_received,
        &connections_rejected, &input_bytes, &output_bytes, &error_replies, &reads, &writes,
        &output_limit_disconnections, &query_limit_disconnections}) {
    counter->Reset();
  }
  for (Counter* counter : {&turn.turns, &turn.ticks, &turn.cron_ticks, &turn.longest_ticks,
                           &turn.most_commands, &turn.nested_ticks}) {
    counter->Reset();
  }
  for (size_t i = 0; i < size; ++i) {
    command[i].calls.Reset();
    command[i].calls.Add(command[i].waiting.Get());
    command[i].ticks.Reset();
    command[i].rejected.Reset();
    command[i].failed.Reset();
    if (LatencyHistogram* histogram = command[i].histogram.load()) histogram->Reset();
  }
}

}  // namespace spinel
