#include "server/console_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "server/client_info.h"
#include "server/command_totals.h"
#include "server/console_keys.h"
#include "server/cycle_clock.h"
#include "server/info.h"
#include "server/info_fields.h"
#include "server/json.h"
#include "server/loop_state.h"
#include "server/metrics.h"
#include "server/observation.h"
#include "server/session.h"

namespace spinel {
namespace {

constexpr auto kWait = std::chrono::milliseconds(3000);
constexpr size_t kMostClients = 200;
constexpr size_t kMostSlow = 100;

HttpReply Json(int status, std::string text) {
  HttpReply reply;
  reply.status = status;
  reply.content_type = "application/json";
  reply.body = std::move(text);
  return reply;
}

// -- Overview
// ---------------------------------------------------------------------------------------

void WriteLoops(const Runtime& runtime, JsonWriter* json) {
  json->Key("loops");
  json->BeginArray();
  for (int i = 0; i < runtime.loops(); ++i) {
    const LoopState& loop = runtime.loop(i);
    json->BeginObject();
    json->Field("connections", int64_t{loop.connections.load(std::memory_order_relaxed)});
    json->Field("commands", loop.stats.commands_processed.Get());
    json->EndObject();
  }
  json->EndArray();
}

// Every command that was called, and the durations of all of them together as [ns, count] pairs:
// running totals, of which the page takes differences.
void WriteCommands(const Server& server, JsonWriter* json) {
  std::vector<uint64_t> counts(LatencyHistogram::kBuckets, 0);
  json->Key("commands");
  json->BeginArray();
  for (const auto& command : server.commands().all()) {
    const CommandTotals totals = TotalsOf(server.runtime(), command->index);
    if (!totals.any()) continue;
    AddDurations(server.runtime(), command->index, &counts);
    json->BeginObject();
    json->Field("name", command->name);
    json->Field("calls", totals.calls);
    json->Key("us");
    json->Number(CycleClock::ToMicroseconds(totals.ticks));
    json->Field("failed", totals.failed);
    json->Field("rejected", totals.rejected);
    json->EndObject();
  }
  json->EndArray();
  json->Key("latency");
  json->BeginArray();
  for (size_t bucket = 0; bucket < counts.size(); ++bucket) {
    if (counts[bucket] == 0) continue;
    json->BeginArray();
    json->Unsigned(LatencyHistogram::UpperBound(bucket));
    json->Unsigned(counts[bucket]);
    json->EndArray();
  }
  json->EndArray();
}

std::string Overview(Server* server, LoopState* loop) {
  const int64_t now_ms = loop->op.now_ms;
  const std::string text = MakeInfo(*server, now_ms, kMetricsInfoSections);
  JsonWriter json;
  json.BeginObject();
  json.Field("now_ms", now_ms);
  json.Field("databases", int64_t{server->store().databases()});
  json.Key("info");
  json.BeginObject();
  for (const auto& [name, value] : InfoFields(text).all()) json.Field(name, value);
  json.EndObject();
  WriteLoops(server->runtime(), &json);
  WriteCommands(*server, &json);
  json.EndObject();
  return json.Take();
}

// -- Slow log, clients
// ------------------------------------------------------------------------------

std::string SlowLog(const Server& server) {
  JsonWriter json;
  json.BeginArray();
  for (const auto& entry : server.observation().log(CommandLogKind::kSlow).Latest(kMostSlow)) {
    json.BeginObject();
    json.Field("id", entry->id);
    json.Field("time", entry->unix_seconds);
    json.Field("us", entry->value);
    json.Key("args");
    json.BeginArray();
    for (const std::string& arg : entry->args) json.String(arg);
    json.EndArray();
    json.Field("client", entry->client_address);
    json.Field("name", entry->client_name);
    json.EndObject();
  }
  json.EndArray();
  return json.Take();
}

void WriteClient(const Session& session, int64_t now_ms, JsonWriter* json) {
  const Session::Names names = session.names();
  const Command* command = session.last_command.load(std::memory_order_relaxed);
  json->BeginObject();
  json->Field("id", session.id);
  json->Field("addr", session.origin.address);
  json->Field("name", names.name);
  json->Field("lib", names.lib_name);
  json->Field("age", std::max<int64_t>(now_ms - session.created_ms, 0) / 1000);
  json->Field("idle", std::max<int64_t>(now_ms - session.last_active_ms.load(), 0) / 1000);
  json->Field("db", int64_t{session.db()});
  json->Field("loop", int64_t{session.origin.loop});
  json->Field("flags", ClientFlags(session));
  json->Field("command", command == nullptr ? std::string_view() : command->name);
  json->Field("commands", session.commands.load(std::memory_order_relaxed));
  json->Field("pending", session.output_pending.load(std::memory_order_relaxed));
  json->EndObject();
}

std::string Clients(Server& server, int64_t now_ms) {
  JsonWriter json;
  json.BeginObject();
  json.Field("total", server.clients().count());
  json.Key("clients");
  json.BeginArray();
  size_t shown = 0;
  server.clients().ForEach([&](Session& session) {
    if (shown++ < kMostClients) WriteClient(session, now_ms, &json);
  });
  json.EndArray();
  json.EndObject();
  return json.Take();
}

}  // namespace

void ConsoleApi::OnLoop(LoopCalls::Work work, Done done) {
  calls_->Run(std::move(work), kWait, [done = std::move(done)](std::optional<std::string> json) {
    if (!json) return done(Json(503, R"({"error":"the server is busy"})"));
    done(Json(200, std::move(*json)));
  });
}

void ConsoleApi::Handle(const HttpRequest& request, int64_t now_ms, Done done) {
  Server* const server = server_;
  if (request.path == "/api/overview") {
    return OnLoop([server](LoopState* loop) { return Overview(server, loop); }, std::move(done));
  }
  if (request.path == "/api/slowlog") return done(Json(200, SlowLog(*server)));
  if (request.path == "/api/clients") return done(Json(200, Clients(*server, now_ms)));
  const bool keys = request.path == "/api/keys";
  if (!keys && request.path != "/api/value") return done(Json(404, R"({"error":"no such path"})"));
  KeyQuestion question;
  if (!ParseKeyQuestion(request.query, server->store().databases(), &question)) {
    return done(Json(400, R"({"error":"a parameter is missing or makes no sense"})"));
  }
  OnLoop(
      [server, keys, question = std::move(question)](LoopState* loop) {
        return keys ? KeysAsJson(server, loop, question) : ValueAsJson(server, loop, question);
      },
      std::move(done));
}

}  // namespace spinel
