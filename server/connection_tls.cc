// The part of a Connection that TLS is about: what arrives is decrypted into the buffers that
// requests are executed from, and replies are encrypted on their way to the socket.

#include <sys/uio.h>

#include <algorithm>
#include <cstring>

#include "server/connection.h"
#include "server/event_loop.h"
#include "server/log.h"

namespace spinel {
namespace {

// As much as is encrypted before it is sent: three records of the largest size.
constexpr size_t kRecordBytes = 16 * 1024;
constexpr size_t kEncryptBytes = 3 * kRecordBytes;

}  // namespace

void Connection::HandleCiphertext(size_t bytes) {
  const bool landed = read_into_ == ReadInto::kLanding;
  const char* arrived = landed ? landing_ : loop_->shared_ciphertext();
  // What landed is the beginning of what has arrived. A buffer that was not filled had it all.
  const bool more = landed && bytes == sizeof(landing_);
  tls_->BeginTurn({arrived, bytes}, more ? EventLoop::kSharedBytes : 0);
  drained_ = drained_ && !more;
  ReadDecrypted();
}

void Connection::ReadDecrypted() {
  TlsStream::Result result = TlsStream::Result::kDone;
  while (result == TlsStream::Result::kDone && !closed_ && !closing_) {
    const bool held = Held();
    if (held && input_.size() >= MaxHeldInput()) break;
    const bool own = held || !input_.empty() || KeepsBigInput();
    const bool reserved = held ? input_.Reserve(kSmallInput) : input_.empty() || ReserveInput();
    if (!reserved) {
      LogWarning("Closing client {}: no memory for its request", session_.id);
      return CloseNow();
    }
    char* to = own ? input_.end() : loop_->shared_input();
    size_t got = 0;
    result = tls_->Read(to, own ? input_.room() : EventLoop::kSharedBytes, &got);
    if (got > 0) {
      CountInput(got);
      if (own) input_.Commit(got);
      if (held) {
        PublishSizes();
      } else {
        ExecuteAndKeep(own ? input_.data() : to, own ? input_.size() : got);
      }
    } else if (own) {
      input_.Consume(0, RoomForNext());
    }
  }
  if (closed_) return;
  tls_->EndTurn();
  if (result == TlsStream::Result::kClosed || result == TlsStream::Result::kFailed) {
    return EndOfInput(result);
  }
  // An answer to the peer's protocol, not to its requests.
  if (tls_->owes()) {
    if (!waiting_writable_ && !Send(&pending_)) return CloseNow();
    AfterOutput();
  }
}

void Connection::EndOfInput(TlsStream::Result result) {
  if (result == TlsStream::Result::kFailed) {
    LogVerbose("Closing client id={} addr={}: TLS: {}", session_.id, session_.origin.address,
               tls_->error());
    return CloseNow();
  }
  OnPeerDone();
}

bool Connection::SendEncrypted(OutputBuffer* buffer) {
  LoopStats& stats = loop_->state().stats;
  while (true) {
    if (tls_->owes()) {
      const size_t before = tls_->unsent().size();
      if (!tls_->Flush(&tls_->unsent())) return false;
      if (tls_->unsent().size() < before) last_progress_ms_ = loop_->state().op.now_ms;
      if (tls_->owes()) return true;
    }
    if (buffer->empty()) return true;
    OutputBuffer& encrypted = loop_->encrypted();
    const size_t before = buffer->size();
    const bool good = EncryptSome(buffer, &encrypted) && tls_->Flush(&encrypted);
    const size_t bytes = before - buffer->size();
    stats.writes.Add();
    stats.output_bytes.Add(bytes);
    session_.output_bytes.store(session_.output_bytes.load(std::memory_order_relaxed) + bytes,
                                std::memory_order_relaxed);
    last_progress_ms_ = loop_->state().op.now_ms;
    if (good && !encrypted.empty()) {
      tls_->unsent().AppendBuffer(std::move(encrypted));
    } else {
      encrypted.Clear();
    }
    if (!good) return false;
  }
}

bool Connection::EncryptSome(OutputBuffer* buffer, OutputBuffer* encrypted) {
  constexpr int kVectors = 64;
  size_t done = 0;
  while (done < kEncryptBytes && !buffer->empty()) {
    iovec vectors[kVectors];
    const int count = buffer->FillIovec(vectors, kVectors);
    const char* data = static_cast<const char*>(vectors[0].iov_base);
    size_t size = vectors[0].iov_len;
    char record[kRecordBytes];
    if (count > 1 && size < kRecordBytes) {
      // Many small pieces make one record.
      size = 0;
      for (int i = 0; i < count && size < kRecordBytes; ++i) {
        const size_t piece = std::min(vectors[i].iov_len, kRecordBytes - size);
        std::memcpy(record + size, vectors[i].iov_base, piece);
        size += piece;
      }
      data = record;
    }
    size = std::min(size, kEncryptBytes - done);
    if (!tls_->Encrypt(data, size, encrypted)) return false;
    buffer->Consume(size);
    done += size;
  }
  return true;
}

}  // namespace spinel
