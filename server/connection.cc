#include "server/connection.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "protocol/ascii.h"
#include "protocol/reply_writer.h"
#include "server/blocking.h"
#include "server/event_loop.h"
#include "server/log.h"
#include "server/prefetch.h"

namespace spinel {
namespace {

constexpr size_t kBatch = 32;              // requests parsed, prefetched and executed together
constexpr size_t kFlushBytes = 256 * 1024;  // staging is sent at this size, not only at the end
constexpr int64_t kLingerMs = 10'000;       // a closing client may take this long between bytes
constexpr size_t kMinOwnInput = 16 * 1024;

// A browser that was made to post to this port: its request's body must not be taken for commands.
bool IsHttp(std::string_view command) {
  return EqualsIgnoreCase(command, "POST") || EqualsIgnoreCase(command, "Host:");
}
constexpr size_t kMaxHeldInput = 1024 * 1024;  // beyond, a client that has to wait waits for the kernel

}  // namespace

InputBuffer::~InputBuffer() { std::free(data_); }

bool InputBuffer::Reserve(size_t bytes) {
  if (room() >= bytes) return true;
  // Doubling on what has arrived: memory follows the client's bytes, not its announcements.
  const size_t wanted = std::max(size_ + bytes, capacity_ * 2);
  auto* grown = static_cast<char*>(std::realloc(data_, wanted));
  if (grown == nullptr) return false;
  data_ = grown;
  capacity_ = wanted;
  return true;
}

bool InputBuffer::Append(std::string_view bytes) {
  if (!Reserve(bytes.size())) return false;
  std::memcpy(end(), bytes.data(), bytes.size());
  Commit(bytes.size());
  return true;
}

void InputBuffer::Consume(size_t bytes) {
  size_ -= bytes;
  if (size_ == 0) {
    std::free(data_);
    data_ = nullptr;
    capacity_ = 0;
  } else if (bytes > 0) {
    std::memmove(data_, data_ + bytes, size_);
  }
}

// Asio copies a buffer sequence when an operation starts and walks it when it really reads; so this
// one asks the connection then. The choice matters because a read that succeeds while it is being
// started is handled later, when the shared buffer may hold another connection's bytes.
class Connection::ReadTarget {
 public:
  using value_type = boost::asio::mutable_buffer;
  using const_iterator = const value_type*;

  explicit ReadTarget(Connection* connection) : connection_(connection) {}
  const_iterator begin() const {
    buffer_ = connection_->ChooseReadBuffer();
    return &buffer_;
  }
  const_iterator end() const { return &buffer_ + 1; }

 private:
  Connection* connection_;
  mutable boost::asio::mutable_buffer buffer_;
};

Connection::Connection(EventLoop* loop, Socket socket, uint64_t id, Session::Origin origin,
                       int64_t now_ms)
    : loop_(loop),
      socket_(std::move(socket)),
      session_(id, std::move(origin), now_ms),
      last_progress_ms_(now_ms) {
  session_.transport = this;
  session_.authenticated = !loop->server().needs_password();
  loop->server().clients().Add(&session_);
}

Connection::~Connection() {
  loop_->state().channels.UnsubscribeAll(&session_);
  loop_->server().clients().Remove(&session_);
}

void Connection::Start() { StartRead(); }

boost::asio::mutable_buffer Connection::ChooseReadBuffer() {
  // The input of a client that waits may move between this read and its handler.
  const bool held = Held();
  // With a write operation outstanding too, Asio may complete that one first and this read later.
  if (!held && (!input_.empty() || waiting_writable_)) {
    const size_t expected = parser_.BytesExpected();
    const size_t missing = expected > input_.size() ? expected - input_.size() : 0;
    // At most as much again as has arrived already.
    const size_t ahead = std::clamp(missing, kMinOwnInput, std::max(kMinOwnInput, input_.size()));
    if (input_.Reserve(ahead)) {
      read_into_ = ReadInto::kOwn;
      return boost::asio::mutable_buffer(input_.end(), input_.room());
    }
  } else if (!held && !starting_read_) {
    read_into_ = ReadInto::kShared;
    return boost::asio::mutable_buffer(loop_->shared_input(), EventLoop::kSharedBytes);
  }
  read_into_ = ReadInto::kLanding;
  return boost::asio::mutable_buffer(landing_, sizeof(landing_));
}

void Connection::StartRead() {
  if (closed_ || closing_ || reading_) return;
  if (Held() && input_.size() >= kMaxHeldInput) return;
  reading_ = true;
  ++operations_;
  starting_read_ = true;
  socket_.async_read_some(ReadTarget(this),
                          [this](const boost::system::error_code& error, size_t bytes) {
                            OnRead(error, bytes);
                          });
  starting_read_ = false;
}

void Connection::OnRead(const boost::system::error_code& error, size_t bytes) {
  --operations_;
  reading_ = false;
  if (closed_) return MaybeDelete();
  if (error) {
    // A peer that is done sending still gets what it is owed.
    if (error == boost::asio::error::eof && !pending_.empty()) {
      Close();
    } else {
      CloseNow();
    }
    return MaybeDelete();
  }
  loop_->UpdateClock();
  loop_->state().stats.reads.Add();
  HandleInput(bytes);
  StartRead();
  loop_->FlushPushed();
  MaybeDelete();
}

bool Connection::ReadMore(char* buffer, size_t* size, size_t capacity) {
  while (*size < capacity) {
    const ssize_t got = recv(socket_.native_handle(), buffer + *size, capacity - *size, MSG_DONTWAIT);
    if (got > 0) {
      *size += static_cast<size_t>(got);
      return true;
    }
    if (got < 0 && errno == EINTR) continue;
    return got < 0;  // 0: the peer is done sending, which the next read will tell
  }
  return true;
}

void Connection::HandleInput(size_t bytes) {
  session_.last_active_ms.store(loop_->state().op.now_ms, std::memory_order_relaxed);
  if (Held()) return KeepWhileHeld(bytes);
  char* data = loop_->shared_input();
  size_t size = bytes;
  if (read_into_ == ReadInto::kOwn) {
    input_.Commit(bytes);
  } else if (read_into_ == ReadInto::kLanding) {
    if (input_.empty()) {
      std::memcpy(data, landing_, bytes);
      // What lands is the beginning of what has arrived.
      if (bytes == sizeof(landing_)) ReadMore(data, &size, EventLoop::kSharedBytes);
      bytes = size;
    } else if (!input_.Append({landing_, bytes})) {
      LogWarning("Closing client {}: no memory for its request", session_.id);
      return CloseNow();
    }
  }
  CountInput(bytes);
  if (!input_.empty()) {
    data = input_.data();
    size = input_.size();
  }
  ExecuteAndKeep(data, size);
}

void Connection::CountInput(size_t bytes) {
  loop_->state().stats.input_bytes.Add(bytes);
  session_.input_bytes.store(session_.input_bytes.load(std::memory_order_relaxed) + bytes,
                             std::memory_order_relaxed);
}

void Connection::KeepWhileHeld(size_t bytes) {
  // What a client that waits sends lands: see ChooseReadBuffer. More may have come with it.
  if (!input_.Append({landing_, bytes}) || !input_.Reserve(kMinOwnInput)) return CloseNow();
  size_t size = input_.size();
  ReadMore(input_.data(), &size, input_.capacity());
  const size_t more = size - input_.size();
  input_.Commit(more);
  CountInput(bytes + more);
  PublishSizes();
}

void Connection::ExecuteAndKeep(char* data, size_t size) {
  const bool own = data == input_.data();
  std::string held;
  const size_t consumed = ExecuteAll(data, size, &held);
  if (closed_) return;
  if (!held.empty()) {
    if (own) input_.Consume(size);
    if (!input_.Append(held)) return CloseNow();
  } else if (own) {
    input_.Consume(consumed);
  } else if (consumed < size && !closing_) {
    if (!input_.Append({data + consumed, size - consumed})) return CloseNow();
  } else {
    input_.Consume(0);  // gives back the room that a read beside a waiting write may have reserved
  }
  const auto limit = static_cast<size_t>(loop_->server().config().client_query_buffer_limit());
  if (input_.size() > limit) {
    LogWarning("Closing client id={} addr={}: its request exceeds client-query-buffer-limit",
               session_.id, session_.origin.address);
    loop_->state().stats.query_limit_disconnections.Add();
    return CloseNow();
  }
  PublishSizes();
}

const ParserLimits Connection::Limits() const {
  if (!session_.authenticated) return kPreAuthLimits;
  ParserLimits limits;
  limits.max_bulk = loop_->server().config().proto_max_bulk_len();
  return limits;
}

size_t Connection::ExecuteAll(char* data, size_t size, std::string* held) {
  executing_ = true;
  size_t consumed = 0;
  size_t broken = 0;
  while (consumed < size && broken == 0 && !closing_ && !closed_ && session_.blocked == nullptr &&
         !session_.closing.load(std::memory_order_relaxed)) {
    const size_t batch_bytes = ParseBatch(data + consumed, size - consumed, &broken);
    if (loop_->requests().empty() && batch_bytes == 0) break;
    PrefetchBatch(&loop_->server().store(), session_.db(), loop_->requests());
    const size_t executed = ExecuteBatch();
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

// Inline requests are unquoted where they lie and would not be parsed to the same again: if there is
// one among those that were not executed, all of them are spelled anew, with what came behind them.
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

// Parses up to kBatch whole requests; returns their bytes. `*broken` is set when what follows them is
// not RESP.
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
  while (requests.size() < most && position < size) {
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
    first_argument[requests.size()] = begin;
    requests.emplace_back();
    ends.push_back(position);
  }
  // Only now: the vector of arguments may have moved while it grew.
  first_argument[requests.size()] = arguments.size();
  const CommandTable& commands = loop_->server().commands();
  const Request* previous = nullptr;
  for (size_t i = 0; i < requests.size(); ++i) {
    const CommandArgs args(arguments.data() + first_argument[i],
                           first_argument[i + 1] - first_argument[i]);
    requests[i] = Dispatcher::Prepare(commands, args, previous);
    previous = &requests[i];
  }
  return position;
}

size_t Connection::ExecuteBatch() {
  Server& server = loop_->server();
  LoopState& state = loop_->state();
  OutputBuffer& staging = loop_->staging();
  const std::vector<Request>& requests = loop_->requests();
  state.op.touch = !session_.no_touch;
  size_t done = 0;
  uint64_t begin = CycleClock::Now();
  for (const Request& request : requests) {
    if (request.command != nullptr && server.pause().Blocks(*request.command, state.op.now_ms) &&
        !Dispatcher::Refuses(server, session_, request)) {
      session_.paused.store(true, std::memory_order_relaxed);
      loop_->AddPaused(session_.id);
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
    if (!loop_->deferred_pushes().empty()) staging.AppendBuffer(std::move(loop_->deferred_pushes()));
    if (session_.close_after_reply) {
      closing_ = true;
      break;
    }
    if (closed_ || session_.blocked != nullptr) break;
  }
  session_.commands.store(session_.commands.load(std::memory_order_relaxed) + done,
                          std::memory_order_relaxed);
  return done;
}

void Connection::ProtocolError(std::string_view text) {
  ReplyWriter reply(&loop_->staging(), session_.resp());
  reply.Error(fmt::format("ERR {}", text));
  loop_->state().stats.error_replies.Add();
  loop_->server().CountError("ERR");
  LogVerbose("{} from client id={} addr={}", text, session_.id, session_.origin.address);
  closing_ = true;
}

void Connection::Push(const std::shared_ptr<const std::string>& resp) {
  if (closed_ || closing_) return;
  if (executing_) {
    loop_->deferred_pushes().Append(*resp);
    return;
  }
  // The message is sent from where it is, to however many subscribers.
  Pin pin;
  pin.data = resp->data();
  pin.size = resp->size();
  pin.owner = new std::shared_ptr<const std::string>(resp);
  pin.release = [](void* owner) { delete static_cast<std::shared_ptr<const std::string>*>(owner); };
  pending_.AppendPinned(pin);
  if (!pushed_) {
    pushed_ = true;
    loop_->AddToFlush(this);
  }
}

void Connection::FlushPushed() {
  pushed_ = false;
  if (closed_) return MaybeDelete();
  if (!waiting_writable_ && !Send(&pending_)) CloseNow();
  if (pending_.empty()) pending_ = OutputBuffer();
  AfterOutput();
  PublishSizes();
  MaybeDelete();
}

void Connection::FlushStaging() {
  OutputBuffer& staging = loop_->staging();
  if (!staging.empty()) {
    if (pending_.empty()) {
      if (!Send(&staging)) {
        staging.Clear();
        return CloseNow();
      }
    }
    if (!staging.empty()) pending_.AppendBuffer(std::move(staging));
    staging.Clear();
  }
  AfterOutput();
}

// Whatever was not sent waits for the socket; a closing connection closes once nothing does.
void Connection::AfterOutput() {
  if (closed_) return;
  if (pending_.empty()) {
    soft_limit_since_ms_ = 0;
    if (closing_ && !executing_) CloseNow();
    return;
  }
  WaitWritable();
  if (OverOutputLimit(loop_->state().op.now_ms)) CloseNow();
}

// Sends from the front of `buffer` what the socket takes. False: the connection is broken.
bool Connection::Send(OutputBuffer* buffer) {
  constexpr int kVectors = 64;
  while (!buffer->empty()) {
    iovec vectors[kVectors];
    msghdr message{};
    message.msg_iov = vectors;
    message.msg_iovlen = static_cast<size_t>(buffer->FillIovec(vectors, kVectors));
    size_t offered = 0;
    for (size_t i = 0; i < message.msg_iovlen; ++i) offered += vectors[i].iov_len;
    const ssize_t sent = sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    const auto bytes = static_cast<size_t>(sent);
    loop_->state().stats.writes.Add();
    loop_->state().stats.output_bytes.Add(bytes);
    session_.output_bytes.store(session_.output_bytes.load(std::memory_order_relaxed) + bytes,
                                std::memory_order_relaxed);
    last_progress_ms_ = loop_->state().op.now_ms;
    if (bytes == buffer->size()) {
      buffer->Clear();
      return true;
    }
    buffer->Consume(bytes);
    if (bytes < offered) return true;
  }
  return true;
}

void Connection::WaitWritable() {
  if (waiting_writable_) return;
  waiting_writable_ = true;
  ++operations_;
  socket_.async_wait(Socket::wait_write,
                     [this](const boost::system::error_code& error) { OnWritable(error); });
}

void Connection::OnWritable(const boost::system::error_code& error) {
  --operations_;
  waiting_writable_ = false;
  if (closed_) return MaybeDelete();
  loop_->UpdateClock();
  if (error || !Send(&pending_)) {
    CloseNow();
  } else {
    if (pending_.empty()) {
      pending_ = OutputBuffer();
      // Room for a read beside this wait; an outstanding one may have filled it already.
      if (input_.empty() && !reading_) input_.Consume(0);
    }
    AfterOutput();
  }
  PublishSizes();
  MaybeDelete();
}

bool Connection::OverOutputLimit(int64_t now_ms) {
  const OutputClass kind = session_.subscribed() ? OutputClass::kPubsub : OutputClass::kNormal;
  const OutputLimit& limit = loop_->server().config().output_limit(kind);
  const auto held = static_cast<int64_t>(pending_.MemoryBytes());
  const int64_t hard = limit.hard_bytes();
  const int64_t soft = limit.soft_bytes();
  bool over = hard != 0 && held >= hard;
  if (soft != 0 && held >= soft) {
    if (soft_limit_since_ms_ == 0) soft_limit_since_ms_ = now_ms;
    over = over || now_ms - soft_limit_since_ms_ > limit.soft_seconds() * 1000;
  } else {
    soft_limit_since_ms_ = 0;
  }
  if (!over) return false;
  LogWarning("Closing client id={} addr={}: it reads too slowly, {} bytes of output are waiting",
             session_.id, session_.origin.address, held);
  loop_->state().stats.output_limit_disconnections.Add();
  return true;
}

void Connection::PublishSizes() {
  session_.query_buffer_used.store(static_cast<uint32_t>(input_.size()), std::memory_order_relaxed);
  session_.query_buffer_capacity.store(static_cast<uint32_t>(input_.capacity()),
                                       std::memory_order_relaxed);
  session_.output_pending.store(pending_.size(), std::memory_order_relaxed);
  session_.output_held.store(pending_.MemoryBytes(), std::memory_order_relaxed);
  session_.output_chunks.store(static_cast<uint32_t>(pending_.segments()),
                               std::memory_order_relaxed);
}

void Connection::CheckLimits(int64_t now_ms) {
  if (closed_) return;
  if (closing_) {
    if (now_ms - last_progress_ms_ > kLingerMs) CloseNow();
    return MaybeDelete();
  }
  if (!pending_.empty() && OverOutputLimit(now_ms)) {
    CloseNow();
    return MaybeDelete();
  }
  const int64_t timeout = loop_->server().config().timeout();
  const int64_t idle = now_ms - session_.last_active_ms.load(std::memory_order_relaxed);
  // Subscribers wait for others to speak.
  if (timeout > 0 && idle > timeout * 1000 && !session_.subscribed() &&
      !Held()) {
    LogVerbose("Closing idle client id={} addr={}", session_.id, session_.origin.address);
    CloseNow();
    MaybeDelete();
  }
}

void Connection::Resume() {
  if (closed_ || !session_.paused.load(std::memory_order_relaxed)) return;
  session_.paused.store(false, std::memory_order_relaxed);
  GoOn();
}

void Connection::Unblock(std::string_view resp) {
  if (closed_ || session_.blocked == nullptr) return;
  EndBlock(&loop_->server(), &loop_->state(), &session_);
  loop_->staging().Append(resp);
  GoOn();
}

// Executes what has come while the client had to wait.
void Connection::GoOn() {
  loop_->UpdateClock();
  ExecuteAndKeep(input_.data(), input_.size());
  StartRead();
  loop_->FlushPushed();
  MaybeDelete();
}

void Connection::Close() {
  closing_ = true;
  last_progress_ms_ = loop_->state().op.now_ms;
  AfterOutput();
  MaybeDelete();
}

void Connection::Kill() {
  CloseNow();
  MaybeDelete();
}

void Connection::CloseNow() {
  if (closed_) return;
  closed_ = true;
  session_.paused.store(false, std::memory_order_relaxed);
  EndBlock(&loop_->server(), &loop_->state(), &session_);
  loop_->state().channels.UnsubscribeAll(&session_);
  loop_->Leave();
  loop_->server().clients().Remove(&session_);
  session_.closing.store(true, std::memory_order_relaxed);
  boost::system::error_code ignored;
  socket_.close(ignored);
}

// The last act of every event: the connection may be gone afterwards.
void Connection::MaybeDelete() {
  if (closed_ && operations_ == 0 && !executing_ && !pushed_) loop_->Forget(this);
}

}  // namespace spinel
