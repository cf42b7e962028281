// The part of a Connection that executes requests: parses a batch, prefetches what it will touch,
// dispatches it.

#include <fmt/format.h>

#include <utility>

#include "protocol/ascii.h"
#include "protocol/reply_writer.h"
#include "server/connection.h"
#include "server/cycle_clock.h"
#include "server/event_loop.h"
#include "server/log.h"
#include "server/memory_keeper.h"
#include "server/prefetch.h"
#include "server/tracking.h"

namespace spinel {
namespace {

constexpr size_t kBatch = 32;               // requests parsed, prefetched and executed together
constexpr size_t kFlushBytes = 256 * 1024;  // staging is sent at this size, not only at the end

// A browser that was made to post to this port: its request's body must not be taken for commands.
bool IsHttp(std::string_view command) {
  return EqualsIgnoreCase(command, "POST") || EqualsIgnoreCase(command, "Host:");
}

// Whether CLIENT PAUSE stops the request.
bool HasToWait(Server& server, const Session& session, const Request& request, int64_t now_ms) {
  const PauseState& pause = server.pause();
  if (pause.mode(now_ms) == PauseState::Mode::kNone) [[likely]]
    return false;
  return request.command != nullptr &&
         pause.Blocks(Dispatcher::FlagsOf(server, session, request), now_ms) &&
         !Dispatcher::Refuses(server, session, request);
}

}  // namespace

const ParserLimits Connection::Limits() const {
  if (!session_.authenticated) return kPreAuthLimits;
  ParserLimits limits;
  limits.max_bulk = loop_->server().config().proto_max_bulk_len();
  return limits;
}

size_t Connection::ExecuteAll(char* data, size_t size, std::string* held) {
  if (loop_->server().idle_mode().End()) [[unlikely]]
    loop_->server().runtime().EndRest();
  executing_ = true;
  size_t consumed = 0;
  size_t broken = 0;
  while (consumed < size && broken == 0 && !closing_ && !closed_ && session_.blocked == nullptr &&
         !session_.closing.load(std::memory_order_relaxed)) {
    const size_t batch_bytes = ParseBatch(data + consumed, size - consumed, &broken);
    if (loop_->requests().empty() && batch_bytes == 0) break;
    if (!loop_->nested()) {
      PrefetchBatch(&loop_->server().store(), session_.db(), loop_->requests());
    }
    loop_->server().memory().Tell(&loop_->state(), batch_bytes);
    const bool stranger = !session_.authenticated;
    const size_t executed = ExecuteBatch();
    if (stranger) [[unlikely]]
      CountBeforeLogin(executed);
    if (!loop_->state().broadcasts.empty()) [[unlikely]] {
      loop_->server().tracking().Broadcast(&loop_->state());
    }
    if (executed < loop_->requests().size()) {
      // Held back: what was parsed is parsed again when the client goes on.
      parser_ = RespParser();
      broken = 0;
      if (closing_) break;
      const char* begin = data + consumed;
      *held = HeldRequests(begin, executed, {begin + batch_bytes, size - consumed - batch_bytes});
      consumed += executed == 0 ? 0 : loop_->request_ends()[executed - 1];
      break;
    } else {
      consumed += batch_bytes;
    }
    if (loop_->staging().size() >= kFlushBytes) FlushStaging();
    if (LeavesTooMuchUnread()) [[unlikely]] {
      unread_ = true;
      break;
    }
  }
  if (broken != 0 && session_.blocked != nullptr) {
    parser_ = RespParser();  // the error comes behind the reply that is owed
  } else if (broken != 0 && !closing_ && !closed_) {
    ProtocolError(parser_.error());
  }
  executing_ = false;
  if (!closed_) FlushStaging();
  return consumed;
}

// Inline requests are unquoted where they lie and would not be parsed to the same again: if there
// is one among those that were not executed, all of them are spelled anew, with what came behind
// them.
std::string Connection::HeldRequests(const char* data, size_t executed,
                                     std::string_view behind) const {
  const std::vector<Request>& requests = loop_->requests();
  const std::vector<size_t>& ends = loop_->request_ends();
  bool any_inline = false;
  for (size_t i = executed; i < requests.size(); ++i) {
    const char* begin = data + (i == 0 ? 0 : ends[i - 1]);
    any_inline = any_inline || *begin != '*';
  }
  if (!any_inline) return {};
  OutputBuffer spelled;
  ReplyWriter writer(&spelled, RespVersion::kResp2);
  for (size_t i = executed; i < requests.size(); ++i) {
    writer.Array(static_cast<int64_t>(requests[i].args.size()));
    for (const std::string_view arg : requests[i].args) writer.Bulk(arg);
  }
  spelled.Append(behind);
  return spelled.Flatten();
}

// Parses up to kBatch whole requests; returns their bytes. `*broken` is set when what follows them
// is not RESP.
size_t Connection::ParseBatch(char* data, size_t size, size_t* broken) {
  std::vector<std::string_view>& arguments = loop_->arguments();
  std::vector<Request>& requests = loop_->requests();
  std::vector<size_t>& ends = loop_->request_ends();
  arguments.clear();
  requests.clear();
  ends.clear();
  const ParserLimits limits = Limits();
  // Before AUTH the limits may change with every request.
  const size_t most = session_.authenticated ? kBatch : 1;
  size_t position = 0;
  size_t first_argument[kBatch + 1];
  size_t count = 0;
  while (count < most && position < size) {
    size_t used = 0;
    const size_t begin = arguments.size();
    const RespParser::Status status =
        parser_.Parse(data + position, size - position, limits, &arguments, &used);
    if (status == RespParser::Status::kIncomplete) break;
    if (status == RespParser::Status::kError) {
      *broken = 1;
      break;
    }
    position += used;
    if (arguments.size() == begin) {  // an empty request
      if (!ends.empty()) ends.back() = position;
      continue;
    }
    first_argument[count++] = begin;
    ends.push_back(position);
  }
  // Only now: the vector of arguments may have moved while it grew.
  first_argument[count] = arguments.size();
  const CommandTable& commands = loop_->server().commands();
  requests.resize(count);
  for (size_t i = 0; i < count; ++i) {
    requests[i].args = {arguments.data() + first_argument[i],
                        first_argument[i + 1] - first_argument[i]};
    Dispatcher::Prepare(commands, &requests[i], i == 0 ? nullptr : &requests[i - 1]);
  }
  return position;
}

size_t Connection::ExecuteBatch() {
  Server& server = loop_->server();
  LoopState& state = loop_->state();
  OutputBuffer& staging = loop_->staging();
  const std::vector<Request>& requests = loop_->requests();
  state.op.touch = !session_.no_touch;
  // A client may be served while a command of another is being executed.
  const Session* const outer = std::exchange(state.serves, &session_);
  BlobSource* const outer_input = std::exchange(state.input, &input_);
  const bool outermost = !state.channels.Gather(true);
  size_t done = 0;
  uint64_t begin = CycleClock::Now();
  for (const Request& request : requests) {
    if (HasToWait(server, session_, request, state.op.now_ms)) {
      session_.paused.store(true, std::memory_order_relaxed);
      loop_->AddPaused(session_.id);
      break;
    }
    if (request.command == nullptr && BeginsTls(request.args[0])) {
      RefuseTls();
      break;
    }
    if (request.command == nullptr && IsHttp(request.args[0])) {
      LogWarning("Possible cross-protocol attack: {} speaks HTTP. The connection is closed.",
                 session_.origin.address);
      closing_ = true;
      break;
    }
    begin = Dispatcher::Execute(&server, &state, &session_, request, &staging, begin);
    ++done;
    // Its own messages come right behind the reply.
    if (session_.listens_to != nullptr && outermost) [[unlikely]]
      state.channels.FinishPublishing();
    StageDeferredPushes();
    if (session_.close_after_reply) {
      closing_ = true;
      break;
    }
    if (closed_ || session_.blocked != nullptr) break;
  }
  if (outermost) {
    state.channels.FinishPublishing();
    StageDeferredPushes();
    state.channels.Gather(false);
  }
  state.serves = outer;
  state.input = outer_input;
  session_.commands.store(session_.commands.load(std::memory_order_relaxed) + done,
                          std::memory_order_relaxed);
  return done;
}

void Connection::StageDeferredPushes() {
  OutputBuffer& pushes = loop_->deferred_pushes();
  if (!pushes.empty()) loop_->staging().AppendBuffer(std::move(pushes));
}

void Connection::RefuseTls() {
  LogVerbose("{} speaks TLS to a port without. The connection is closed.", session_.origin.address);
  closing_ = true;
}

void Connection::ProtocolError(std::string_view text) {
  ReplyWriter reply(&loop_->staging(), session_.resp());
  reply.Error(fmt::format("ERR {}", text));
  loop_->state().stats.error_replies.Add();
  loop_->server().CountError("ERR");
  LogVerbose("{} from client id={} addr={}", text, session_.id, session_.origin.address);
  closing_ = true;
}

}  // namespace spinel
