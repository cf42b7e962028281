// The part of a Connection that writes: replies and messages leave at once as far as the socket
// takes them; the rest waits in pending_.

#include <boost/asio/error.hpp>
#include <cerrno>
#include <span>

#include "server/connection.h"
#include "server/event_loop.h"
#include "server/log.h"
#include "server/memory_keeper.h"
#include "server/send_vectors.h"

namespace spinel {

void Connection::Push(const std::shared_ptr<const std::string>& resp) {
  if (closed_ || closing_) return;
  if (executing_) {
    OutputBuffer& to = loop_->state().before_reply ? loop_->staging() : loop_->deferred_pushes();
    to.Append(*resp);
    return;
  }
  messages_.push_back(resp);
  if (!pushed_) {
    pushed_ = true;
    loop_->AddToFlush(this);
  }
}

// Short messages are copied one behind the other, which costs less than what keeps one alive and
// names it to the kernel; long ones are sent from where they are, to however many subscribers.
void Connection::TakeMessages(OutputBuffer* to) {
  constexpr size_t kLong = 2048;
  constexpr size_t kKeptCapacity = 16;
  for (std::shared_ptr<const std::string>& message : messages_) {
    if (message->size() < kLong) {
      to->Append(*message);
      continue;
    }
    Pin pin;
    pin.data = message->data();
    pin.size = message->size();
    pin.owner = new std::shared_ptr<const std::string>(std::move(message));
    pin.release = [](void* owner) {
      delete static_cast<std::shared_ptr<const std::string>*>(owner);
    };
    to->AppendPinned(pin);
  }
  messages_.clear();
  if (messages_.capacity() > kKeptCapacity) messages_.shrink_to_fit();
}

bool Connection::FlushPushed() {
  pushed_ = false;
  if (!closed_ && pending_.empty()) {
    TakeMessages(&loop_->staging());
    FlushStaging();
  } else if (!closed_) {
    TakeMessages(&pending_);
    if (!waiting_writable_ && !Send(&pending_)) CloseNow();
    if (pending_.empty()) pending_ = OutputBuffer();
    AfterOutput();
  }
  PublishSizes();
  const bool asked = closed_ || waiting_writable_;
  MaybeDelete();
  return asked;
}

void Connection::FlushStaging() {
  OutputBuffer& staging = loop_->staging();
  if (!staging.empty()) {
    if (!messages_.empty()) TakeMessages(&pending_);
    if (pending_.empty()) {
      if (!Send(&staging)) {
        staging.Clear();
        return CloseNow();
      }
    }
    if (staging.empty()) {
      staging.Clear();
    } else {
      pending_.AppendBuffer(std::move(staging));
    }
  }
  AfterOutput();
}

// Whatever was not sent waits for the socket; a closing connection closes once nothing does.
void Connection::AfterOutput() {
  if (closed_) return;
  if (!session_.authenticated && UnreadBeforeLogin()) return CloseNow();
  if (!owes()) {
    soft_limit_since_ms_ = 0;
    if (closing_ && !executing_) CloseNow();
    return;
  }
  if (pushed_) return;  // FlushPushed is about to come by
  WaitWritable();
  if (OverOutputLimit(loop_->state().op.now_ms)) CloseNow();
}

// Sends from the front of `buffer` what the socket takes. False: the connection is broken.
bool Connection::Send(OutputBuffer* buffer) {
  if (tls_ != nullptr) [[unlikely]]
    return SendEncrypted(buffer);
  constexpr int kVectors = 512;  // a subscriber may be owed that many messages by one turn
  while (!buffer->empty()) {
    iovec vectors[kVectors];
    const auto filled = static_cast<size_t>(buffer->FillIovec(vectors, kVectors));
    size_t offered = 0;
    for (const iovec& part : std::span(vectors, filled)) offered += part.iov_len;
    const ssize_t sent = SendVectors(socket_.native_handle(), {vectors, filled});
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
    }
    AfterOutput();
  }
  PublishSizes();
  GoOnIfRead();
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

void Connection::PublishInput() {
  session_.query_buffer_used.store(static_cast<uint32_t>(input_.size()), std::memory_order_relaxed);
  const uint32_t received = closed_ ? 0 : static_cast<uint32_t>(input_.capacity());
  const uint32_t received_before = session_.query_buffer_capacity.load(std::memory_order_relaxed);
  if (received != received_before) [[unlikely]] {
    session_.query_buffer_capacity.store(received, std::memory_order_relaxed);
    loop_->server().memory().CountReceived(int64_t{received} - int64_t{received_before});
    if (received != 0 && !shrinks_) {
      shrinks_ = true;
      loop_->AddToShrink(session_.id);
    }
  }
}

void Connection::PublishSizes() {
  PublishInput();
  session_.output_pending.store(pending_.size(), std::memory_order_relaxed);
  const uint64_t held = closed_ ? 0 : pending_.MemoryBytes();
  const uint64_t before = session_.output_held.load(std::memory_order_relaxed);
  if (held != before) [[unlikely]] {
    session_.output_held.store(held, std::memory_order_relaxed);
    loop_->server().memory().CountUnread(static_cast<int64_t>(held) - static_cast<int64_t>(before));
  }
  session_.output_chunks.store(static_cast<uint32_t>(pending_.segments()),
                               std::memory_order_relaxed);
  if (!session_.authenticated || before_login_bytes_ != 0) [[unlikely]] {
    AccountBeforeLogin(MustLogIn() && !closed_ ? input_.capacity() + pending_.MemoryBytes() : 0);
  }
}

}  // namespace spinel
