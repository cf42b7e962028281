#include "storage/key_hash.h"

#include <sys/random.h>

#include <random>

namespace spinel {

KeyHasher::KeyHasher() {
  size_t filled = 0;
  while (filled < secret_.size()) {
    const ssize_t got = getrandom(secret_.data() + filled, secret_.size() - filled, 0);
    if (got <= 0) break;
    filled += static_cast<size_t>(got);
  }
  if (filled < secret_.size()) {
    std::random_device device;
    for (; filled < secret_.size(); ++filled) secret_[filled] = static_cast<uint8_t>(device());
  }
}

const KeyHasher kKeyHasher;

}  // namespace spinel
