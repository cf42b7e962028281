#include "server/observation.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "server/blocking.h"
#include "server/cycle_clock.h"
#include "server/dispatcher.h"
#include "server/loop_state.h"
#include "server/monitors.h"
#include "server/redaction.h"
#include "server/server.h"
#include "server/session.h"

namespace spinel {
namespace {

constexpr int64_t kUsPerMs = 1000;

// A threshold whose negative values mean "never".
uint64_t Limit(int64_t setting) {
  return setting < 0 ? ObservedLimits::kNever : static_cast<uint64_t>(setting);
}

size_t Digits(size_t number) {
  size_t digits = 1;
  for (; number >= 10; number /= 10) ++digits;
  return digits;
}

// As the request came, or would have come, in RESP.
uint64_t RequestBytes(CommandArgs args) {
  constexpr size_t kTypeAndBreak = 3;
  constexpr size_t kBreak = 2;
  size_t bytes = kTypeAndBreak + Digits(args.size());
  for (const std::string_view arg : args) {
    bytes += kTypeAndBreak + Digits(arg.size()) + arg.size() + kBreak;
  }
  return bytes;
}

int64_t Microseconds(uint64_t ticks) {
  return static_cast<int64_t>(CycleClock::ToMicroseconds(ticks));
}

}  // namespace

Observation::Observation(Server* server) : server_(server) {
  server->mutable_config().OnChange({"slowlog-log-slower-than", "commandlog-request-larger-than",
                                     "commandlog-reply-larger-than", "latency-monitor-threshold"},
                                    [this](const Config&) {
                                      SetLimits();
                                      return std::string();
                                    });
  SetLimits();
}

void Observation::SetLimits() {
  const Config& config = server_->config();
  ObservedLimits& limits = server_->observed_limits;
  MutexLock lock(&mutex_);
  uint64_t us = Limit(config.slowlog_log_slower_than());
  const int64_t threshold_ms = config.latency_monitor_threshold();
  if (threshold_ms > 0) us = std::min(us, static_cast<uint64_t>(threshold_ms) * kUsPerMs);
  if (monitors_ > 0) us = 0;
  // Far beyond any time a command takes, ticks would not fit any more.
  constexpr uint64_t kLongest = uint64_t{1} << 48;
  limits.ticks.store(us > kLongest ? ObservedLimits::kNever
                                   : CycleClock::FromMicroseconds(static_cast<double>(us)),
                     std::memory_order_relaxed);
  limits.request_bytes.store(Limit(config.commandlog_request_larger_than()),
                             std::memory_order_relaxed);
  limits.reply_bytes.store(Limit(config.commandlog_reply_larger_than()), std::memory_order_relaxed);
}

void Observation::CountMonitor(bool comes) {
  {
    MutexLock lock(&mutex_);
    monitors_ = comes ? monitors_ + 1 : monitors_ - 1;
  }
  SetLimits();
}

size_t Observation::MostEntries(CommandLogKind kind) const {
  const Config& config = server_->config();
  switch (kind) {
    case CommandLogKind::kSlow:
      return static_cast<size_t>(config.slowlog_max_len());
    case CommandLogKind::kLargeRequest:
      return static_cast<size_t>(config.commandlog_large_request_max_len());
    case CommandLogKind::kLargeReply:
      return static_cast<size_t>(config.commandlog_large_reply_max_len());
  }
  return 0;
}

void Observation::Report(LoopState* loop, Session* session, const Request& request,
                         const Measured& measured, bool stripes_held) {
  const Command& command = *request.command;
  if (!command.Has(kSkipSlowlog)) Log(session, request, measured);
  if (session->blocked == nullptr) {
    ReportEvent(command.Has(kFast) ? "fast-command" : "command", measured.ticks);
  }
  // What administrators do is not for everybody's eyes.
  if (command.Has(kSkipMonitor) || command.Has(kAdmin)) return;
  Show(loop, *session, request, /*by_script=*/loop->runs_script, stripes_held);
}

void Observation::ShowBefore(LoopState* loop, const Session& session, const Request& request,
                             bool stripes_held) {
  Show(loop, session, request, /*by_script=*/false, stripes_held);
}

void Observation::Show(LoopState* loop, const Session& session, const Request& request,
                       bool by_script, bool stripes_held) {
  {
    MutexLock lock(&mutex_);
    if (monitors_ == 0) return;
  }
  server_->monitors().Show(loop, session, WithoutSecrets(*request.command, request.args), by_script,
                           stripes_held);
}

void Observation::Log(Session* session, const Request& request, const Measured& measured) {
  const Config& config = server_->config();
  struct Row {
    CommandLogKind kind;
    uint64_t value;
    uint64_t limit;
  };
  const Row rows[] = {
      {CommandLogKind::kSlow, static_cast<uint64_t>(Microseconds(measured.ticks)),
       Limit(config.slowlog_log_slower_than())},
      {CommandLogKind::kLargeRequest, RequestBytes(request.args),
       Limit(config.commandlog_request_larger_than())},
      {CommandLogKind::kLargeReply, measured.reply_bytes,
       Limit(config.commandlog_reply_larger_than())},
  };
  for (const Row& row : rows) {
    const size_t most = MostEntries(row.kind);
    if (row.value < row.limit || most == 0) continue;
    const std::vector<std::string_view> args = WithoutSecrets(*request.command, request.args);
    CommandLogEntry entry = CommandLog::MakeEntry(*session, args, static_cast<int64_t>(row.value));
    if (session->blocked == nullptr) {
      log(row.kind).Add(std::move(entry), most);
    } else if (row.kind == CommandLogKind::kSlow) {
      session->blocked->set_log_entry(std::make_unique<CommandLogEntry>(std::move(entry)));
    }
  }
}

void Observation::Finish(std::unique_ptr<CommandLogEntry> entry) {
  if (entry == nullptr) return;
  entry->unix_seconds = std::time(nullptr);
  log(CommandLogKind::kSlow).Add(std::move(*entry), MostEntries(CommandLogKind::kSlow));
}

bool Observation::records_latency() const {
  return server_->config().latency_monitor_threshold() > 0;
}

void Observation::ReportEvent(std::string_view event, uint64_t ticks) {
  const int64_t threshold_ms = server_->config().latency_monitor_threshold();
  const int64_t ms = Microseconds(ticks) / kUsPerMs;
  if (threshold_ms == 0 || ms < threshold_ms) return;
  latency_.Add(event, std::time(nullptr), ms);
}

}  // namespace spinel
