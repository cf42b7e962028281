#include "server/server.h"

#include <sys/random.h>
#include <sys/resource.h>

#include <algorithm>
#include <bit>
#include <latch>
#include <limits>

#include "protocol/hex.h"
#include "server/acl.h"
#include "server/eviction_policy.h"
#include "server/host_resources.h"
#include "server/loading.h"
#include "server/loop_state.h"
#include "server/memory_keeper.h"
#include "server/monitors.h"
#include "server/observation.h"
#include "server/saver.h"
#include "server/scripts.h"
#include "server/shutdown.h"
#include "server/tracking.h"

namespace spinel {
namespace {

std::string RandomHex(size_t digits) {
  std::string text(digits, '0');
  std::string bytes(digits, '\0');
  if (getrandom(bytes.data(), bytes.size(), 0) < 0) bytes.assign(digits, '\0');
  for (size_t i = 0; i < digits; ++i) text[i] = kHexDigits[bytes[i] & 15];
  return text;
}

std::vector<std::pair<std::string, std::string>> Renames(const Config& config) {
  std::vector<std::pair<std::string, std::string>> renames;
  for (const RenamedCommand& renamed : config.renamed_commands) {
    renames.emplace_back(renamed.from, renamed.to);
  }
  return renames;
}

uint64_t Microseconds(const timeval& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000 + static_cast<uint64_t>(time.tv_usec);
}

}  // namespace

void PauseState::Pause(int64_t now_ms, int64_t until_ms, Mode mode) {
  MutexLock lock(&mutex_);
  if (frozen_) {
    thawed_mode_ = std::max(thawed_mode_, mode);
    thawed_until_ms_ = std::max(thawed_until_ms_, until_ms);
    return;
  }
  const Mode current = this->mode(now_ms);
  if (current == Mode::kNone || until_ms > until_ms_.load()) until_ms_.store(until_ms);
  mode_.store(std::max(current, mode));
}

void PauseState::Unpause() {
  MutexLock lock(&mutex_);
  thawed_mode_ = Mode::kNone;
  thawed_until_ms_ = 0;
  if (frozen_) return;
  mode_.store(Mode::kNone);
  until_ms_.store(0);
}

void PauseState::Freeze() {
  MutexLock lock(&mutex_);
  if (frozen_) return;
  frozen_ = true;
  thawed_mode_ = mode_.load();
  thawed_until_ms_ = until_ms_.load();
  until_ms_.store(std::numeric_limits<int64_t>::max());
  mode_.store(Mode::kWrite);
}

void PauseState::Thaw() {
  MutexLock lock(&mutex_);
  if (!frozen_) return;
  frozen_ = false;
  mode_.store(thawed_mode_);
  until_ms_.store(thawed_until_ms_);
}

Store::Options Server::StoreOptions(const Config& config, int64_t now_ms, int loops) {
  Store::Options options;
  // Enough stripes that two loops seldom meet in one.
  options.stripes = std::clamp(std::bit_ceil(static_cast<uint32_t>(loops)) * 256, 1024u, 4096u);
  options.databases = static_cast<int>(config.databases());
  options.now_ms = now_ms;
  options.one_thread = loops == 1;
  return options;
}

Server::Server(Config* config, int64_t now_ms, int loops)
    : config_(config),
      started_ms_(now_ms),
      run_id_(RandomHex(40)),
      commands_(Renames(*config), &command_error_),
      store_(StoreOptions(*config, now_ms, loops)) {
  loading_ = std::make_unique<Loading>(this);
  saver_ = std::make_unique<Saver>(this, now_ms);
  shutdown_ = std::make_unique<ShutdownSequence>(this);
  observation_ = std::make_unique<Observation>(this);
  monitors_ = std::make_unique<Monitors>(this);
  scripts_ = std::make_unique<Scripts>();
  acl_ = std::make_unique<Acl>(this, &acl_generation_, &needs_password_);
  tracking_ = std::make_unique<Tracking>(this);
  memory_ = std::make_unique<MemoryKeeper>(this, loops);
  RegisterHooks();
  ChangeReplicationId();
  startup_memory_.store(ReadProcessMemory().allocated);
}

Server::~Server() = default;

void Server::RegisterHooks() {
  const auto password = [this](const Config& config) {
    acl_->SetDefaultPassword(config.requirepass());
    return std::string();
  };
  const auto access = [this](const Config& config) {
    store_.TrackAccess(AccessKindOf(config.maxmemory_policy()));
    store_.access_tracking().SetLfuFactors(static_cast<uint32_t>(config.lfu_log_factor()),
                                           static_cast<uint32_t>(config.lfu_decay_time()));
    return std::string();
  };
  const auto events = [this](const Config& config) {
    const int64_t classes = config.notify_keyspace_events();
    const bool published = (classes & (kNotifyKeyspace | kNotifyKeyevent)) != 0;
    channels_.event_classes.store(published ? classes : 0, std::memory_order_relaxed);
    return std::string();
  };
  const auto saving = [this](const Config&) {
    saver_->UpdateTrouble();
    return std::string();
  };
  password(*config_);
  access(*config_);
  events(*config_);
  config_->OnChange("requirepass", password);
  config_->set_user_lines([this] { return acl_->ConfigLines(); });
  config_->OnChange("tracking-table-max-keys", [this](const Config&) {
    // This hook must take no stripe's lock.
    runtime_->Post(0, [this] {
      LoopState* const loop = &runtime_->loop(0);
      tracking_->EvictBeyondLimit(loop);
      tracking_->Deliver(loop, /*writer=*/nullptr);
    });
    return std::string();
  });
  config_->OnChange("notify-keyspace-events", events);
  config_->OnChange({"maxmemory-policy", "lfu-log-factor", "lfu-decay-time"}, access);
  config_->OnChange({"save", "stop-writes-on-bgsave-error"}, saving);
}

bool Server::WaitForLoops(int own) {
  const int loops = runtime_->loops();
  const bool is_loop = own >= 0;
  if (is_loop && waits_for_loops_.exchange(true)) return false;
  // The last loop may be in count_down() still when this one goes on.
  const auto passed = std::make_shared<std::latch>(loops - (is_loop ? 1 : 0));
  for (int i = 0; i < loops; ++i) {
    if (i != own) runtime_->Post(i, [passed] { passed->count_down(); });
  }
  passed->wait();
  if (is_loop) waits_for_loops_.store(false);
  return true;
}

bool Server::Set(Trouble trouble, bool on) {
  const auto bit = static_cast<uint32_t>(trouble);
  const uint32_t before = on ? trouble_.fetch_or(bit) : trouble_.fetch_and(~bit);
  return ((before & bit) != 0) != on;
}

std::string Server::replication_id() const {
  MutexLock lock(&replication_mutex_);
  return replication_id_;
}

void Server::ChangeReplicationId() {
  MutexLock lock(&replication_mutex_);
  replication_id_ = RandomHex(40);
}

uint64_t Server::NotePeakMemory(uint64_t allocated) {
  uint64_t peak = peak_memory.load(std::memory_order_relaxed);
  while (peak < allocated && !peak_memory.compare_exchange_weak(peak, allocated)) {
  }
  return std::max(peak, allocated);
}

void Server::CountError(std::string_view code) {
  constexpr size_t kMaxCodes = 128;  // scripts may invent codes: do not collect them without end
  constexpr std::string_view kOwnCodes[] = {
      "ERR",       "WRONGTYPE",  "NOAUTH",  "NOPERM",    "WRONGPASS", "EXECABORT", "NOSCRIPT",
      "OOM",       "BUSY",       "BUSYKEY", "BUSYGROUP", "MISCONF",   "LOADING",   "NOTBUSY",
      "UNBLOCKED", "UNKILLABLE", "NOPROTO", "READONLY",  "INVALIDOBJ"};
  MutexLock lock(&errors_mutex_);
  const auto found = errors_.find(code);
  if (found != errors_.end()) {
    ++found->second;
    return;
  }
  const bool room =
      errors_.size() < kMaxCodes ||
      std::find(std::begin(kOwnCodes), std::end(kOwnCodes), code) != std::end(kOwnCodes);
  ++errors_[room ? std::string(code) : "ERRORSTATS_OVERFLOW"];
}

std::vector<std::pair<std::string, uint64_t>> Server::ErrorCounts() const {
  MutexLock lock(&errors_mutex_);
  std::vector<std::pair<std::string, uint64_t>> counts(errors_.begin(), errors_.end());
  std::sort(counts.begin(), counts.end());
  return counts;
}

void Server::ResetStatistics() {
  for (int i = 0; i < runtime_->loops(); ++i) runtime_->loop(i).stats.Reset();
  MutexLock lock(&errors_mutex_);
  errors_.clear();
  store_.reclaimer().ResetFreed();
  saver_->ResetStatistics();
  scripts_->ResetStatistics();
  acl_->ResetStatistics();
  memory_->ResetStatistics();
}

uint64_t Server::Changes() const {
  uint64_t changes = 0;
  for (int i = 0; i < runtime_->loops(); ++i)
    changes += runtime_->loop(i).stats.store.changes.Get();
  return changes;
}

void Server::Cron(int64_t now_ms) {
  constexpr int64_t kSampleMs = 100;
  constexpr int64_t kMemoryMs = 1000;
  if (now_ms - last_sample_ms_ >= kSampleMs) {
    last_sample_ms_ = now_ms;
    saver_->Cron(now_ms);
    std::array<uint64_t, RateSampler::kMetrics> totals{};
    for (int i = 0; i < runtime_->loops(); ++i) {
      const LoopStats& stats = runtime_->loop(i).stats;
      totals[RateSampler::kCommands] += stats.commands_processed.Get();
      totals[RateSampler::kInputBytes] += stats.input_bytes.Get();
      totals[RateSampler::kOutputBytes] += stats.output_bytes.Get();
      totals[RateSampler::kTurns] += stats.turn.turns.Get();
      totals[RateSampler::kTurnTicks] += stats.turn.ticks.Get();
    }
    rates_.Sample(now_ms, totals);
    idle_mode_.Note(now_ms, totals[RateSampler::kCommands]);
    peak_clients.store(std::max(peak_clients.load(), clients_.count()));
  }
  if (now_ms - last_memory_ms_ >= kMemoryMs) {
    const bool first = last_memory_ms_ == 0;
    last_memory_ms_ = now_ms;
    const uint64_t allocated = ReadProcessMemory().allocated;
    NotePeakMemory(allocated);
    if (first) startup_memory_.store(allocated);
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    first_loop_user_us.store(Microseconds(usage.ru_utime));
    first_loop_system_us.store(Microseconds(usage.ru_stime));
  }
}

std::vector<ListeningAddress> Server::listeners() const {
  MutexLock lock(&listeners_mutex_);
  return listeners_;
}

void Server::set_listeners(std::vector<ListeningAddress> addresses) {
  MutexLock lock(&listeners_mutex_);
  listeners_ = std::move(addresses);
}

}  // namespace spinel
