// One key in a locked stripe: the only way to read or change the keyspace. Every change goes
// through here, so that the expiry count, the timing wheel, statistics and whatever else watches
// changes are served in one place.
//
// A slot does not lock: guards (guards.h) hold the stripe's lock for as long as a slot lives. A key
// that has expired is removed when its slot is made, so no expired value can be seen. Only a slot
// that will not change anything may leave it where it is, and does so while the store is told to
// (Store::KeepExpired): it finds no key then.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/entry.h"
#include "storage/op_context.h"
#include "storage/stripe.h"

namespace spinel {

class BigValue;
class Blob;
class Store;

// A key's name and its hash, computed once per request.
struct Key {
  std::string_view name;
  uint64_t hash = 0;
};

class KeySlot {
 public:
  enum class Use : uint8_t { kWrite, kRead };

  // Expects the stripe of `key` to be locked for as long as the slot lives.
  KeySlot(Store* store, const OpContext* context, int database, const Key& key,
          Use use = Use::kWrite);

  bool exists() const { return entry_ != nullptr; }
  explicit operator bool() const { return exists(); }
  const Entry* entry() const { return entry_; }
  const Entry* operator->() const { return entry_; }
  const Entry& operator*() const { return *entry_; }
  const Key& key() const { return key_; }
  bool Is(ValueType type) const { return entry_ != nullptr && entry_->type() == type; }
  // Unix ms; Entry::kNoExpiry also when the key does not exist.
  int64_t expiry() const { return entry_ != nullptr ? entry_->expiry() : Entry::kNoExpiry; }

  // Counts a hit or a miss and, for a hit, updates the access clock if `touch`. A miss is an event.
  void CountLookup(bool touch = true);
  // Counts a hit or a miss, and nothing else.
  void CountHitOrMiss();
  // Updates the access clock.
  void Touch();

  // Each replaces whatever the key held. `expiry` in Unix ms, or Entry::kNoExpiry.
  // SetString: shorter than Blob::kMinBytes. SetBlob takes over the caller's reference.
  void SetString(std::string_view bytes, int64_t expiry);
  void SetInteger(int64_t value, int64_t expiry);
  void SetBlob(Blob* blob, int64_t expiry);
  // Takes over an entry that carries this key's name; its expiry stands.
  void Put(Entry* fresh) {
    PutUncounted(fresh);
    MarkChanged();
  }
  // As Put, for a caller that counts the changes itself.
  void PutUncounted(Entry* fresh);

  // -- Collections: what their classes are made with. None of these counts as a change.
  // Makes the key, whatever it was, a collection that is an object; takes that over.
  void PutObject(ValueType type, BigValue* object, int64_t expiry = Entry::kNoExpiry);
  // The object of a collection that is one, to be changed, as its own class.
  template <typename T>
  T* object() {
    BeforeChange();
    return static_cast<T*>(entry_->object());
  }
  // The in-place bytes of a collection, to be changed; ResizePacked keeps as many as fit.
  char* mutable_packed() {
    BeforeChange();
    return entry_->inline_value_data();
  }
  char* ResizePacked(size_t bytes);
  // The collection outgrows its entry, or fits into it again: key, expiry and access clock stay.
  // BecomePacked expects the object to be taken care of by the caller (DeleteObject), and the bytes
  // to be filled.
  void BecomeObject(BigValue* object);
  char* BecomePacked(CollectionEncoding encoding, size_t bytes);
  static void DeleteObject(BigValue* object);
  // For an object whose elements got, changed or lost expiries of their own; `had`: before that
  // some had one. Puts the value on the timing wheel.
  void ElementExpiryChanged(bool had);
  // For elements that were found to be over and replaced.
  void CountExpiredElements(uint64_t count) { context_->stats->expired_fields.Add(count); }

  // Changes a string in place; expects one. The expiry stays.
  void ChangeInteger(int64_t value);

  // False: there was none. Delete frees on the spot unless that would take long.
  bool Delete();
  // As Delete, but always frees elsewhere when the value is not tiny.
  bool Unlink();
  // Removes the key and gives its entry to the caller; nullptr: there was none.
  Entry* Take();

  // Expects an existing key.
  void SetExpiry(int64_t unix_ms);
  // False: there was no expiry.
  bool Persist();

  // For value types: the entry, to be changed; a moved entry is handed back; and the note that the
  // value did change.
  Entry* mutable_entry() {
    BeforeChange();
    return entry_;
  }
  // Whether a change will have to keep the old value, for a snapshot.
  bool KeepsOldValue() const {
    stripe_->lock.AssertHeld();
    return stripe_->pictured && entry_ != nullptr && entry_->epoch() != stripe_->epoch;
  }
  void SetMoved(Entry* moved);
  void MarkChanged(uint64_t changes = 1) {
    context_->stats->changes.Add(changes);
    if (changes > 0) MarkTouched();
  }
  // As MarkChanged, for a caller that counts the changes itself: those who watch the key are told.
  void MarkTouched() {
    stripe_->lock.AssertHeld();
    if (stripe_->observers != nullptr) [[unlikely]]
      TouchWatchers();
  }

  // Tells of something that has happened to the key: whoever changes it for a client does, in the
  // order in which Redis tells it. See key_events.h.
  void Notify(int64_t event_class, std::string_view event) const {
    context_->Notify(event_class, event, logical_database_, key_.name);
  }
  // As Notify, after elements were removed: the last one took the key with it.
  void NotifyRemoval(int64_t event_class, std::string_view event) const {
    Notify(event_class, event);
    if (!exists()) Notify(kNotifyGeneric, "del");
  }

  Store* store() const { return store_; }
  const OpContext* context() const { return context_; }
  int64_t now_ms() const { return context_->now_ms; }

 private:
  // Called before anything of the entry changes.
  void BeforeChange() {
    if (KeepsOldValue()) [[unlikely]]
      KeepForSnapshot();
  }
  void KeepForSnapshot();
  void NoteReady();
  // By the client whose operation it is, unless the key's time is over.
  void TouchWatchers(bool by_client = true);
  void RenewPosition();
  void Remove();
  Entry* RemoveChanged();
  void Discard(Entry* entry);
  void StoreExpiry(int64_t unix_ms);
  void ArmFor(int64_t unix_ms);
  void ArmElements();
  bool PrepareOverwrite(size_t size, bool with_expiry);

  Store* store_;
  const OpContext* context_;
  Stripe* stripe_;
  Database* database_;
  int physical_database_;
  Key key_;
  Keyspace::Position position_;
  uint32_t version_ = 0;  // of the table, for which position_ holds
  int logical_database_;
  Entry* entry_ = nullptr;
};

}  // namespace spinel
