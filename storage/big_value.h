// A collection too big to lie in its entry: what hashes, sets, sorted sets and lists become once they
// outgrow the packed form. Each type derives its own.
//
// Owner: its Entry. Threads: under the stripe's lock, except the destructor and, once the entry has
// been taken out of the keyspace, everything else: the Reclaimer destroys big ones on its thread.
#pragma once

#include <cstddef>

namespace spinel {

class BigValue {
 public:
  // With more elements the destructor takes long enough to belong on the Reclaimer.
  static constexpr size_t kSlowToFree = 64;

  BigValue() = default;
  virtual ~BigValue() = default;
  BigValue(const BigValue&) = delete;
  BigValue& operator=(const BigValue&) = delete;

  // Elements: fields, members, items.
  virtual size_t size() const = 0;
  // Heap bytes with everything that belongs to the value; constant time.
  virtual size_t MemoryBytes() const = 0;
  // A copy that shares nothing.
  virtual BigValue* Clone() const = 0;
};

}  // namespace spinel
