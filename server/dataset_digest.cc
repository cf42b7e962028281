#include "server/dataset_digest.h"

#include <fmt/format.h>

#include "server/sha1.h"
#include "storage/hash_value.h"
#include "storage/list_value.h"
#include "storage/set_value.h"
#include "storage/string_value.h"
#include "storage/zset_value.h"

namespace spinel {
namespace {

// Parts are either added, so that their order does not matter, or mixed, so that it does.
class Digest {
 public:
  void Add(std::string_view part) {
    const Sha1Digest other = Sha1(part);
    for (size_t i = 0; i < bytes_.size(); ++i) bytes_[i] ^= other[i];
  }
  void Mix(std::string_view part) {
    Add(part);
    bytes_ = Sha1(bytes());
  }
  // A number, as four bytes with the highest first.
  void Mix(uint32_t number) {
    const char bytes[] = {static_cast<char>(number >> 24), static_cast<char>(number >> 16),
                          static_cast<char>(number >> 8), static_cast<char>(number)};
    Mix({bytes, sizeof(bytes)});
  }
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  std::string Hex() const {
    std::string text;
    for (const uint8_t byte : bytes_) text += fmt::format("{:02x}", byte);
    return text;
  }

 private:
  Sha1Digest bytes_{};
};

void MixString(const Entry& entry, Digest* digest) {
  IntegerText text;
  digest->Mix(StringBytes(entry, &text));
}

void MixList(const Entry& entry, Digest* digest) {
  ListView(entry).ForEach([digest](std::string_view element) { digest->Mix(element); });
}

void MixSet(const Entry& entry, Digest* digest) {
  SetView(entry).ForEach([digest](std::string_view member) { digest->Add(member); });
}

// Scores in Redis 7.0's spelling, 17 digits.
void MixSortedSet(const Entry& entry, Digest* digest) {
  ZsetView(entry).ForEach([digest](const ScoredMember& scored) {
    Digest pair;
    pair.Mix(scored.member);
    pair.Mix(fmt::format("{:.17g}", scored.score));
    digest->Add(pair.bytes());
  });
}

void MixHash(const Entry& entry, int64_t now_ms, Digest* digest) {
  HashView(entry, now_ms).ForEach([digest](const HashItem& item) {
    Digest field;
    field.Mix(item.name);
    field.Mix(item.value.bytes);
    digest->Add(field.bytes());
  });
}

void MixValue(const Entry& entry, int64_t now_ms, Digest* digest) {
  digest->Mix(static_cast<uint32_t>(entry.type()));  // Redis' numbers are the same
  switch (entry.type()) {
    case ValueType::kString:
      MixString(entry, digest);
      break;
    case ValueType::kList:
      MixList(entry, digest);
      break;
    case ValueType::kSet:
      MixSet(entry, digest);
      break;
    case ValueType::kSortedSet:
      MixSortedSet(entry, digest);
      break;
    case ValueType::kHash:
      MixHash(entry, now_ms, digest);
      break;
    default:
      break;
  }
  if (entry.expiry() != Entry::kNoExpiry) digest->Add("!!expire!!");
}

}  // namespace

std::string ValueDigest(const Entry& entry, int64_t now_ms) {
  Digest digest;
  MixValue(entry, now_ms, &digest);
  return digest.Hex();
}

std::string DatasetDigest(Store* store, const OpContext& context) {
  Digest all;
  for (int database = 0; database < store->databases(); ++database) {
    if (store->Size(database) == 0) continue;
    all.Mix(static_cast<uint32_t>(database));
    store->ForEach(context, database, [&](const Entry& entry) {
      Digest digest;
      digest.Mix(entry.key());
      MixValue(entry, context.now_ms, &digest);
      all.Add(digest.bytes());
    });
  }
  return all.Hex();
}

std::string EmptyDigest() { return Digest().Hex(); }

}  // namespace spinel
