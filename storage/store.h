// The keyspace: stripes of keys, each behind its own lock, and the timing wheels that expire them.
//
// Owner: the Server. Threads: any; every call locks what it needs, or states what it expects.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "storage/access_clock.h"
#include "storage/big_value.h"
#include "storage/guards.h"
#include "storage/key_slot.h"
#include "storage/reclaimer.h"
#include "storage/s3_fifo.h"
#include "storage/stripe.h"
#include "storage/timing_wheel.h"

namespace spinel {

class SnapshotHook;

class Store {
 public:
  struct Options {
    uint32_t stripes = 1024;  // a power of two, at most 4096
    int databases = 16;       // at most 256
    int64_t now_ms = 0;       // Unix time at which the wheels begin
    bool one_thread = false;  // only one thread uses the store, until its destruction: no locking
  };

  static constexpr int kMaxDatabases = 256;
  static constexpr int kWheels = 16;  // stripes are dealt out to them by number

  explicit Store(const Options& options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  static Key MakeKey(std::string_view name) { return {name, kKeyHasher(name)}; }

  ReadGuard Read(const OpContext& context, int database, const Key& key,
                 LookupMode mode = LookupMode::kCount, Locking locking = Locking::kTake) {
    return ReadGuard(LockOf(key, locking), this, &context, database, key, mode);
  }
  WriteGuard Write(const OpContext& context, int database, const Key& key,
                   Locking locking = Locking::kTake) {
    return WriteGuard(LockOf(key, locking), this, &context, database, key, locking);
  }
  // Locks the stripes of all keys (their hashes decide, their names do not matter), in order. Like
  // everything here that locks, it takes nothing while this thread holds everything: see
  // AtomicSection.
  MultiLock Lock(std::span<const Key> keys);
  // Locks every stripe.
  MultiLock LockAll();

  // -- Growing (scripts) -------------------------------------------------------------------------
  // Somebody who holds stripes may take further ones, in any order, while he holds the right to
  // grow, which one at a time has and which comes before every stripe. Whoever waits for a stripe
  // with others in his hands (Lock, LockAll) gives them back while somebody grows.
  SpinLock& growth_right() ABSL_LOCK_RETURNED(growth_right_) { return growth_right_; }
  // Locks the key's stripe as well, unless `held` has it. Expects the right.
  void Grow(const Key& key, MultiLock* held);
  void GrowToAll(MultiLock* held);
  uint32_t StripeNumber(const Key& key) const { return StripeIndex(key.hash); }
  bool one_thread() const { return one_thread_; }

  // Expects the key's stripe to be locked.
  KeySlot Slot(const OpContext& context, int database, const Key& key,
               KeySlot::Use use = KeySlot::Use::kWrite) {
    return KeySlot(this, &context, database, key, use);
  }

  // -- Those who wait for keys (waiters.h) -------------------------------------------------------
  // Expects the key's stripe to be locked.
  void AddWaiter(int database, const Key& key, uint64_t ticket, std::shared_ptr<Waiter> waiter);
  // Locks the key's stripe.
  void RemoveWaiter(int database, const Key& key, uint64_t ticket);
  // Serves those who wait for the keys of context.ready; expects their stripes to be among `held`.
  // Guards and holders of a MultiLock call it last.
  void ServeReady(const OpContext& context, const HeldStripes& held);
  // Does what is left when locks are released: serves where further ones are needed, wakes those
  // who were served, has messages and key events delivered. Expects no lock to be held; call it
  // after every command, and after whatever else changes or expires keys.
  void FinishServing(const OpContext& context) {
    if (!context.deferred.empty()) [[unlikely]]
      ServeDeferred(context);
    if (!context.unlocked.empty()) [[unlikely]]
      RunUnlocked(context);
  }

  // -- Those who watch keys (watchers.h) ---------------------------------------------------------
  // Raises `changed` when the key does. Expects the key's stripe to be locked, and an expired key
  // to have been removed (by a slot): that would count as a change later. False: it was watched by
  // this flag already.
  bool AddWatcher(int database, const Key& key, Watchers::Flag* changed);
  // Locks the key's stripe unless it is held.
  void RemoveWatcher(int database, const Key& key, const Watchers::Flag* changed,
                     Locking locking = Locking::kTake);
  // Keys that somebody watches.
  uint64_t WatchedKeys();

  // -- Those who keep copies of keys (tracked_keys.h) --------------------------------------------
  // The client has read the key. Expects its stripe to be locked, since before the reading.
  void Track(const Key& key, TrackingClient client);
  // A client that wants to know of all changes comes, or goes. Locks one stripe after the other.
  void CountBroadcaster(bool comes);
  // Has random keys invalidated until no more than `most` are tracked.
  void EvictTracked(const OpContext& context, uint64_t most);
  const TrackingTotals& tracking_totals() const { return tracking_totals_; }

  // Brings into the cache what is needed to look up some keys, a few dozens, that will be used
  // soon. A hint.
  void Prefetch(int database, std::span<const Key* const> keys);
  // The first part of it, for a key that will be added.
  void PrefetchBucket(int database, const Key& key);

  // The same for elements of the collection at a key, by their hashes (kKeyHasher); what `hint`
  // names comes after Prefetch, in this order. False: there is no object at the key.
  bool PrefetchElements(int database, const Key& key, std::span<const uint64_t> hashes,
                        ElementHint hint);

  int databases() const { return databases_; }
  // Keys physically present, expired or not.
  uint64_t Size(int database);
  struct DatabaseInfo {
    uint64_t keys = 0;
    uint64_t expiring = 0;
    uint64_t with_expiring_elements = 0;
    int64_t average_ttl_ms = 0;  // of a sample
  };
  DatabaseInfo Info(int database, int64_t now_ms);

  // One step of SCAN: visits live keys until at least `count` were seen or 10 * count buckets
  // passed, locking one stripe at a time. Returns the next cursor; 0 begins and ends. A key that
  // stays for the whole scan is visited exactly once. With a type, keys of other types are passed
  // over. Expired keys that are come across are removed. The visitor runs under a stripe's lock: it
  // copies what it needs and calls nothing of the store.
  using EntryVisitor = absl::FunctionRef<void(const Entry&)>;
  uint64_t Scan(const OpContext& context, int database, uint64_t cursor, uint64_t count,
                EntryVisitor visit, std::optional<ValueType> type = {});
  // Visits every live key, one stripe at a time, not as one moment's picture.
  void ForEach(const OpContext& context, int database, EntryVisitor visit);
  // False: the database is empty.
  bool RandomKey(const OpContext& context, int database, std::string* name);

  // Removes every key of one database, or of all (-1). The moment is atomic; with `background` the
  // freeing happens on the reclaimer.
  void Flush(const OpContext& context, int database, bool background);
  void SwapDatabases(const OpContext& context, int first, int second);

  // -- Snapshots (snapshot_hook.h, persistence/snapshot.h) ---------------------------------------
  // False: another snapshot has not ended.
  bool ReserveSnapshot();
  // The moment of a snapshot that was reserved: runs `at_cut` with every stripe locked, giving it
  // what each database has (without the TTL); from then on the hook is told of changes. With
  // `one_thread` the locks are real ones until StopSharing. Expects that this thread holds no
  // stripe, or every one.
  using AtCut = absl::FunctionRef<void(std::span<const DatabaseInfo>)>;
  void BeginSnapshot(SnapshotHook* hook, AtCut at_cut);
  // The hook is told of nothing any more. Expects that every stripe has been walked to its end, and
  // that this thread holds none.
  void DetachSnapshot();
  // Another snapshot may be reserved.
  void EndSnapshot();
  // On the thread of a store with `one_thread`, holding nothing: if no snapshot runs, there is only
  // this thread again.
  void StopSharing();
  // Goes on walking over one database of one stripe, under its lock, until `visit` returns false at
  // the end of a bucket. It is called with nullptr for what is in the picture already; what it has
  // visited is. Returns the next cursor; 0 begins and ends.
  using PictureVisitor = absl::FunctionRef<bool(Entry*)>;
  uint64_t WalkStripe(uint32_t stripe, int physical, uint64_t cursor, PictureVisitor visit);
  uint32_t stripes() const { return stripe_count_; }
  // The lock of a stripe, for a StripeLock.
  SpinLock* PictureLock(uint32_t stripe);
  // Both expect any stripe's lock. The tables of a logical database; the epoch of entries that are
  // in the picture.
  int PhysicalDatabase(int database) const { return Physical(database); }
  bool PictureEpoch() const;

  // Removes keys of wheel 0 <= wheel < kWheels that are due, and elements that are, a bounded
  // batch. True: call again.
  bool ExpireStep(const OpContext& context, int wheel);
  // Whether the wheel has nothing to do until then, less than 4 s ahead. May say no although it is
  // so.
  bool NothingExpiresUntil(int wheel, int64_t unix_ms) const {
    return wheels_[static_cast<size_t>(wheel)]->QuietUntil(TimingWheel::NowTick(unix_ms));
  }
  // Weeds out handles of keys that are gone, a bounded batch. True: call again.
  bool SweepStep(int wheel);
  // While set, those who only read leave expired keys where they are. Any thread.
  void KeepExpired(bool keep) { keeps_expired_.store(keep, std::memory_order_relaxed); }
  bool keeps_expired() const { return keeps_expired_.load(std::memory_order_relaxed); }
  size_t WheelHandles() const;
  size_t WheelMemoryBytes() const;
  // Heap bytes of a key with its value, its share of the table and its timer included.
  static size_t MemoryOf(const Entry& entry);
  // Bytes of buckets and directories.
  size_t TableMemoryBytes(int database);

  Reclaimer& reclaimer() { return reclaimer_; }
  AccessTracking& access_tracking() { return access_tracking_; }
  // How uses of keys are kept from now on. What is known of them in another way is worth nothing
  // then, and gives way to new uses. Takes no stripe.
  void TrackAccess(AccessTracking::Kind kind);
  // Bytes of the queues of the S3 policies.
  size_t QueueMemoryBytes() const { return queues_.MemoryBytes(); }

 private:
  friend class AtomicSection;
  friend class Evictor;
  // Takes one more stripe; false: `held` was given back, because somebody grows, and he is done.
  bool LockNext(Stripe* stripe, MultiLock* held);
  void GrowTo(SpinLock* lock, MultiLock* held);
  friend class KeySlot;

  uint32_t StripeIndex(uint64_t hash) const { return static_cast<uint32_t>(hash >> stripe_shift_); }
  Stripe& StripeOf(const Key& key) const { return stripes_[StripeIndex(key.hash)]; }
  SpinLock* LockOf(const Key& key, Locking locking) const {
    return locking == Locking::kTake ? LockOf(&StripeOf(key)) : nullptr;
  }
  // With one thread every stripe is held from the start, and nothing is left to take.
  SpinLock* LockOf(Stripe* stripe) const {
    return one_thread_ || HoldsEverything() ? nullptr : &stripe->lock;
  }
  // Whether this thread is in an AtomicSection that has locked every stripe.
  bool HoldsEverything() const { return everything_held_ == this; }
  // The tables of a logical database; expects any stripe's lock.
  int Physical(int database) const { return physical_[static_cast<size_t>(database)]; }
  // The other way round.
  int Logical(int physical) const;

  // False: a destination's stripe is not held.
  bool ServeQueue(const OpContext& context, const ReadyKey& ready, WaiterQueue* queue,
                  const HeldStripes& held);
  bool Holds(const HeldStripes& held, std::string_view key) const;
  void ServeDeferred(const OpContext& context);
  static void RunUnlocked(const OpContext& context);

  // An entry that is in no table any more.
  struct Discarded {
    enum Why : uint8_t { kReplaced, kUnlinked, kExpired };
    Stripe* stripe;
    int physical;
    Why why;
  };
  // Frees it, on the reclaimer's thread if that takes long or it was unlinked, or leaves it to the
  // snapshot.
  void Discard(const Discarded& from, const OpContext& context, Entry* entry);
  bool GiveToSnapshot(const Discarded& from, const OpContext& context, Entry* entry);
  // For an entry that is not in the snapshot's picture and is about to change.
  void KeepForSnapshot(Stripe* stripe, int physical, const OpContext& context, Entry* entry);
  void ShareLocks();
  void ReleaseAll();

  // Tells those who watch the key of an entry that is changed without a slot.
  void TouchWatchers(const OpContext& context, Stripe* stripe, int physical, const Entry& entry);
  // Notes whom to tell of a change of the key. Expects the stripe to have observers, which may be
  // gone afterwards.
  void Invalidate(const OpContext& context, Stripe* stripe, const Key& key, bool by_client);
  // The same for all keys. Expects every stripe to be locked.
  void InvalidateEverything(const OpContext& context);
  // What a logical database holds is about to go, or to be swapped with `other`'s (-1: with
  // nothing): tells those who watch a key that exists before or afterwards.
  void TouchReplaced(const OpContext& context, Stripe* stripe, int database, int other);

  // The access clock of a key that comes into the stripe.
  uint32_t NewAccessClock(const Stripe& stripe, uint64_t hash, int64_t now_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(stripe.lock);

  // Arms a handle for the key; returns the tick it fires at.
  int64_t Arm(uint64_t hash, int physical_database, int64_t tick);
  // The tables of `physical` in one stripe, taken out.
  void TakeTables(Stripe* stripe, int physical, std::vector<Keyspace>* out, uint64_t* keys);
  void FireHandle(const OpContext& context, int wheel, const TimingWheel::Handle& handle);
  // Visits the keys that a handle may be about, with their physical databases.
  using HandleVisitor = absl::FunctionRef<void(const Entry&, int)>;
  void VisitHandle(int wheel, const TimingWheel::Handle& handle, HandleVisitor visit);
  Stripe& StripeOfHandle(int wheel, const TimingWheel::Handle& handle) const;
  uint64_t HashOfHandle(const TimingWheel::Handle& handle) const;
  Keyspace* TableOf(Stripe* stripe, int physical) const;
  void PrefetchAlone(int database, std::span<const Key* const> keys);
  void FireElements(const OpContext& context, Stripe* stripe, int physical, Entry* entry);
  bool RemoveExpired(const OpContext& context, Stripe* stripe, int physical, Entry* entry);
  bool RemoveEntry(const OpContext& context, Stripe* stripe, int physical, Entry* entry,
                   Discarded::Why why, int64_t event_class, std::string_view event);
  void NotifyOf(const OpContext& context, int64_t event_class, std::string_view event, int physical,
                const Entry& entry) const;

  const uint32_t stripe_count_;
  const int stripe_shift_;
  const int databases_;
  bool one_thread_;  // false while a snapshot's thread uses a store that has one thread otherwise
  bool shared_ = false;         // that is so
  bool release_later_ = false;  // once this thread's AtomicSection ends
  std::unique_ptr<Stripe[]> stripes_;
  SpinLock growth_right_;
  std::atomic<bool> growing_{false};  // somebody waits for a stripe and holds others out of order
  std::vector<uint8_t> physical_;     // SWAPDB swaps two of these, holding every stripe's lock
  std::vector<std::unique_ptr<TimingWheel>> wheels_;
  AccessTracking access_tracking_;
  S3Fifo queues_;  // empty under other policies
  Reclaimer reclaimer_;
  SnapshotHook* snapshot_ = nullptr;  // guarded by any stripe's lock, changed under all of them
  std::atomic<bool> keeps_expired_{false};
  std::atomic<bool> snapshot_busy_{false};
  TrackingTotals tracking_totals_;
  std::atomic<uint32_t> evict_from_{0};  // the stripe where EvictTracked goes on
  static constinit inline thread_local const Store* everything_held_ = nullptr;
};

}  // namespace spinel
