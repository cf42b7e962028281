// Keeps the process within maxmemory, and all clients' buffers within maxmemory-clients. See
// docs/eviction.md.
//
// What is used is measured exactly (the allocator's count, and the resident pages beyond what the
// limit tolerates) with every tick, and as often as every 2 ms while memory is short; in between
// it is estimated from what each loop's thread has allocated and freed. While it is above the
// limit, Trouble::kOverLimit is set, so commands pay nothing until then.
//
// Owner: the Server. Threads: any; what takes a LoopState is called on its loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "server/config_types.h"
#include "server/host_resources.h"
#include "storage/evictor.h"
#include "storage/mutex.h"

namespace spinel {

class Server;
class Session;
struct LoopState;

// What commands that take memory are answered then; kOutOfMemoryReply as it stands in a reply.
inline constexpr std::string_view kOutOfMemoryReply =
    "-OOM command not allowed when used memory > 'maxmemory'.";
inline constexpr std::string_view kOutOfMemoryError = kOutOfMemoryReply.substr(1);

class MemoryKeeper {
 public:
  MemoryKeeper(Server* server, int loops);
  ~MemoryKeeper();

  // With every tick of every loop, no stripe held.
  void Tick(LoopState* loop);
  // So many bytes of requests are about to be executed: looks at the memory when they, or what the
  // loop has allocated, add up.
  void Tell(LoopState* loop, size_t bytes) {
    if (limit_.load(std::memory_order_relaxed) != 0) [[unlikely]]
      CountInput(loop, bytes);
  }
  // In front of a command, while Trouble::kOverLimit is set and no stripe held: evicts for as long
  // as maxmemory-eviction-tenacity allows, or, far above the limit, 25 ms; and tells with
  // Trouble::kOutOfMemory if that is no use.
  void MakeRoom(LoopState* loop);

  // What a client does not read has become more, or less.
  void CountUnread(int64_t change) { unread_.fetch_add(change, std::memory_order_relaxed); }
  // What clients have sent, and could not be executed yet, takes more, or less.
  void CountReceived(int64_t change) { received_.fetch_add(change, std::memory_order_relaxed); }

  // Whether clients may keep buffers for requests that have been executed, and whether they may
  // have room for what is only announced. Any thread.
  bool KeepsInput() const { return InputIsBelow(kKeptInputBytes); }
  bool TrustsAnnouncements() const { return InputIsBelow(kAnnouncedBytes); }

  // Milliseconds that memory has been above the limit: in all, and since it last was not.
  uint64_t exceeded_ms(int64_t now_ms) const;
  uint64_t exceeded_now_ms(int64_t now_ms) const;
  void ResetStatistics() { exceeded_ms_.store(0); }

 private:
  // Together with those that hold something all such buffers have no more than this, or a share of
  // maxmemory. (What is announced may become resident at once: huge pages.)
  static constexpr int64_t kKeptInputBytes = 64 << 20;
  static constexpr int64_t kAnnouncedBytes = 8 << 20;

  struct alignas(64) Share {
    // Bytes that the loop's thread has allocated and not freed; at the last measurement.
    std::atomic<int64_t> net{0};
    std::atomic<int64_t> measured_net{0};
    size_t told = 0;
    std::unique_ptr<Evictor> evictor;
  };

  bool InputIsBelow(int64_t bytes) const;
  void ReadConfig();
  void CountInput(LoopState* loop, size_t bytes);
  void Publish(const LoopState& loop);
  void Measure();
  bool PurgeIfWasteful(const ProcessMemory& memory, int64_t limit)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Bytes counted against the limit, at present.
  int64_t Estimate() const;
  void Check(int64_t now_ms);
  void SetOver(bool over, int64_t now_ms);
  void Evict(LoopState* loop, double budget_us);
  // Whether clients' buffers exceed what they may hold, as far as they are counted all along.
  bool ClientsPress() const;
  // Every now and then closes clients that hold too much. True: some were closed just now, or will
  // be in a moment, and give back what they have.
  bool LookAtClients(LoopState* loop);
  // What clients may hold at present, in bytes: maxmemory-clients of all their memory; without it,
  // while memory is short, a share of maxmemory of what they do not read. 0: no limit.
  int64_t ClientsLimit() const;
  bool EvictClients(LoopState* loop);
  // Closes the biggest until all together have no more than the limit. False: there was no need, or
  // nobody.
  bool CloseBiggest(LoopState* loop, int64_t limit,
                    absl::FunctionRef<uint64_t(const Session&)> bytes_of);
  EvictionRules Rules() const;

  Server* const server_;
  const int loops_;
  const std::unique_ptr<Share[]> shares_;
  std::atomic<int64_t> limit_{0};     // bytes; 0: none
  std::atomic<int64_t> measured_{0};  // bytes, as far as they count
  // What the reclaimer had ever freed at the last measurement.
  std::atomic<int64_t> measured_freed_{0};
  std::atomic<uint64_t> measured_at_{0};  // CycleClock
  std::atomic<uint64_t> exceeded_ms_{0};
  std::atomic<int64_t> exceeded_since_ms_{0};  // 0: it is not
  std::atomic<int64_t> unread_{0};             // bytes of replies and messages
  std::atomic<int64_t> received_{0};           // bytes of buffers for requests
  std::atomic<int64_t> clients_ms_{0};
  std::atomic<int64_t> closed_ms_{0};
  bool huge_pages_ = false;            // the process may have them; of the first loop
  std::atomic<int64_t> exempt_ms_{0};  // when nobody of those who do not read could be closed
  Mutex mutex_;                        // of who measures
  uint64_t purged_at_ ABSL_GUARDED_BY(mutex_) = 0;  // CycleClock
};

}  // namespace spinel
