#include "storage/blob.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

namespace spinel {

Blob* Blob::Create(size_t size, size_t capacity) {
  capacity = std::max(size, capacity);
  if (capacity > std::numeric_limits<size_t>::max() - sizeof(Blob)) return nullptr;
  void* block = std::malloc(sizeof(Blob) + capacity);
  return block == nullptr ? nullptr : new (block) Blob(sizeof(Blob), size, capacity);
}

Blob* Blob::Copy(std::string_view bytes, size_t capacity) {
  Blob* blob = Create(bytes.size(), capacity);
  if (blob != nullptr && !bytes.empty()) std::memcpy(blob->data(), bytes.data(), bytes.size());
  return blob;
}

Blob* Blob::Adopt(void* block, uint32_t offset, size_t size, size_t capacity) {
  return new (block) Blob(offset, size, capacity);
}

void Blob::Free() {
  this->~Blob();
  std::free(this);
}

Blob* TakeOrCopy(BlobSource* source, std::string_view bytes) {
  Blob* const taken = source == nullptr ? nullptr : source->Take(bytes);
  return taken != nullptr ? taken : Blob::Copy(bytes);
}

}  // namespace spinel
