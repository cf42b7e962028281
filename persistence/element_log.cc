#include "persistence/element_log.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "persistence/rdb_format.h"
#include "persistence/rdb_string.h"
#include "storage/blob.h"

namespace spinel {
namespace {

constexpr size_t kFirstBlock = 2 * 1024;
constexpr size_t kBlock = 64 * 1024;
constexpr uint64_t kIsBlob = uint64_t{1} << 63;  // set in a length: the bytes are a pointer

template <typename Number>
void AppendNumber(std::string* block, Number number) {
  block->append(reinterpret_cast<const char*>(&number), sizeof(number));
}

template <typename Number>
Number ReadNumber(const char** at) {
  Number number;
  std::memcpy(&number, *at, sizeof(number));
  *at += sizeof(number);
  return number;
}

std::string_view ReadBytes(const char** at) {
  const auto size = ReadNumber<uint64_t>(at);
  if ((size & kIsBlob) != 0) return ReadNumber<const Blob*>(at)->view();
  const std::string_view bytes(*at, size);
  *at += size;
  return bytes;
}

}  // namespace

void ElementLog::Add(const PictureElement& element) {
  const size_t value_bytes = element.blob != nullptr ? sizeof(Blob*) : element.value.size();
  const size_t need = 4 * sizeof(uint64_t) + element.name.size() + value_bytes;
  if (blocks_.empty() || blocks_.back().capacity() - blocks_.back().size() < need) {
    const size_t room = std::max(need, blocks_.empty() ? kFirstBlock : kBlock);
    blocks_.emplace_back().reserve(room);
    bytes_ += room;
  }
  std::string* const block = &blocks_.back();
  ++count_;
  copied_bytes_ += need;
  AppendNumber(block, uint64_t{element.name.size()});
  block->append(element.name);
  if (form_ == Form::kScored) AppendNumber(block, element.score);
  if (form_ != Form::kField && form_ != Form::kExpiringField) return;
  if (element.blob != nullptr) {
    element.blob->AddRef();
    blobs_.push_back(element.blob);
    bytes_ += element.blob->MemoryBytes();
    AppendNumber(block, kIsBlob);
    AppendNumber(block, element.blob);
  } else {
    AppendNumber(block, uint64_t{element.value.size()});
    block->append(element.value);
  }
  if (form_ == Form::kExpiringField) AppendNumber(block, element.expiry);
}

void ElementLog::WriteTo(ByteSink* sink, bool compress) const {
  static_assert(Entry::kNoExpiry == kRdbNoFieldExpiry);
  for (const std::string& block : blocks_) {
    for (const char* at = block.data(); at != block.data() + block.size();) {
      WriteRdbString(sink, ReadBytes(&at), compress);
      if (form_ == Form::kScored) sink->Raw(ReadNumber<double>(&at));
      if (form_ != Form::kField && form_ != Form::kExpiringField) continue;
      WriteRdbString(sink, ReadBytes(&at), compress);
      if (form_ == Form::kExpiringField) sink->Raw(ReadNumber<int64_t>(&at));
    }
  }
}

void ElementLog::Clear() {
  for (Blob* const blob : blobs_) blob->Release();
  blobs_.clear();
  blocks_.clear();
  count_ = 0;
  bytes_ = 0;
  copied_bytes_ = 0;
}

void ElementLog::Swap(ElementLog* other) {
  std::swap(form_, other->form_);
  std::swap(count_, other->count_);
  std::swap(bytes_, other->bytes_);
  std::swap(copied_bytes_, other->copied_bytes_);
  blocks_.swap(other->blocks_);
  blobs_.swap(other->blobs_);
}

}  // namespace spinel
