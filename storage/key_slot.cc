#include "storage/key_slot.h"

#include <cassert>
#include <cstring>

#include "storage/big_value.h"
#include "storage/blob.h"
#include "storage/equal_bytes.h"
#include "storage/snapshot_hook.h"
#include "storage/store.h"

namespace spinel {

KeySlot::KeySlot(Store* store, const OpContext* context, int database, const Key& key, Use use)
    : store_(store),
      context_(context),
      stripe_(&store->StripeOf(key)),
      key_(key),
      logical_database_(database) {
  stripe_->lock.AssertHeld();
  physical_database_ = store->Physical(database);
  database_ = stripe_->Find(physical_database_);
  if (database_ == nullptr) return;
  position_ = database_->table.Find(
      key.hash, [&key](const Entry& entry) { return EqualBytes(entry.key(), key.name); });
  version_ = database_->table.version();
  if (!position_) return;
  entry_ = position_.node();
  if (entry_->ExpiredAt(context->now_ms)) {
    if (use == Use::kRead && store->keeps_expired()) {
      entry_ = nullptr;
      return;
    }
    Entry* expired = entry_;
    Remove();
    if (stripe_->observers != nullptr) [[unlikely]]
      TouchWatchers(/*by_client=*/false);
    store->Discard({stripe_, physical_database_, Store::Discarded::kExpired}, *context, expired);
    context->stats->expired_keys.Add();
    Notify(kNotifyExpired, "expired");
  }
}

// Before the position is used: another key's slot may have moved this key within the table.
// Compares pointers only, because an entry that has been moved is gone already.
void KeySlot::RenewPosition() {
  if (version_ == database_->table.version()) return;
  position_ =
      database_->table.Find(key_.hash, [this](const Entry& entry) { return &entry == entry_; });
  version_ = database_->table.version();
}

void KeySlot::CountHitOrMiss() {
  Counter& counter =
      entry_ == nullptr ? context_->stats->keyspace_misses : context_->stats->keyspace_hits;
  counter.Add();
}

void KeySlot::CountLookup(bool touch) {
  CountHitOrMiss();
  if (entry_ == nullptr) {
    Notify(kNotifyKeyMiss, "keymiss");
  } else if (touch) {
    Touch();
  }
}

void KeySlot::Touch() {
  if (!context_->touch) return;
  const uint32_t clock = entry_->access_clock();
  const uint32_t now = store_->access_tracking_.Accessed(clock, context_->now_ms);
  if (clock != now) entry_->set_access_clock(now);
}

// True when the entry is a string whose room for the expiry is as wanted: then it now holds an
// in-place value of `size` bytes, not filled yet.
bool KeySlot::PrepareOverwrite(size_t size, bool with_expiry) {
  // A snapshot that needs the old value gets it as it is, in exchange for a new one.
  if (entry_ == nullptr || KeepsOldValue() || entry_->type() != ValueType::kString ||
      entry_->string_encoding() == StringEncoding::kBlob ||
      entry_->has_expiry_field() != with_expiry) {
    return false;
  }
  SetMoved(Entry::ResizeInline(entry_, size));
  entry_->set_access_clock(
      store_->access_tracking_.Accessed(entry_->access_clock(), context_->now_ms));
  entry_->set_edited(false);
  return true;
}

void KeySlot::SetString(std::string_view bytes, int64_t expiry) {
  assert(bytes.size() < Blob::kMinBytes);
  const bool with_expiry = expiry != Entry::kNoExpiry;
  if (!PrepareOverwrite(bytes.size(), with_expiry)) {
    Entry* fresh = Entry::NewString(key_.name, bytes, with_expiry);
    if (with_expiry) fresh->set_expiry(expiry);
    Put(fresh);
    return;
  }
  entry_->set_string_encoding(StringEncoding::kInline);
  if (!bytes.empty()) std::memcpy(entry_->inline_value_data(), bytes.data(), bytes.size());
  if (with_expiry) StoreExpiry(expiry);
  MarkChanged();
}

void KeySlot::SetInteger(int64_t value, int64_t expiry) {
  const bool with_expiry = expiry != Entry::kNoExpiry;
  if (!PrepareOverwrite(sizeof(value), with_expiry)) {
    Entry* fresh = Entry::NewInteger(key_.name, value, with_expiry);
    if (with_expiry) fresh->set_expiry(expiry);
    Put(fresh);
    return;
  }
  entry_->set_string_encoding(StringEncoding::kInteger);
  entry_->set_integer(value);
  if (with_expiry) StoreExpiry(expiry);
  MarkChanged();
}

void KeySlot::SetBlob(Blob* blob, int64_t expiry) {
  const bool with_expiry = expiry != Entry::kNoExpiry;
  Entry* fresh = Entry::NewBlob(key_.name, blob, with_expiry);
  if (with_expiry) fresh->set_expiry(expiry);
  Put(fresh);
}

void KeySlot::PutUncounted(Entry* fresh) {
  assert(fresh->key() == key_.name);
  stripe_->lock.AssertHeld();
  if (fresh->access_clock() == 0) {
    // A key that is overwritten again and again is in use: it keeps its frequency.
    fresh->set_access_clock(
        entry_ == nullptr
            ? store_->NewAccessClock(*stripe_, key_.hash, context_->now_ms)
            : store_->access_tracking_.Accessed(entry_->access_clock(), context_->now_ms));
  }
  if (entry_ == nullptr) {
    if (database_ == nullptr) {
      database_ = stripe_->FindOrCreate(physical_database_, store_->databases_);
    }
    position_ = database_->table.Insert(key_.hash, fresh);
    version_ = database_->table.version();
    Notify(kNotifyNew, "new");
  } else {
    if (entry_->has_expiry_field()) {
      --database_->expiring;
      // A handle that is out for the old value will do for the new one if it fires early enough.
      if (entry_->armed() && fresh->has_expiry_field() && fresh->expiry() >= entry_->expiry() &&
          fresh->expiry() <= Entry::kMaxWheelExpiry) {
        fresh->Arm(entry_->armed_tick());
      }
    }
    if (entry_->HasExpiringElements()) --database_->expiring_elements;
    RenewPosition();
    database_->table.SetNode(position_, fresh);
    Discard(entry_);
  }
  entry_ = fresh;
  fresh->set_epoch(stripe_->epoch);
  if (fresh->has_expiry_field()) {
    ++database_->expiring;
    if (!fresh->armed()) ArmFor(fresh->expiry());
  }
  if (fresh->is_object()) {
    // A handle that is out for its elements names the place that it came from.
    BigValue* const object = fresh->object();
    object->set_armed_tick(BigValue::kNotArmed);
    if (object->picture() != nullptr) [[unlikely]]
      object->picture()->MovedTo(store_->StripeIndex(key_.hash));
    if (fresh->HasExpiringElements()) ElementExpiryChanged(/*had=*/false);
  }
  if (stripe_->observers != nullptr) [[unlikely]] {
    NoteReady();
    TouchWatchers();
  }
}

// Whoever holds the lock serves those who wait for this key before he releases it.
void KeySlot::NoteReady() {
  stripe_->lock.AssertHeld();
  if (stripe_->observers->waiters.Find(logical_database_, key_.hash, key_.name) == nullptr) return;
  context_->ready.push_back({logical_database_, key_.hash, std::string(key_.name)});
}

void KeySlot::TouchWatchers(bool by_client) {
  stripe_->lock.AssertHeld();
  stripe_->observers->watchers.Touch(logical_database_, key_.hash, key_.name);
  store_->Invalidate(*context_, stripe_, key_, by_client);
}

void KeySlot::PutObject(ValueType type, BigValue* object, int64_t expiry) {
  const bool with_expiry = expiry != Entry::kNoExpiry;
  Entry* fresh = Entry::NewObject(key_.name, type, object, with_expiry);
  if (with_expiry) fresh->set_expiry(expiry);
  PutUncounted(fresh);
}

char* KeySlot::ResizePacked(size_t bytes) {
  BeforeChange();
  SetMoved(Entry::ResizeInline(entry_, bytes));
  return entry_->inline_value_data();
}

void KeySlot::BecomeObject(BigValue* object) {
  BeforeChange();
  SetMoved(Entry::ResizeInline(entry_, sizeof(object)));
  entry_->set_collection_encoding(CollectionEncoding::kObject);
  entry_->set_object(object);
}

void KeySlot::DeleteObject(BigValue* object) {
  if (object->picture() != nullptr) [[unlikely]]
    return object->picture()->TakeOver(object);
  delete object;
}

char* KeySlot::BecomePacked(CollectionEncoding encoding, size_t bytes) {
  BeforeChange();
  SetMoved(Entry::ResizeInline(entry_, bytes));
  entry_->set_collection_encoding(encoding);
  return entry_->inline_value_data();
}

void KeySlot::ChangeInteger(int64_t value) {
  assert(entry_->string_encoding() == StringEncoding::kInteger);
  BeforeChange();
  entry_->set_integer(value);
  MarkChanged();
}

void KeySlot::SetMoved(Entry* moved) {
  if (moved == entry_) return;
  RenewPosition();
  database_->table.SetNode(position_, moved);
  entry_ = moved;
}

Entry* KeySlot::Take() {
  if (entry_ == nullptr) return nullptr;
  BeforeChange();
  return RemoveChanged();
}

// Expects an entry.
Entry* KeySlot::RemoveChanged() {
  Entry* entry = entry_;
  Remove();
  MarkChanged();
  return entry;
}

bool KeySlot::Delete() {
  if (entry_ == nullptr) return false;
  Discard(RemoveChanged());
  return true;
}

bool KeySlot::Unlink() {
  if (entry_ == nullptr) return false;
  Entry* const entry = RemoveChanged();
  const bool tiny = entry->MemoryBytes() < Blob::kMinBytes;
  store_->Discard({stripe_, physical_database_,
                   tiny ? Store::Discarded::kReplaced : Store::Discarded::kUnlinked},
                  *context_, entry);
  return true;
}

void KeySlot::SetExpiry(int64_t unix_ms) {
  BeforeChange();
  if (!entry_->has_expiry_field()) {
    SetMoved(Entry::WithExpiryField(entry_, true));
    ++database_->expiring;
    entry_->set_expiry(unix_ms);
    ArmFor(unix_ms);
  } else {
    StoreExpiry(unix_ms);
  }
  MarkChanged();
}

bool KeySlot::Persist() {
  if (entry_ == nullptr || !entry_->has_expiry_field()) return false;
  BeforeChange();
  SetMoved(Entry::WithExpiryField(entry_, false));
  --database_->expiring;
  MarkChanged();
  return true;
}

// Takes the entry out of the table, without freeing it.
void KeySlot::Remove() {
  if (entry_->has_expiry_field()) --database_->expiring;
  if (entry_->HasExpiringElements()) --database_->expiring_elements;
  RenewPosition();
  database_->table.Erase(key_.hash, position_);
  position_ = {};
  entry_ = nullptr;
}

void KeySlot::Discard(Entry* entry) {
  store_->Discard({stripe_, physical_database_, Store::Discarded::kReplaced}, *context_, entry);
}

void KeySlot::KeepForSnapshot() {
  store_->KeepForSnapshot(stripe_, physical_database_, *context_, entry_);
}

// Expects the expiry field. Keeps the handle that is out if it fires no later than the new expiry.
void KeySlot::StoreExpiry(int64_t unix_ms) {
  bool keep = false;
  if (entry_->armed()) {
    // The handle's full tick is the latest one, not after the old expiry's, with its low 16 bits.
    const int64_t old_tick = TimingWheel::TickOf(entry_->expiry());
    const int64_t armed = old_tick - ((old_tick - entry_->armed_tick()) & 0xffff);
    keep = armed <= TimingWheel::TickOf(unix_ms);
  }
  entry_->set_expiry(unix_ms);
  if (!keep) ArmFor(unix_ms);
}

void KeySlot::ElementExpiryChanged(bool had) {
  const bool has = entry_->HasExpiringElements();
  if (had && !has) --database_->expiring_elements;
  if (!had && has) ++database_->expiring_elements;
  if (has) ArmElements();
}

// Expects elements with an expiry. A handle that fires no later than the earliest of them will do.
void KeySlot::ArmElements() {
  BigValue* const object = entry_->object();
  const int64_t next = object->NextExpiry();
  if (next > Entry::kMaxWheelExpiry) return;
  const int64_t tick = TimingWheel::TickOf(next);
  const int64_t armed = object->armed_tick();
  if (armed != BigValue::kNotArmed && armed <= tick) return;
  object->set_armed_tick(store_->Arm(key_.hash, physical_database_, tick));
}

void KeySlot::ArmFor(int64_t unix_ms) {
  if (unix_ms > Entry::kMaxWheelExpiry) return;
  const int64_t tick = store_->Arm(key_.hash, physical_database_, TimingWheel::TickOf(unix_ms));
  entry_->Arm(static_cast<uint16_t>(tick));
}

}  // namespace spinel
