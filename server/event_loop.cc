#include "server/event_loop.h"

#include <pthread.h>
#include <sys/time.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "server/blocking.h"
#include "server/crash_report.h"
#include "server/cycle_clock.h"
#include "server/log.h"
#include "server/memory_keeper.h"
#include "server/observation.h"
#include "server/tracking.h"
#include "server/turn_clock.h"
#include "storage/spin_lock.h"

namespace spinel {
namespace {

constexpr int64_t kCheckIntervalMs = 1000;
// Expiry gets this long per tick; what is left then goes on after kBacklogDelay, so that requests
// come in between.
constexpr double kExpiryBudgetUs = 200;
constexpr auto kBacklogDelay = std::chrono::microseconds(500);
constexpr int64_t kRestTicks = 6;  // from one tick to the next in the idle mode

}  // namespace

int64_t UnixMilliseconds() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

EventLoop::EventLoop(Server* server, int index)
    : server_(server),
      io_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      timer_(io_),
      state_(index, server->commands().all().size(), &server->channels()),
      work_(std::make_unique<Workspace>()) {
  state_.look_after_clients = [this] { PollWhileBusy(); };
  UpdateClock();
}

EventLoop::~EventLoop() = default;

void EventLoop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void EventLoop::Run() {
  SpinLock::SetIdle({[](void* loop) { static_cast<EventLoop*>(loop)->PollWhileBusy(); }, this});
  CrashReportsOfThread crash_reports(&state_);
  clockid_t clock{};
  if (pthread_getcpuclockid(pthread_self(), &clock) == 0) state_.cpu_clock.store(clock);
  state_.turned_ms.store(UnixMilliseconds());
  ScheduleTick();
  const TurnClock turns(&state_.stats, [this] { return FlushPushed(); });
  io_.run();
  state_.cpu_clock.store(0);
}

void EventLoop::Stop() {
  Post([this] {
    stopping_ = true;
    timer_.cancel();
    FlushPushed();
    std::vector<Connection*> open;
    for (const auto& [id, connection] : connections_) open.push_back(connection.get());
    for (Connection* connection : open) connection->Close();
    io_.stop();
  });
}

void EventLoop::Join() {
  if (thread_.joinable()) thread_.join();
  connections_.clear();
  graveyard_.clear();
}

void EventLoop::Post(std::function<void()> task) {
  boost::asio::post(io_, [this, task = std::move(task)]() mutable {
    if (nested_) return DoLater(std::move(task));
    RunLater();
    task();
  });
}

void EventLoop::PostAdopt(int fd, int family, Session::Origin origin,
                          std::unique_ptr<TlsStream> tls) {
  boost::asio::post(io_,
                    [this, fd, family, origin = std::move(origin), tls = std::move(tls)]() mutable {
                      Adopt(fd, family, std::move(origin), std::move(tls));
                    });
}

void EventLoop::RunLater() {
  while (!later_.empty()) {
    std::vector<std::function<void()>> tasks;
    tasks.swap(later_);
    for (const auto& task : tasks) task();
  }
}

void EventLoop::PollWhileBusy() {
  constexpr int kEvents = 64;
  if (nested_ || stopping_ || !server_->Has(Trouble::kBusy)) return;
  nested_ = true;
  ++busy_polls_;
  const TurnClock::SameTurn same_turn;
  auto work = std::make_unique<Workspace>();
  work_.swap(work);
  OpContext& op = state_.op;
  const auto now_ms = op.now_ms;
  const bool touch = op.touch;
  for (int i = 0; i < kEvents && io_.poll_one() > 0; ++i) {
  }
  FlushPushed();
  op.SetNow(now_ms);
  op.touch = touch;
  work_.swap(work);
  nested_ = false;
}

void EventLoop::Adopt(int fd, int family, Session::Origin origin, std::unique_ptr<TlsStream> tls) {
  const uint64_t id = server_->clients().NextId();
  Connection::Socket socket(io_);
  boost::system::error_code error;
  socket.assign(boost::asio::generic::stream_protocol(family, 0), fd, error);
  if (error) {
    LogWarning("Can't watch a new connection: {}", error.message());
    close(fd);
    connection_count_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  UpdateClock();
  state_.stats.connections_received.Add();
  auto connection = std::make_unique<Connection>(this, std::move(socket), id, std::move(origin),
                                                 state_.op.now_ms, std::move(tls));
  Connection* started = connection.get();
  connections_.emplace(id, std::move(connection));
  started->Start();
}

void EventLoop::UpdateClock() { state_.op.SetNow(UnixMilliseconds()); }

void EventLoop::AddToFlush(Connection* connection) { work_->to_flush.push_back(connection); }

bool EventLoop::FlushPushed() {
  bool asked = false;
  while (!work_->to_flush.empty()) {
    std::vector<Connection*> batch;
    batch.swap(work_->to_flush);
    for (Connection* connection : batch) asked = connection->FlushPushed() || asked;
  }
  return asked;
}

// The connection may still be on the call stack: it is destroyed with the next tick.
void EventLoop::Forget(Connection* connection) {
  const auto found = connections_.find(connection->id());
  if (found == connections_.end()) return;
  graveyard_.push_back(std::move(found->second));
  connections_.erase(found);
}

void EventLoop::CloseClient(uint64_t id) {
  const auto found = connections_.find(id);
  if (found != connections_.end()) found->second->Kill();
}

void EventLoop::Unblock(uint64_t id, const std::string& resp) {
  const auto found = connections_.find(id);
  if (found != connections_.end()) found->second->Unblock(resp);
}

void EventLoop::ResumePaused() {
  std::vector<uint64_t> paused;
  paused.swap(paused_);
  for (const uint64_t id : paused) {
    const auto found = connections_.find(id);
    if (found != connections_.end()) found->second->Resume();
  }
}

bool EventLoop::MayRest() const {
  if (!server_->idle_mode().on() || expiry_backlog_ || !paused_.empty() || !to_check_.empty() ||
      !later_.empty()) {
    return false;
  }
  const int64_t until_ms = state_.op.now_ms + (kRestTicks + 1) * TimingWheel::kTickMs;
  const auto& deadlines = state_.deadlines;
  if (!deadlines.empty() && deadlines.begin()->first.first <= until_ms) return false;
  const int loops = server_->runtime().loops();
  for (int wheel = state_.index; wheel < Store::kWheels; wheel += loops) {
    if (!server_->store().NothingExpiresUntil(wheel, until_ms)) return false;
  }
  return true;
}

void EventLoop::EndRest() {
  if (rests_) ScheduleTick();  // in place of the one that was scheduled
}

// Ticks fall on multiples of the wheel's tick, so that a key waits for at most one of them.
void EventLoop::ScheduleTick() {
  rests_ = MayRest();
  if (expiry_backlog_) {
    timer_.expires_after(kBacklogDelay);
  } else {
    timeval now{};
    gettimeofday(&now, nullptr);
    constexpr int64_t kTickUs = TimingWheel::kTickMs * 1000;
    const int64_t us = int64_t{now.tv_sec} * 1'000'000 + now.tv_usec;
    const int64_t ticks = rests_ ? kRestTicks : 1;
    timer_.expires_after(std::chrono::microseconds(ticks * kTickUs - us % kTickUs));
  }
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopping_) return;
    state_.turned_ms.store(UnixMilliseconds(), std::memory_order_relaxed);
    if (!nested_) {
      const uint64_t begin = CycleClock::Now();
      Tick();
      state_.stats.turn.cron_ticks.Add(CycleClock::Now() - begin);
    }
    ScheduleTick();
  });
}

void EventLoop::Tick() {
  graveyard_.clear();
  UpdateClock();
  CheckPeers();
  state_.connections.store(connections(), std::memory_order_relaxed);
  RunLater();
  const bool paused = server_->pause().mode(state_.op.now_ms) != PauseState::Mode::kNone;
  const bool cron_paused = server_->cron_paused.load(std::memory_order_relaxed);
  // A pause ends by itself, or was begun by the server.
  if (state_.index == 0) server_->store().KeepExpired(paused);
  if (!paused) ResumePaused();
  if (!paused && !cron_paused) RemoveKeys();
  TimeOutBlocked(&state_, state_.op.now_ms);
  if (cron_paused) return;
  ShrinkInputs();
  if (state_.op.now_ms - last_check_ms_ >= kCheckIntervalMs) {
    last_check_ms_ = state_.op.now_ms;
    CheckConnections();
  }
  if (state_.index == 0) server_->Cron(state_.op.now_ms);
}

// Those whose time is over, and those that there is no room for.
void EventLoop::RemoveKeys() {
  ExpireKeys();
  server_->memory().Tick(&state_);
  server_->store().FinishServing(state_.op);
  if (state_.op.invalidations.empty()) return;
  server_->tracking().Deliver(&state_, /*writer=*/nullptr);
  server_->tracking().Broadcast(&state_);
}

// Each loop serves the wheels whose number it shares.
void EventLoop::ExpireKeys() {
  expiry_backlog_ = false;
  if (!server_->active_expire.load(std::memory_order_relaxed)) return;
  const uint64_t begin = CycleClock::Now();
  const uint64_t deadline = begin + CycleClock::FromMicroseconds(kExpiryBudgetUs);
  const int loops = server_->runtime().loops();
  for (int wheel = state_.index; wheel < Store::kWheels; wheel += loops) {
    while (server_->store().ExpireStep(state_.op, wheel)) {
      if (CycleClock::Now() > deadline) {
        expiry_backlog_ = true;
        break;
      }
    }
    while (server_->store().SweepStep(wheel)) {
      if (CycleClock::Now() > deadline) break;
    }
  }
  if (server_->observation().records_latency()) {
    server_->observation().ReportEvent("expire-cycle", CycleClock::Now() - begin);
  }
}

// One request with very many arguments must not hold on to the room that they took.
void EventLoop::ShrinkWorkspace() {
  constexpr size_t kMostArguments = 4096;
  if (work_->arguments.capacity() > kMostArguments) {
    std::vector<std::string_view>().swap(work_->arguments);
  }
}

void EventLoop::CheckPeers() {
  if (std::abs(state_.op.now_ms - last_peer_check_ms_) < Connection::kPeerCheckMs) return;
  last_peer_check_ms_ = state_.op.now_ms;
  std::vector<uint64_t> ids;
  ids.swap(to_check_);
  for (const uint64_t id : ids) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) continue;
    if (!found->second->CheckPeer(state_.op.now_ms)) to_check_.push_back(id);
  }
}

void EventLoop::ShrinkInputs() {
  if (std::abs(state_.op.now_ms - last_shrink_ms_) < Connection::kShrinkMs) return;
  last_shrink_ms_ = state_.op.now_ms;
  std::erase_if(to_shrink_, [this](uint64_t id) {
    const auto found = connections_.find(id);
    return found == connections_.end() || !found->second->ShrinkInput(state_.op.now_ms);
  });
}

void EventLoop::CheckConnections() {
  ShrinkWorkspace();
  std::vector<Connection*> all;
  all.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) all.push_back(connection.get());
  for (Connection* connection : all) {
    const Session& session = connection->session();
    state_.stats.input_peak.Note(state_.op.now_ms,
                                 session.query_buffer_capacity.load(std::memory_order_relaxed));
    state_.stats.output_peak.Note(state_.op.now_ms,
                                  session.output_pending.load(std::memory_order_relaxed));
    connection->CheckLimits(state_.op.now_ms);
  }
}

}  // namespace spinel
