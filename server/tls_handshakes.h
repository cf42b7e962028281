// Performs TLS handshakes away from the event loops: a handshake with an RSA key costs a
// millisecond of CPU, and a loop that did it would keep hundreds of requests waiting.
//
// How many wait at a time is bounded, and so is the time that each may take. Once one is done its
// socket is handed on together with its TlsStream.
//
// Owner: TlsService. Threads: Begin on the accepting one, the counters on any; handshakes have
// threads of their own.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "server/listener.h"
#include "server/tls_context.h"
#include "server/tls_stream.h"

namespace spinel {

class TlsHandshakes {
 public:
  static constexpr int kMaxPending = 1024;

  // Takes over the descriptor. Called on a thread of the handshakes.
  using OnDone = std::function<void(int fd, AcceptedPeer peer, std::unique_ptr<TlsStream> stream)>;

  TlsHandshakes(int threads, OnDone on_done);
  ~TlsHandshakes();
  TlsHandshakes(const TlsHandshakes&) = delete;
  TlsHandshakes& operator=(const TlsHandshakes&) = delete;

  // Takes over the descriptor. With a `farewell` (static text) the client is told that, and is not
  // handed on.
  void Begin(int fd, AcceptedPeer peer, std::shared_ptr<const TlsContext> context,
             std::string_view farewell);
  // Ends the threads and closes what is pending.
  void Stop();

  // Handshakes that have begun and not ended.
  int pending() const { return pending_.load(std::memory_order_relaxed); }
  // Is there room for one more?
  bool has_room() const { return pending() < kMaxPending; }

 private:
  class Worker;

  const OnDone on_done_;
  std::atomic<int> pending_{0};
  size_t next_ = 0;  // Begin's
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace spinel
