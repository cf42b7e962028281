// The seeded hash of a key. The seed is drawn from the system at start, so that nobody outside can
// choose keys that collide. XXH3 with a secret (https://xxhash.com, BSD library).
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace spinel {

class KeyHasher {
 public:
  // A random secret.
  KeyHasher();

  uint64_t operator()(std::string_view bytes) const {
    return XXH3_64bits_withSecret(bytes.data(), bytes.size(), secret_.data(), secret_.size());
  }

 private:
  std::array<uint8_t, XXH3_SECRET_DEFAULT_SIZE> secret_;
};

// The process-wide hasher: drawn once, before any thread is started, never changed.
extern const KeyHasher kKeyHasher;

}  // namespace spinel
