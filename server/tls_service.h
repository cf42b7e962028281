// TLS as the process has it: the context for new connections, kept up to date with the
// configuration and with the files that it names, and the handshakes.
//
// Owner: LoopGroup. Threads: the constructor, Start, Begin and Stop on the main one; Prepare and
// the hooks on any.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "server/config.h"
#include "server/tls_context.h"
#include "server/tls_handshakes.h"
#include "storage/mutex.h"

namespace spinel {

class TlsService {
 public:
  // `io`: the main thread's. `on_done`: see TlsHandshakes.
  TlsService(Config* config, boost::asio::io_context* io, int threads,
             TlsHandshakes::OnDone on_done);
  ~TlsService();

  // Makes sure that there is a context, if the configuration wants one. An empty return: done; else
  // what is wrong with the configuration.
  std::string Prepare();
  // Follows changes from here on.
  void Start();
  void Stop();

  // Begins a handshake: see TlsHandshakes::Begin.
  void Begin(int fd, AcceptedPeer peer, std::string_view farewell);
  int pending() const { return handshakes_ == nullptr ? 0 : handshakes_->pending(); }
  bool has_room() const { return handshakes_ == nullptr || handshakes_->has_room(); }

 private:
  // Replaces the context. On failure the old one stays.
  std::string Reload(const Config& config);
  void ScheduleLook();
  // Loads files anew that have changed and then stayed the same for one interval: a certificate and
  // its key are seldom replaced in the same moment.
  void Look();

  Config* const config_;
  boost::asio::steady_timer look_;
  const int threads_;
  const TlsHandshakes::OnDone on_done_;
  std::unique_ptr<TlsHandshakes> handshakes_;  // made by the first connection
  std::string seen_files_;                     // Look's

  Mutex reload_mutex_;  // taken before mutex_: of two reloads the later one wins
  Mutex mutex_;
  std::shared_ptr<const TlsContext> context_ ABSL_GUARDED_BY(mutex_);
  // State of the files that were tried last, whether they were good or not.
  std::string tried_files_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spinel
