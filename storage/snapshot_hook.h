// What the store tells a snapshot that is being taken of it (persistence/snapshot.h), so that the
// snapshot can keep what is about to change. See docs/snapshots.md.
//
// Every call but those of a Snapshot's own thread is made under the lock of the key's stripe, and
// returns quickly: it copies at most a small value.
//
// Owner: the snapshot. It stays attached (Store::BeginSnapshot) until Store::EndSnapshot.
#pragma once

#include <cstdint>

#include "storage/entry.h"
#include "storage/stripe.h"
#include "storage/value_picture.h"

namespace spinel {

struct OpContext;

class SnapshotHook {
 public:
  virtual ~SnapshotHook() = default;
  // An entry that is not yet in the picture is about to change, or to be given to somebody: keeps
  // it as it is now. The entry stays the caller's.
  virtual void Keep(const OpContext& context, uint32_t stripe, int physical, Entry* entry) = 0;
  // The same for an entry that has been taken out of the keyspace for good: takes it over.
  virtual void TakeEntry(const OpContext& context, int physical, Entry* entry) = 0;
  // Takes over a table that has been taken out, and its entries, in the picture or not.
  virtual void TakeTable(int physical, Keyspace&& table) = 0;
};

}  // namespace spinel
