#include "server/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "server/acl.h"
#include "server/blocking.h"
#include "server/event_loop.h"
#include "server/log.h"
#include "server/memory_keeper.h"
#include "server/monitors.h"
#include "server/read_later.h"
#include "server/tracking.h"
#include "server/transaction.h"

namespace spinel {
namespace {

constexpr int64_t kLingerMs = 10'000;  // a closing client may take this long between bytes
constexpr size_t kSmallInputBeforeLogin = 1024;
constexpr int64_t kKeepInputMs = 2000;  // an idle client keeps a buffer for requests so long

}  // namespace

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
    // A read whose handler may come after others tells nothing about the socket by then.
    connection_->read_room_ = connection_->ReadsAtOnce() ? buffer_.size() : 0;
    return &buffer_;
  }
  const_iterator end() const { return &buffer_ + 1; }

 private:
  Connection* connection_;
  mutable boost::asio::mutable_buffer buffer_;
};

Connection::Connection(EventLoop* loop, Socket socket, uint64_t id, Session::Origin origin,
                       int64_t now_ms, std::unique_ptr<TlsStream> tls)
    : loop_(loop),
      socket_(std::move(socket)),
      session_(id, std::move(origin), now_ms),
      tls_(std::move(tls)),
      last_progress_ms_(now_ms) {
  session_.transport = this;
  loop->server().acl().Admit(&session_);
  loop->server().clients().Add(&session_);
}

Connection::~Connection() {
  loop_->server().tracking().Disable(&session_);
  loop_->server().monitors().Remove(&loop_->state(), &session_);
  loop_->state().channels.UnsubscribeAll(&session_);
  loop_->server().clients().Remove(&session_);
}

void Connection::Start() { StartRead(); }

bool Connection::ReserveInput(size_t arrived) {
  const size_t expected = parser_.BytesExpected();
  const size_t missing = expected > input_.size() ? expected - input_.size() : 0;
  const bool stranger = MustLogIn();
  const size_t least = stranger ? kSmallInputBeforeLogin : kSmallInput;
  // What was announced, but only so many times what has arrived already: announcements are free.
  size_t most = (input_.size() + arrived) * (stranger ? 1 : 16);
  if (!stranger && loop_->server().memory().TrustsAnnouncements()) {
    most = std::max(most, kAnnouncedInput + least);
  }
  const size_t before = input_.capacity();
  const bool reserved = input_.Reserve(std::clamp(missing, least, std::max(least, most)));
  if (input_.capacity() != before) PublishInput();
  return reserved;
}

bool Connection::KeepsBigInput() const {
  return input_.empty() && input_.capacity() >= EventLoop::kSharedBytes;
}

InputBuffer::Room Connection::RoomForNext() const {
  const bool keeps = !MustLogIn() && loop_->server().memory().KeepsInput();
  return keeps ? InputBuffer::Room::kKeep : InputBuffer::Room::kFree;
}

boost::asio::mutable_buffer Connection::ChooseReadBuffer() {
  if (tls_ != nullptr) {
    const bool at_once = ReadsAtOnce();
    read_into_ = at_once ? ReadInto::kShared : ReadInto::kLanding;
    return at_once
               ? boost::asio::mutable_buffer(loop_->shared_ciphertext(), EventLoop::kSharedBytes)
               : boost::asio::mutable_buffer(landing_, sizeof(landing_));
  }
  // The input of a client that waits may move between this read and its handler.
  const bool held = Held();
  // With a write operation outstanding too, Asio may complete that one first and this read later.
  if (!held && (!input_.empty() || waiting_writable_)) {
    if (ReserveInput()) {
      read_into_ = ReadInto::kOwn;
      unseen_input_ = !ReadsAtOnce();
      return boost::asio::mutable_buffer(input_.end(), input_.room());
    }
  } else if (!held && !starting_read_) {
    if (KeepsBigInput()) {
      read_into_ = ReadInto::kOwn;
      return boost::asio::mutable_buffer(input_.end(), input_.room());
    }
    read_into_ = ReadInto::kShared;
    return boost::asio::mutable_buffer(loop_->shared_input(), EventLoop::kSharedBytes);
  }
  read_into_ = ReadInto::kLanding;
  return boost::asio::mutable_buffer(landing_, sizeof(landing_));
}

void Connection::StartRead() {
  if (closed_ || closing_ || reading_ || input_ended_) return;
  if (Held() && input_.size() >= MaxHeldInput()) return;
  reading_ = true;
  ++operations_;
  starting_read_ = true;
  {
    const ReadLater later(drained_);
    socket_.async_read_some(ReadTarget(this), [this](const boost::system::error_code& error,
                                                     size_t bytes) { OnRead(error, bytes); });
  }
  starting_read_ = false;
  if (drained_) unseen_input_ = false;  // nothing was read
  if (drained_ && !unchecked_) {
    unchecked_ = true;
    loop_->AddToCheck(session_.id);
  }
}

void Connection::OnRead(const boost::system::error_code& error, size_t bytes) {
  --operations_;
  reading_ = false;
  unseen_input_ = false;
  if (closed_) return MaybeDelete();
  if (error) {
    error == boost::asio::error::eof ? OnPeerDone() : CloseNow();
    return MaybeDelete();
  }
  loop_->UpdateClock();
  loop_->state().stats.reads.Add();
  drained_ = bytes < read_room_;
  const uint64_t polls = loop_->busy_polls();
  HandleInput(bytes);
  // What has arrived meanwhile may have been told while nobody was waiting for it.
  if (loop_->busy_polls() != polls) drained_ = false;
  StartRead();
  drained_ = false;
  MaybeDelete();
}

// It still gets what it is owed.
void Connection::OnPeerDone() {
  if (unread_) {
    input_ended_ = true;
  } else if (owes()) {
    Close();
  } else {
    CloseNow();
  }
}

bool Connection::CheckPeer(int64_t now_ms) {
  if (!closed_ && !input_ended_ && reading_) {
    // One that was heard of since may be in the same state again.
    const int64_t heard_ms = session_.last_active_ms.load(std::memory_order_relaxed);
    if (std::abs(now_ms - heard_ms) < kPeerCheckMs) return false;
    char byte;
    const ssize_t got = recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    const int error = got < 0 ? errno : 0;
    if (got == 0) {
      OnPeerDone();
    } else if (error != 0 && error != EAGAIN && error != EINTR) {
      CloseNow();
    }
  }
  unchecked_ = false;
  MaybeDelete();
  return true;
}

bool Connection::ReadMore(char* buffer, size_t* size, size_t capacity) {
  while (*size < capacity) {
    const ssize_t got =
        recv(socket_.native_handle(), buffer + *size, capacity - *size, MSG_DONTWAIT);
    if (got > 0) {
      *size += static_cast<size_t>(got);
      drained_ = *size < capacity;
      return true;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) drained_ = false;  // the peer is done sending, which the next read will tell
    return got < 0;
  }
  return true;
}

void Connection::HandleInput(size_t bytes) {
  session_.last_active_ms.store(loop_->state().op.now_ms, std::memory_order_relaxed);
  if (tls_ != nullptr) return HandleCiphertext(bytes);
  if (Held()) return KeepWhileHeld(bytes);
  char* data = loop_->shared_input();
  size_t size = bytes;
  if (read_into_ == ReadInto::kOwn) {
    input_.Commit(bytes);
  } else if (read_into_ == ReadInto::kLanding) {
    if (KeepsBigInput()) {
      if (!input_.Append({landing_, bytes})) return CloseNow();
      size = input_.size();
      if (bytes == sizeof(landing_)) ReadMore(input_.data(), &size, input_.capacity());
      input_.Commit(size - bytes);
      bytes = size;
    } else if (input_.empty()) {
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
  if (!input_.Append({landing_, bytes}) || !input_.Reserve(kSmallInput)) return CloseNow();
  size_t size = input_.size();
  ReadMore(input_.data(), &size, input_.capacity());
  const size_t more = size - input_.size();
  input_.Commit(more);
  CountInput(bytes + more);
  PublishSizes();
}

void Connection::ExecuteAndKeep(char* data, size_t size) {
  const bool own = data == input_.data();
  const auto limit = static_cast<size_t>(loop_->server().config().client_query_buffer_limit());
  // Its last bytes may complete a request that is too long by what it announced.
  if (own && size > limit && parser_.BytesExpected() > limit) return RefuseOverlong();
  std::string held;
  const size_t consumed = ExecuteAll(data, size, &held);
  if (closed_) return;
  if (!held.empty()) {
    if (own) input_.Consume(size, RoomForNext());
    if (!input_.Append(held)) return CloseNow();
  } else if (own) {
    if (!input_.Consume(consumed, RoomForNext())) return CloseNow();
  } else if (consumed < size && !closing_) {
    if (BeginsTls({data + consumed, size - consumed})) {
      RefuseTls();
      return CloseNow();
    }
    const std::string_view rest(data + consumed, size - consumed);
    if (!ReserveInput(rest.size()) || !input_.Append(rest)) return CloseNow();
  } else if (input_.capacity() != 0) {  // a read beside a waiting write may have reserved it
    input_.Consume(0, RoomForNext());
  }
  // A transaction is a request too, until EXEC.
  if (input_.size() + session_.queued_bytes.load(std::memory_order_relaxed) > limit) {
    return RefuseOverlong();
  }
  PublishSizes();
}

void Connection::RefuseOverlong() {
  LogWarning("Closing client id={} addr={}: its request exceeds client-query-buffer-limit",
             session_.id, session_.origin.address);
  loop_->state().stats.query_limit_disconnections.Add();
  CloseNow();
}

void Connection::CheckLimits(int64_t now_ms) {
  if (closed_) return;
  if (closing_ || input_ended_) {
    if (now_ms - last_progress_ms_ > kLingerMs) CloseNow();
    return MaybeDelete();
  }
  if (!pending_.empty() && OverOutputLimit(now_ms)) {
    CloseNow();
    return MaybeDelete();
  }
  const int64_t login_seconds = loop_->server().config().unauthenticated_timeout();
  if (login_seconds > 0 && MustLogIn() && now_ms - session_.created_ms > login_seconds * 1000) {
    LogVerbose("Closing client id={} addr={}: it has not logged in for {} s", session_.id,
               session_.origin.address, login_seconds);
    CloseNow();
    return MaybeDelete();
  }
  const int64_t timeout = loop_->server().config().timeout();
  const int64_t idle = now_ms - session_.last_active_ms.load(std::memory_order_relaxed);
  // Subscribers wait for others to speak.
  if (timeout > 0 && idle > timeout * 1000 && !session_.subscribed() && !Waits()) {
    LogVerbose("Closing idle client id={} addr={}", session_.id, session_.origin.address);
    CloseNow();
    MaybeDelete();
  }
}

bool Connection::ShrinkInput(int64_t now_ms) {
  const int64_t idle = now_ms - session_.last_active_ms.load(std::memory_order_relaxed);
  const size_t peak = input_.TakePeak();
  if (!closed_ && !unseen_input_) {
    if (idle > kKeepInputMs) {
      input_.ShrinkTo(0);
    } else if (input_.empty()) {
      input_.ShrinkTo(std::max(peak, kSmallInput));
    }
    PublishInput();
  }
  shrinks_ = input_.capacity() > 0;
  return shrinks_;
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
  if (unread_) {  // that comes later
    FlushStaging();
    PublishSizes();
    return MaybeDelete();
  }
  loop_->UpdateClock();
  ExecuteAndKeep(input_.data(), input_.size());
  if (tls_ != nullptr && !closed_ && !input_ended_) ReadDecrypted();
  if (input_ended_ && !closed_ && !unread_) return Close();
  StartRead();
  MaybeDelete();
}

size_t Connection::MaxHeldInput() const {
  if (Waits()) return kMaxHeldInput;
  return static_cast<size_t>(loop_->server().config().client_query_buffer_limit());
}

bool Connection::LeavesTooMuchUnread() const {
  if (pending_.size() < kMaxUnreadReplies) [[likely]]
    return false;
  const OutputLimit& limit = loop_->server().config().output_limit(OutputClass::kNormal);
  return !session_.subscribed() && limit.hard_bytes() == 0 && limit.soft_bytes() == 0;
}

// The client has read some of what it is owed.
void Connection::GoOnIfRead() {
  if (!unread_ || closed_ || pending_.size() > kMaxUnreadReplies / 2) return MaybeDelete();
  unread_ = false;
  if (Waits()) return MaybeDelete();
  GoOn();
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
  if (loop_->nested()) {
    // Its watches and waits are in the store, which somebody holds.
    const bool first = !session_.closing.exchange(true, std::memory_order_relaxed);
    closing_ = true;
    if (first) loop_->DoLater([loop = loop_, id = id()] { loop->CloseClient(id); });
    return;
  }
  closed_ = true;
  AccountBeforeLogin(0);
  PublishSizes();
  session_.paused.store(false, std::memory_order_relaxed);
  EndBlock(&loop_->server(), &loop_->state(), &session_);
  session_.transaction.reset();
  loop_->server().tracking().Disable(&session_);
  loop_->server().monitors().Remove(&loop_->state(), &session_);
  loop_->state().channels.UnsubscribeAll(&session_);
  loop_->Leave();
  loop_->server().clients().Remove(&session_);
  session_.closing.store(true, std::memory_order_relaxed);
  if (tls_ != nullptr) {
    // As far as the socket takes it; nobody waits for a goodbye.
    tls_->SayGoodbye();
    tls_->Flush(&tls_->unsent());
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
}

// The last act of every event: the connection may be gone afterwards.
void Connection::MaybeDelete() {
  if (!closed_ || operations_ != 0 || executing_ || pushed_) return;
  // The rest of it may take until the next tick, and somebody may need the room.
  input_.Free();
  pending_ = OutputBuffer();
  messages_ = {};
  loop_->Forget(this);
}

}  // namespace spinel
