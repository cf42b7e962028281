#include "server/memory_keeper.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <tuple>
#include <vector>

#include "server/cycle_clock.h"
#include "server/eviction_policy.h"
#include "server/host_resources.h"
#include "server/huge_pages.h"
#include "server/log.h"
#include "server/loop_state.h"
#include "server/observation.h"
#include "server/server.h"
#include "server/session.h"
#include "server/tracking.h"

namespace spinel {
namespace {

// Requests of so many bytes are executed before the memory is looked at again.
constexpr size_t kToldBytes = 256 * 1024;
// The same for what a loop has allocated: this share of the limit, within these bounds.
constexpr int64_t kGrownShare = 1024;
constexpr int64_t kLeastGrownBytes = 1024;
constexpr int64_t kMostGrownBytes = 64 * 1024;
constexpr double kFreshUs = 2000;
// Resident pages may exceed the limit by this share and this much, but at least so much, before
// they count. With what they overshoot while sizes shift, and with the program's own pages, that
// has to stay below a twentieth and 32 MB.
constexpr int64_t kToleratedShare = 20;
constexpr int64_t kToleratedBytes = 5 << 20;
constexpr int64_t kLeastToleratedBytes = 14 << 20;
// From so much on huge pages are worth what they waste in the arenas of the loops.
constexpr int64_t kHugePagesBytes = 16 << 20;
constexpr int64_t kHugePagesBytesPerLoop = 4 << 20;
// Unused pages that are worth a purge: at least so many bytes, and this share of the limit; and how
// often at most.
constexpr int64_t kLeastPurgedBytes = 4 << 20;
constexpr int64_t kPurgedShare = 64;
constexpr double kPurgeUs = 25'000;
constexpr int64_t kClientsMs = 100;
constexpr int64_t kPressingMs = 10;
// Without maxmemory-clients: the part of maxmemory that replies may take which nobody reads.
constexpr int64_t kUnreadShare = 8;
// The part of maxmemory that buffers for requests may take which hold nothing.
constexpr int64_t kInputShare = 32;
// Clients that are closed have so long to give their memory back before keys go in their place.
constexpr int64_t kClosingMs = 50;
// More than this must not wait for the reclaimer's thread, which may get no CPU: loops help.
constexpr int64_t kMaxUnfreed = 4 << 20;
// Beyond the limit by more than this share of it, commands wait longer.
constexpr int64_t kUrgentShare = 64;
constexpr double kUrgentUs = 25'000;
// What a tick may spend on eviction.
constexpr double kTickBudgetUs = 500;

// Resident bytes that a limit allows.
int64_t Tolerated(int64_t limit) {
  return limit + std::max(limit / kToleratedShare + kToleratedBytes, kLeastToleratedBytes);
}

int64_t BytesOf(const Invalidation& invalidation) {
  return static_cast<int64_t>(sizeof(invalidation) + invalidation.key.capacity() +
                              invalidation.clients.size() * sizeof(TrackingClient));
}

// Microseconds of eviction in front of one command: up to 500 for a tenacity of 10, then growing by
// 15% with every step, to some two minutes; 100: as long as it takes.
double BudgetUs(int64_t tenacity) {
  if (tenacity >= 100) return std::numeric_limits<double>::infinity();
  if (tenacity <= 10) return 50.0 * static_cast<double>(tenacity);
  return 500.0 * std::pow(1.15, static_cast<double>(tenacity - 10));
}

double ThreadCpuMicroseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

// So many microseconds of work. Of work, not of time: a thread that is kept from the CPU in the
// middle of it (other processes, a quota) would evict hardly anything, and the next command takes
// memory all the same.
class Budget {
 public:
  explicit Budget(double us) : us_(us), cpu_begin_us_(ThreadCpuMicroseconds()) {}
  uint64_t begin() const { return begin_; }
  bool Spent() const {
    if (CycleClock::ToMicroseconds(CycleClock::Now() - begin_) <= us_) return false;
    return ThreadCpuMicroseconds() - cpu_begin_us_ > us_;
  }

 private:
  const double us_;
  const uint64_t begin_ = CycleClock::Now();
  const double cpu_begin_us_;
};

}  // namespace

MemoryKeeper::MemoryKeeper(Server* server, int loops)
    : server_(server), loops_(loops), shares_(new Share[static_cast<size_t>(loops)]) {
  for (int i = 0; i < loops; ++i) {
    shares_[static_cast<size_t>(i)].evictor = std::make_unique<Evictor>(&server->store());
  }
  const auto read = [this](const Config&) {
    ReadConfig();
    return std::string();
  };
  server->mutable_config().OnChange({"maxmemory", "maxmemory-policy"}, read);
  // The next tick looks at the clients.
  server->mutable_config().OnChange("maxmemory-clients", [this](const Config&) {
    clients_ms_.store(0, std::memory_order_relaxed);
    return std::string();
  });
  ReadConfig();
}

MemoryKeeper::~MemoryKeeper() = default;

// Runs on whatever thread changes the configuration, and takes no stripe.
void MemoryKeeper::ReadConfig() {
  limit_.store(server_->config().maxmemory());
  server_->Set(Trouble::kOutOfMemory, false);
  if (limit_.load() == 0) {
    server_->Set(Trouble::kOverLimit, false);
    return;
  }
  Measure();
  // Loops have not told what they allocated since their last tick, though it was measured: whoever
  // has to make room first tells, and measures again.
  measured_at_.store(0, std::memory_order_relaxed);
  // The next command finds out what that means.
  if (Estimate() > limit_.load()) server_->Set(Trouble::kOverLimit, true);
}

EvictionRules MemoryKeeper::Rules() const {
  const Config& config = server_->config();
  return RulesOf(config.maxmemory_policy(), static_cast<int>(config.maxmemory_samples()));
}

// -- Measuring
// -------------------------------------------------------------------------------------

void MemoryKeeper::Publish(const LoopState& loop) {
  shares_[static_cast<size_t>(loop.index)].net.store(ThreadNetBytes(), std::memory_order_relaxed);
}

int64_t MemoryKeeper::Estimate() const {
  int64_t bytes = measured_.load(std::memory_order_relaxed);
  for (int i = 0; i < loops_; ++i) {
    const Share& share = shares_[static_cast<size_t>(i)];
    bytes += share.net.load(std::memory_order_relaxed) -
             share.measured_net.load(std::memory_order_relaxed);
  }
  // What the reclaimer has freed since is not in the loops' counts. Some of what waits for it is as
  // good as free.
  const Reclaimer& reclaimer = server_->store().reclaimer();
  const int64_t freed = reclaimer.bytes_freed();
  const int64_t unfreed = std::min(reclaimer.bytes_queued() - freed, kMaxUnfreed);
  return bytes - (freed - measured_freed_.load(std::memory_order_relaxed)) - unfreed;
}

// Pages that nothing lives on go before any key does.
bool MemoryKeeper::PurgeIfWasteful(const ProcessMemory& memory, int64_t limit) {
  const int64_t worthwhile = std::max(kLeastPurgedBytes, limit / kPurgedShare);
  const bool wasteful = static_cast<int64_t>(memory.anonymous) > Tolerated(limit) &&
                        static_cast<int64_t>(memory.unused) > worthwhile;
  const uint64_t now = CycleClock::Now();
  if (!wasteful || CycleClock::ToMicroseconds(now - purged_at_) < kPurgeUs) return false;
  purged_at_ = now;
  PurgeMemory();
  return true;
}

void MemoryKeeper::Measure() {
  MutexLock lock(&mutex_);
  measured_freed_.store(server_->store().reclaimer().bytes_freed(), std::memory_order_relaxed);
  for (int i = 0; i < loops_; ++i) {
    Share& share = shares_[static_cast<size_t>(i)];
    share.measured_net.store(share.net.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
  const int64_t limit = limit_.load();
  ProcessMemory memory = ReadProcessMemory();
  if (PurgeIfWasteful(memory, limit)) memory = ReadProcessMemory();
  const auto allocated = static_cast<int64_t>(memory.allocated);
  // What is resident and can't be purged: fragmentation takes the room of keys.
  const auto kept =
      static_cast<int64_t>(memory.anonymous - std::min(memory.anonymous, memory.unused));
  const int64_t room = Tolerated(limit) - kept;
  const int64_t ceiling = std::clamp<int64_t>(allocated + 2 * room, 0, limit);
  measured_.store(allocated + limit - ceiling);
  measured_at_.store(CycleClock::Now(), std::memory_order_relaxed);
  server_->NotePeakMemory(memory.allocated);
}

void MemoryKeeper::SetOver(bool over, int64_t now_ms) {
  if (!over) server_->Set(Trouble::kOutOfMemory, false);
  if (!server_->Set(Trouble::kOverLimit, over)) return;
  if (over) {
    exceeded_since_ms_.store(now_ms);
  } else if (const int64_t since = exceeded_since_ms_.exchange(0); since != 0) {
    exceeded_ms_.fetch_add(static_cast<uint64_t>(std::max<int64_t>(now_ms - since, 0)));
  }
}

void MemoryKeeper::Check(int64_t now_ms) {
  const double age =
      CycleClock::ToMicroseconds(CycleClock::Now() - measured_at_.load(std::memory_order_relaxed));
  if (Estimate() > limit_.load() && age > kFreshUs) Measure();
  SetOver(Estimate() > limit_.load(), now_ms);
}

void MemoryKeeper::CountInput(LoopState* loop, size_t bytes) {
  Share& share = shares_[static_cast<size_t>(loop->index)];
  share.told += bytes;
  // What a command takes need not have come with it: SETBIT of a far bit, a COPY.
  const int64_t most = std::clamp(limit_.load(std::memory_order_relaxed) / kGrownShare,
                                  kLeastGrownBytes, kMostGrownBytes);
  const bool grown = ThreadNetBytes() - share.net.load(std::memory_order_relaxed) > most;
  if (share.told < kToldBytes && !grown) return;
  share.told = 0;
  Publish(*loop);
  if (Estimate() > limit_.load()) SetOver(true, loop->op.now_ms);
}

void MemoryKeeper::Tick(LoopState* loop) {
  const int64_t now_ms = loop->op.now_ms;
  if (loop->index == 0) LookAtClients(loop);
  Publish(*loop);
  if (loop->index == 0 && !huge_pages_ &&
      Estimate() > std::max(kHugePagesBytes, loops_ * kHugePagesBytesPerLoop)) {
    huge_pages_ = true;
    AllowHugePages();
  }
  if (limit_.load(std::memory_order_relaxed) == 0) return;
  if (loop->index == 0) {
    Measure();
    Check(now_ms);
  }
  if (server_->Has(Trouble::kOverLimit)) Evict(loop, kTickBudgetUs);
}

uint64_t MemoryKeeper::exceeded_now_ms(int64_t now_ms) const {
  const int64_t since = exceeded_since_ms_.load();
  return since == 0 ? 0 : static_cast<uint64_t>(std::max<int64_t>(now_ms - since, 0));
}

uint64_t MemoryKeeper::exceeded_ms(int64_t now_ms) const {
  return exceeded_ms_.load() + exceeded_now_ms(now_ms);
}

// -- Making room
// -----------------------------------------------------------------------------------

void MemoryKeeper::MakeRoom(LoopState* loop) {
  const bool urgent = Estimate() > limit_.load() + limit_.load() / kUrgentShare;
  const double budget_us = BudgetUs(server_->config().maxmemory_eviction_tenacity());
  loop->before_reply = true;  // as in Redis, who loses a key hears of it first
  Evict(loop, urgent ? std::max(budget_us, kUrgentUs) : budget_us);
  loop->before_reply = false;
}

void MemoryKeeper::Evict(LoopState* loop, double budget_us) {
  constexpr int kPerLook = 16;
  const Budget budget(budget_us);
  Publish(*loop);
  Check(loop->op.now_ms);
  if (!server_->Has(Trouble::kOverLimit)) return;
  if (LookAtClients(loop)) return;
  const EvictionRules rules = Rules();
  Evictor& evictor = *shares_[static_cast<size_t>(loop->index)].evictor;
  Store& store = server_->store();
  const uint64_t evicted_before = loop->stats.store.evicted_keys.Get();
  Reclaimer& reclaimer = store.reclaimer();
  while (reclaimer.bytes_queued() - reclaimer.bytes_freed() > kMaxUnfreed && reclaimer.Help()) {
  }
  bool nothing = rules.by == EvictBy::kNothing;
  // What keys leave behind for the clients that have copies of them is on its way out. If it
  // counted one key would drive out the next.
  int64_t leaving = 0;
  size_t counted = 0;
  for (int i = 1; !nothing && Estimate() - leaving > limit_.load(); ++i) {
    const Evictor::Result result = evictor.EvictOne(loop->op, rules);
    nothing = result == Evictor::Result::kNothing;
    Publish(*loop);
    for (; counted < loop->op.invalidations.size(); ++counted) {
      leaving += BytesOf(loop->op.invalidations[counted]);
    }
    if (i % kPerLook != 0) continue;
    if (budget.Spent()) break;
    Check(loop->op.now_ms);
  }
  // Other loops' counts may be as old as a tick, and be in the last measurement as well: before
  // anybody is refused there is a new one, by this loop.
  if (nothing && rules.by != EvictBy::kNothing) Measure();
  Check(loop->op.now_ms);
  // What the reclaimer has is as good as free.
  const bool hopeless = nothing && server_->Has(Trouble::kOverLimit) && reclaimer.pending() == 0;
  server_->Set(Trouble::kOutOfMemory, hopeless);
  if (loop->stats.store.evicted_keys.Get() == evicted_before) return;
  store.FinishServing(loop->op);
  if (!loop->op.invalidations.empty()) server_->tracking().Deliver(loop, /*writer=*/nullptr);
  if (server_->observation().records_latency()) {
    server_->observation().ReportEvent("eviction-cycle", CycleClock::Now() - budget.begin());
  }
}

// -- Clients
// ---------------------------------------------------------------------------------------

bool MemoryKeeper::ClientsPress() const {
  const int64_t limit = ClientsLimit();
  if (limit <= 0) return false;
  const int64_t unread = unread_.load(std::memory_order_relaxed);
  if (server_->config().maxmemory_clients() == 0) return unread > limit;
  return unread + received_.load(std::memory_order_relaxed) > limit;
}

bool MemoryKeeper::InputIsBelow(int64_t bytes) const {
  const int64_t limit = limit_.load(std::memory_order_relaxed);
  const int64_t most = limit == 0 ? bytes : std::min(bytes, limit / kInputShare);
  return received_.load(std::memory_order_relaxed) < most && !server_->Has(Trouble::kOverLimit);
}

bool MemoryKeeper::LookAtClients(LoopState* loop) {
  const int64_t now_ms = loop->op.now_ms;
  int64_t last = clients_ms_.load(std::memory_order_relaxed);
  const bool pressing = ClientsPress();
  const bool due = now_ms - last >= (pressing ? kPressingMs : kClientsMs) || now_ms < last;
  if (due && clients_ms_.compare_exchange_strong(last, now_ms)) {
    const bool closed = EvictClients(loop);
    if (closed) closed_ms_.store(now_ms, std::memory_order_relaxed);
    if (!closed && pressing) exempt_ms_.store(now_ms, std::memory_order_relaxed);
  }
  if (now_ms - closed_ms_.load(std::memory_order_relaxed) < kClosingMs) return true;
  // The next look is near; but those who may not be closed would keep everybody waiting for ever.
  return pressing && now_ms - exempt_ms_.load(std::memory_order_relaxed) > kClosingMs;
}

int64_t MemoryKeeper::ClientsLimit() const {
  const int64_t setting = server_->config().maxmemory_clients();
  if (setting > 0) return setting;
  const int64_t limit = limit_.load(std::memory_order_relaxed);
  if (setting < 0) return -setting * (limit / 100);
  // No key goes for what clients do not read.
  return server_->Has(Trouble::kOverLimit) ? limit / kUnreadShare : 0;
}

bool MemoryKeeper::EvictClients(LoopState* loop) {
  const int64_t limit = ClientsLimit();
  if (limit <= 0) return false;
  if (server_->config().maxmemory_clients() == 0) {
    return CloseBiggest(loop, limit, [](const Session& session) {
      return session.output_held.load(std::memory_order_relaxed);
    });
  }
  if (static_cast<int64_t>(server_->clients().Totals().memory) <= limit) return false;
  return CloseBiggest(loop, limit, MemoryOf);
}

bool MemoryKeeper::CloseBiggest(LoopState* loop, int64_t limit,
                                absl::FunctionRef<uint64_t(const Session&)> bytes_of) {
  int64_t total = 0;
  std::vector<std::tuple<int64_t, int, uint64_t>> biggest;  // bytes, loop, id
  server_->clients().ForEach([&](Session& session) {
    if (session.closing.load(std::memory_order_relaxed)) return;  // it gives everything back soon
    const auto bytes = static_cast<int64_t>(bytes_of(session));
    total += bytes;
    if (bytes == 0 || session.no_evict.load(std::memory_order_relaxed)) return;
    biggest.emplace_back(bytes, session.origin.loop, session.id);
  });
  if (total <= limit) return false;
  std::sort(biggest.rbegin(), biggest.rend());
  for (const auto& [bytes, home, id] : biggest) {
    if (total <= limit) break;
    total -= bytes;
    LogWarning("Closing client id={}: memory is short, and clients hold more of it than they may",
               id);
    server_->runtime().CloseClient(home, id);
    loop->stats.evicted_clients.Add();
  }
  return !biggest.empty();
}

}  // namespace spinel
