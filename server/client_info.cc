#include "server/client_info.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/ascii.h"
#include "server/acl.h"
#include "server/session.h"
#include "server/tracking.h"

namespace spinel {
namespace {

size_t ArgumentBytes(CommandArgs request) {
  size_t bytes = 0;
  for (const std::string_view arg : request) bytes += arg.size();
  return bytes;
}

// Counters and sizes: one writer, and nothing follows from their order.
template <typename T>
T Read(const std::atomic<T>& value) {
  return value.load(std::memory_order_relaxed);
}

}  // namespace

bool ParseClientType(std::string_view name, ClientType* type) {
  struct Row {
    std::string_view name;
    ClientType type;
  };
  constexpr Row kRows[] = {
      {"normal", ClientType::kNormal},   {"pubsub", ClientType::kPubSub},
      {"replica", ClientType::kReplica}, {"slave", ClientType::kReplica},
      {"primary", ClientType::kPrimary}, {"master", ClientType::kPrimary},
  };
  for (const Row& row : kRows) {
    if (!EqualsIgnoreCase(row.name, name)) continue;
    *type = row.type;
    return true;
  }
  return false;
}

ClientType TypeOf(const Session& session) {
  return session.subscribed() ? ClientType::kPubSub : ClientType::kNormal;
}

std::string ClientFlags(const Session& session) {
  std::string flags;
  const uint32_t tracking = Read(session.tracking);
  if (Read(session.monitoring)) flags += 'O';
  if (session.subscribed()) flags += 'P';
  if (session.in_multi()) flags += 'x';
  if (Read(session.paused) || Read(session.waiting)) flags += 'b';
  if ((tracking & kTracking) != 0) flags += 't';
  if ((tracking & kTrackBrokenRedirect) != 0) flags += 'R';
  if ((tracking & kTrackBroadcast) != 0) flags += 'B';
  if (Read(session.watched_changed)) flags += 'd';
  if (Read(session.closing)) flags += 'A';
  if (session.origin.unix_socket) flags += 'U';
  if (Read(session.no_evict)) flags += 'e';
  if (Read(session.no_touch)) flags += 'T';
  if (flags.empty()) flags += 'N';
  return flags;
}

void AppendClientLine(const Session& session, int64_t now_ms, CommandArgs request,
                      std::string* line) {
  const Session::Names names = session.names();
  const Command* command = Read(session.last_command);
  const size_t input = Read(session.query_buffer_used);
  const size_t capacity = Read(session.query_buffer_capacity);
  const uint64_t output = Read(session.output_held);
  const size_t arguments = ArgumentBytes(request);
  const uint64_t queued = Read(session.queued_bytes);
  const size_t memory = sizeof(Session) + session.origin.address.capacity() +
                        session.origin.local_address.capacity() + names.name.size() +
                        names.lib_name.size() + names.lib_version.size() + capacity + arguments +
                        queued + Read(session.listed_bytes) + output;
  // One that waits for its answer is not done.
  const uint64_t commands = Read(session.commands);
  const uint64_t begun = Read(session.waiting) ? 1 : 0;
  *line += fmt::format("id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={}",
                       session.id, session.origin.address, session.origin.local_address,
                       session.origin.fd, names.name, (now_ms - session.created_ms) / 1000,
                       (now_ms - Read(session.last_active_ms)) / 1000, ClientFlags(session),
                       session.db());
  *line += fmt::format(" sub={} psub={} ssub={} multi={} watch={} qbuf={} qbuf-free={} argv-mem={}",
                       session.subscriptions_to(SubscriptionKind::kChannel),
                       session.subscriptions_to(SubscriptionKind::kPattern),
                       session.subscriptions_to(SubscriptionKind::kShard), Read(session.queued),
                       Read(session.watched), input, capacity - input, arguments);
  // A client has no reply buffer of its own, only what it is owed.
  *line += fmt::format(" multi-mem={} rbs=0 rbp=0 obl=0 oll={} omem={} tot-mem={} events={}",
                       queued, Read(session.output_chunks), output, memory,
                       Read(session.output_pending) > 0 ? "rw" : "r");
  *line += fmt::format(
      " cmd={} user={} redir={} resp={} lib-name={} lib-ver={}",
      command == nullptr ? std::string_view("NULL") : command->name, session.account()->name,
      session.tracks() ? static_cast<int64_t>(Read(session.tracking_redirect)) : -1,
      static_cast<int>(session.resp()), names.lib_name, names.lib_version);
  *line += fmt::format(" tot-net-in={} tot-net-out={} tot-cmds={}", Read(session.input_bytes),
                       Read(session.output_bytes), commands - std::min(commands, begun));
}

}  // namespace spinel
