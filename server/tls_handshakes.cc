#include "server/tls_handshakes.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "server/log.h"

namespace spinel {
namespace {

using Clock = std::chrono::steady_clock;
using Descriptor = boost::asio::posix::stream_descriptor;

constexpr auto kDeadline = std::chrono::seconds(10);
// When all places are taken, those who say nothing for this long give theirs up.
constexpr auto kPatienceWhenFull = std::chrono::seconds(1);
constexpr auto kSweep = std::chrono::milliseconds(250);
constexpr size_t kReceivePerTurn = 64 * 1024;
constexpr unsigned char kHandshakeRecord = 0x16;
constexpr std::string_view kPlainText =
    "-ERR this port speaks TLS only; connect with TLS, as redis-cli --tls does\r\n";

// Lets a few lines through per period, and says afterwards how many it has kept back: who scans the
// port does not fill the disk.
class FailureLog {
 public:
  void Report(const std::string& address, std::string_view what) {
    if (++count_ <= kLines) LogNotice("TLS handshake with {} failed: {}", address, what);
  }
  // Now and then.
  void Summarise(Clock::time_point now) {
    constexpr auto kPeriod = std::chrono::seconds(10);
    if (now - begun_ < kPeriod) return;
    if (count_ > kLines) {
      LogNotice("TLS handshakes: {} more have failed in the last 10 seconds", count_ - kLines);
    }
    count_ = 0;
    begun_ = now;
  }

 private:
  static constexpr int kLines = 8;

  int count_ = 0;
  Clock::time_point begun_ = Clock::now();
};

}  // namespace

class TlsHandshakes::Worker {
 public:
  Worker(std::atomic<int>* pending, const OnDone* on_done)
      : pending_(pending), on_done_(on_done), io_(1), sweep_(io_) {}

  void Start() {
    ScheduleSweep();
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "tls-handshakes");
      io_.run();
    });
  }

  void Stop() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
    handshakes_.clear();
  }

  void Begin(int fd, AcceptedPeer peer, std::shared_ptr<const TlsContext> context,
             std::string_view farewell) {
    boost::asio::post(io_, [this, fd, peer = std::move(peer), context = std::move(context),
                            farewell] { Add(fd, peer, *context, farewell); });
  }

 private:
  struct Handshake {
    explicit Handshake(boost::asio::io_context* io) : socket(*io) {}

    Descriptor socket;
    AcceptedPeer peer;
    std::unique_ptr<TlsStream> stream;
    std::string_view farewell;
    Clock::time_point begun = Clock::now();
    Clock::time_point heard = begun;  // when something happened last
    bool speaks_tls = false;          // it began as a handshake begins
    bool done = false;                // all but sending the rest
  };

  void Add(int fd, const AcceptedPeer& peer, const TlsContext& context, std::string_view farewell) {
    auto handshake = std::make_unique<Handshake>(&io_);
    boost::system::error_code error;
    handshake->stream = TlsStream::Make(context, fd);
    if (handshake->stream != nullptr) handshake->socket.assign(fd, error);
    if (handshake->stream == nullptr || error) {
      LogWarning("Can't begin a TLS handshake: {}", error ? error.message() : "no memory");
      close(fd);
      pending_->fetch_sub(1, std::memory_order_relaxed);
      return;
    }
    handshake->peer = peer;
    handshake->farewell = farewell;
    const uint64_t id = next_id_++;
    handshakes_.emplace(id, std::move(handshake));
    Step(id);
  }

  // Goes on as far as it goes without waiting.
  void Step(uint64_t id) {
    Handshake& handshake = *handshakes_.at(id);
    handshake.heard = Clock::now();
    if (!handshake.speaks_tls && !LooksLikeTls(id, &handshake)) return;
    TlsStream& stream = *handshake.stream;
    TlsStream::Result result = TlsStream::Result::kDone;
    if (!handshake.done) {
      stream.BeginTurn({}, kReceivePerTurn);
      result = stream.Handshake();
      stream.EndTurn();
      handshake.done = result == TlsStream::Result::kDone;
      if (handshake.done && !handshake.farewell.empty()) {
        if (!stream.Encrypt(handshake.farewell.data(), handshake.farewell.size(),
                            &stream.unsent())) {
          return Fail(id, stream.error());
        }
        stream.SayGoodbye();
      }
    }
    // An alert that says what is wrong, too.
    const bool sent = stream.Flush(&stream.unsent());
    if (result == TlsStream::Result::kFailed) return Fail(id, stream.error());
    if (result == TlsStream::Result::kClosed || !sent) {
      return Fail(id, "the client closed the connection");
    }
    if (stream.owes()) return Wait(id, Descriptor::wait_write);
    if (!handshake.done) return Wait(id, Descriptor::wait_read);
    Finish(id);
  }

  // False: it has ended, or nothing has come yet.
  bool LooksLikeTls(uint64_t id, Handshake* handshake) {
    unsigned char first = 0;
    const int fd = handshake->socket.native_handle();
    const ssize_t got = recv(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
      Wait(id, Descriptor::wait_read);
      return false;
    }
    handshake->speaks_tls = got == 1 && first == kHandshakeRecord;
    if (handshake->speaks_tls) return true;
    if (got != 1) {
      // Somebody looked whether the port is open.
      LogVerbose("{} connected to the TLS port and left", handshake->peer.origin.address);
      End(id);
      return false;
    }
    if (send(fd, kPlainText.data(), kPlainText.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
      LogVerbose("a client without TLS was not told");
    // What it has sent must not turn the close into a reset, which would overtake the text.
    char rest[4096];
    while (recv(fd, rest, sizeof(rest), MSG_DONTWAIT) == static_cast<ssize_t>(sizeof(rest))) {
    }
    if (handshake->peer.origin.loopback) {  // a health check may try without first
      LogVerbose("{} speaks to the TLS port without TLS", handshake->peer.origin.address);
      End(id);
    } else {
      Fail(id, "the client does not speak TLS");
    }
    return false;
  }

  void Wait(uint64_t id, Descriptor::wait_type type) {
    handshakes_.at(id)->socket.async_wait(type, [this, id](const boost::system::error_code& error) {
      if (!error && handshakes_.contains(id)) Step(id);
    });
  }

  void Finish(uint64_t id) {
    const auto found = handshakes_.find(id);
    const std::unique_ptr<Handshake> handshake = std::move(found->second);
    handshakes_.erase(found);
    if (handshake->farewell.empty()) {
      const int fd = handshake->socket.release();
      (*on_done_)(fd, std::move(handshake->peer), std::move(handshake->stream));
    }
    pending_->fetch_sub(1, std::memory_order_relaxed);
  }

  void Fail(uint64_t id, std::string_view why) {
    failures_.Report(handshakes_.at(id)->peer.origin.address, why);
    End(id);
  }

  void End(uint64_t id) {
    handshakes_.erase(id);
    pending_->fetch_sub(1, std::memory_order_relaxed);
  }

  void ScheduleSweep() {
    sweep_.expires_after(kSweep);
    sweep_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      Sweep();
      ScheduleSweep();
    });
  }

  void Sweep() {
    const auto now = Clock::now();
    const bool full = pending_->load(std::memory_order_relaxed) >= kMaxPending;
    std::vector<uint64_t> late;
    for (const auto& [id, handshake] : handshakes_) {
      if (now - handshake->begun > kDeadline ||
          (full && now - handshake->heard > kPatienceWhenFull)) {
        late.push_back(id);
      }
    }
    for (const uint64_t id : late) Fail(id, "it took too long");
    failures_.Summarise(now);
  }

  std::atomic<int>* const pending_;
  const OnDone* const on_done_;
  boost::asio::io_context io_;
  boost::asio::steady_timer sweep_;
  std::map<uint64_t, std::unique_ptr<Handshake>> handshakes_;
  uint64_t next_id_ = 0;
  FailureLog failures_;
  std::thread thread_;
};

TlsHandshakes::TlsHandshakes(int threads, OnDone on_done) : on_done_(std::move(on_done)) {
  for (int i = 0; i < threads; ++i) {
    workers_.push_back(std::make_unique<Worker>(&pending_, &on_done_));
    workers_.back()->Start();
  }
}

TlsHandshakes::~TlsHandshakes() { Stop(); }

void TlsHandshakes::Begin(int fd, AcceptedPeer peer, std::shared_ptr<const TlsContext> context,
                          std::string_view farewell) {
  pending_.fetch_add(1, std::memory_order_relaxed);
  workers_[next_++ % workers_.size()]->Begin(fd, std::move(peer), std::move(context), farewell);
}

void TlsHandshakes::Stop() {
  for (auto& worker : workers_) worker->Stop();
}

}  // namespace spinel
