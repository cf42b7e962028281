#include "server/tls_service.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/log.h"

namespace spinel {

TlsService::TlsService(Config* config, boost::asio::io_context* io, int threads,
                       TlsHandshakes::OnDone on_done)
    : config_(config), look_(*io), threads_(threads), on_done_(std::move(on_done)) {}

TlsService::~TlsService() = default;

std::string TlsService::Prepare() {
  {
    MutexLock lock(&mutex_);
    if (config_->tls_port() == 0 || context_ != nullptr) return {};
  }
  return Reload(*config_);
}

std::string TlsService::Reload(const Config& config) {
  MutexLock reload(&reload_mutex_);
  std::string files = TlsFilesState(config);
  std::string error;
  std::shared_ptr<const TlsContext> made = TlsContext::Make(config, &error);
  MutexLock lock(&mutex_);
  tried_files_ = std::move(files);
  if (made != nullptr) context_ = std::move(made);
  return error;
}

void TlsService::Start() {
  config_->OnChange(
      {"tls-port", "tls-cert-file", "tls-key-file", "tls-key-file-pass", "tls-dh-params-file",
       "tls-ca-cert-file", "tls-ca-cert-dir", "tls-auth-clients", "tls-protocols", "tls-ciphers",
       "tls-ciphersuites", "tls-prefer-server-ciphers", "tls-session-caching",
       "tls-session-cache-size", "tls-session-cache-timeout"},
      [this](const Config& config) {
        // Without a port files are not looked at: they may come before it.
        if (config.tls_port() == 0) {
          MutexLock lock(&mutex_);
          context_.reset();
          return std::string();
        }
        std::string error = Reload(config);
        if (error.empty()) return error;
        LogWarning("TLS is as it was: {}", error);
        return "Unable to update TLS configuration: " + error;
      });
  ScheduleLook();
}

void TlsService::ScheduleLook() {
  look_.expires_after(
      std::chrono::seconds(std::max<int64_t>(config_->tls_auto_reload_interval(), 1)));
  look_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    if (config_->tls_port() != 0 && config_->tls_auto_reload_interval() != 0) Look();
    ScheduleLook();
  });
}

void TlsService::Look() {
  std::string files = TlsFilesState(*config_);
  const bool settled = files == seen_files_;
  seen_files_ = std::move(files);
  {
    MutexLock lock(&mutex_);
    if (!settled || seen_files_ == tried_files_) return;
  }
  if (const std::string error = Reload(*config_); !error.empty()) {
    LogWarning("TLS files have changed and are no good; the old ones stay in use: {}", error);
  } else {
    LogNotice("TLS files have changed; new connections use them");
  }
}

void TlsService::Begin(int fd, AcceptedPeer peer, std::string_view farewell) {
  std::shared_ptr<const TlsContext> context;
  {
    MutexLock lock(&mutex_);
    context = context_;
  }
  if (context == nullptr) {  // tls-port 0 is on its way to close the port
    close(fd);
    return;
  }
  if (handshakes_ == nullptr) handshakes_ = std::make_unique<TlsHandshakes>(threads_, on_done_);
  handshakes_->Begin(fd, std::move(peer), std::move(context), farewell);
}

void TlsService::Stop() {
  look_.cancel();
  if (handshakes_ != nullptr) handshakes_->Stop();
}

}  // namespace spinel
