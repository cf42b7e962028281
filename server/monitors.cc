#include "server/monitors.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "server/log.h"
#include "server/loop_state.h"
#include "server/observation.h"
#include "server/server.h"
#include "server/session.h"

namespace spinel {
namespace {

void AppendQuoted(std::string_view text, std::string* to) {
  *to += '"';
  for (const char c : text) {
    switch (c) {
      case '\\':
      case '"':
        *to += '\\';
        *to += c;
        break;
      case '\n':
        *to += "\\n";
        break;
      case '\r':
        *to += "\\r";
        break;
      case '\t':
        *to += "\\t";
        break;
      case '\a':
        *to += "\\a";
        break;
      case '\b':
        *to += "\\b";
        break;
      default:
        if (c >= ' ' && c <= '~') {
          *to += c;
        } else {
          *to += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
  }
  *to += '"';
}

std::string Source(const Session& session, bool by_script) {
  if (by_script) return "lua";
  const std::string& address = session.origin.address;
  if (!session.origin.unix_socket) return address;
  return "unix:" + address.substr(0, address.rfind(':'));
}

int64_t UnixMicroseconds() {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

std::string SpellForMonitors(const Session& session, CommandArgs args, bool by_script,
                             int64_t unix_us) {
  std::string line = fmt::format("+{}.{:06} [{} {}]", unix_us / 1'000'000, unix_us % 1'000'000,
                                 session.db(), Source(session, by_script));
  for (const std::string_view arg : args) {
    line += ' ';
    AppendQuoted(arg, &line);
  }
  line += "\r\n";
  return line;
}

void Monitors::Add(LoopState* loop, Session* session) {
  session->monitoring.store(true, std::memory_order_relaxed);
  loop->monitors.push_back(session);
  {
    MutexLock lock(&mutex_);
    const auto index = static_cast<size_t>(loop->index);
    if (queues_.size() <= index) queues_.resize(index + 1);
    ++queues_[index].monitors;
  }
  server_->observation().CountMonitor(/*comes=*/true);
}

void Monitors::Remove(LoopState* loop, Session* session) {
  if (!session->monitoring.load(std::memory_order_relaxed)) return;
  session->monitoring.store(false, std::memory_order_relaxed);
  loop->monitors.erase(std::find(loop->monitors.begin(), loop->monitors.end(), session));
  {
    MutexLock lock(&mutex_);
    --queues_[static_cast<size_t>(loop->index)].monitors;
  }
  server_->observation().CountMonitor(/*comes=*/false);
}

void Monitors::Show(LoopState* loop, const Session& session, CommandArgs args, bool by_script,
                    bool stripes_held) {
  const Line line = std::make_shared<const std::string>(
      SpellForMonitors(session, args, by_script, UnixMicroseconds()));
  std::vector<int> wake;
  {
    MutexLock lock(&mutex_);
    for (size_t i = 0; i < queues_.size(); ++i) {
      Queue& queue = queues_[i];
      if (queue.monitors == 0 || queue.overrun) continue;
      if (queue.lines.empty()) wake.push_back(static_cast<int>(i));
      queue.lines.push_back(line);
      queue.bytes += line->size();
      queue.overrun = queue.bytes > kMaxQueuedBytes;
    }
  }
  const auto tell = [this, wake = std::move(wake)] {
    for (const int index : wake) {
      LoopState* const state = &server_->runtime().loop(index);
      server_->runtime().Post(index, [this, state] { Deliver(state); });
    }
  };
  if (stripes_held) {
    loop->op.unlocked.push_back(tell);
  } else {
    tell();
  }
}

void Monitors::Deliver(LoopState* loop) {
  std::vector<Line> lines;
  bool overrun = false;
  {
    MutexLock lock(&mutex_);
    Queue& queue = queues_[static_cast<size_t>(loop->index)];
    lines.swap(queue.lines);
    queue.bytes = 0;
    overrun = std::exchange(queue.overrun, false);
  }
  // A push may close the client, which takes it out of the list.
  const std::vector<Session*> sessions = loop->monitors;
  for (Session* session : sessions) {
    for (const Line& line : lines) session->transport->Push(line);
    if (!overrun) continue;
    LogWarning("Closing client id={}: it monitors, and its loop was too busy to show it all",
               session->id);
    server_->runtime().CloseClient(loop->index, session->id);
  }
}

}  // namespace spinel
