#include "persistence/rdb_value_reader.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "persistence/module_data.h"

namespace spinel {

std::string_view RdbTypeName(uint8_t type) {
  switch (static_cast<RdbType>(type)) {
    case RdbType::kString:
      return "string";
    case RdbType::kList:
    case RdbType::kListZiplist:
    case RdbType::kListQuicklist:
    case RdbType::kListQuicklist2:
      return "list";
    case RdbType::kSet:
    case RdbType::kSetIntset:
    case RdbType::kSetListpack:
      return "set";
    case RdbType::kZsetText:
    case RdbType::kZset:
    case RdbType::kZsetZiplist:
    case RdbType::kZsetListpack:
      return "sorted set";
    case RdbType::kHash:
    case RdbType::kHashZipmap:
    case RdbType::kHashZiplist:
    case RdbType::kHashListpack:
    case RdbType::kHashExpiring:
    case RdbType::kHashListpackExPreGa:
    case RdbType::kHashMetadata:
    case RdbType::kHashListpackEx:
      return "hash";
    case RdbType::kModulePreGa:
    case RdbType::kModule:
      return "module value";
    case RdbType::kStream1:
    case RdbType::kStream2:
    case RdbType::kStream3:
      return "stream";
  }
  return "value of an unknown type";
}

RdbValueReader::Outcome RdbValueReader::Read(uint8_t type, std::string_view key, int64_t expiry,
                                             EntryPtr* entry) {
  key_ = key;
  expiry_ = expiry;
  left_out_ = false;
  entry_.reset();
  if (!ReadForm(type)) return Outcome::kFailed;
  if (entry_ == nullptr) return left_out_ ? Outcome::kExpired : Outcome::kEmpty;
  *entry = std::move(entry_);
  return Outcome::kValue;
}

bool RdbValueReader::ReadForm(uint8_t type) {
  switch (static_cast<RdbType>(type)) {
    case RdbType::kString:
      return ReadString();
    case RdbType::kList:
      return ReadList();
    case RdbType::kSet:
      return ReadSet();
    case RdbType::kZsetText:
    case RdbType::kZset:
      return ReadZset(static_cast<RdbType>(type) == RdbType::kZsetText);
    case RdbType::kHash:
      return ReadHash(/*with_expiries=*/false);
    case RdbType::kListZiplist:
      return ReadPackedList();
    case RdbType::kListQuicklist:
      return ReadQuicklist();
    case RdbType::kListQuicklist2:
      return ReadQuicklist2();
    case RdbType::kSetIntset:
      return ReadIntset();
    case RdbType::kSetListpack:
      return ReadPackedSet();
    case RdbType::kZsetZiplist:
    case RdbType::kZsetListpack:
      return ReadPackedZset(static_cast<RdbType>(type) == RdbType::kZsetZiplist);
    case RdbType::kHashZipmap:
    case RdbType::kHashZiplist:
    case RdbType::kHashListpack:
      return ReadPackedHash(type);
    default:
      break;
  }
  if (options_.version >= kRdbVersionValkey &&
      static_cast<RdbType>(type) == RdbType::kHashExpiring) {
    return ReadHash(/*with_expiries=*/true);
  }
  if (options_.version != kRdbVersionLastRedis) return Refuse(type);
  switch (static_cast<RdbType>(type)) {
    case RdbType::kHashExpiring:  // Redis 7.4's candidates
    case RdbType::kHashMetadata:
      return ReadHashMetadata(static_cast<RdbType>(type) == RdbType::kHashMetadata);
    case RdbType::kHashListpackExPreGa:
    case RdbType::kHashListpackEx:
      return ReadExpiringListpack(static_cast<RdbType>(type) == RdbType::kHashListpackEx);
    default:
      return Refuse(type);
  }
}

bool RdbValueReader::Refuse(uint8_t type) {
  const uint64_t offset = input_->source()->offset();
  switch (static_cast<RdbType>(type)) {
    case RdbType::kModule: {
      uint64_t id;
      if (!input_->Length(&id)) return false;
      return input_->FailWith(
          fmt::format("offset {}: a value of the module type {}, which this server has not", offset,
                      ModuleTypeName(id)));
    }
    case RdbType::kModulePreGa:
      return input_->FailWith(
          fmt::format("offset {}: a module value, which this server cannot hold", offset));
    case RdbType::kStream1:
    case RdbType::kStream2:
    case RdbType::kStream3:
      return input_->FailWith(
          fmt::format("offset {}: a stream, which this server cannot hold", offset));
    default:
      return input_->FailWith(fmt::format("offset {}: expected a type of RDB version {}, not {}",
                                          offset, options_.version, type));
  }
}

// -- Finishing
// -------------------------------------------------------------------------------------

bool RdbValueReader::FailBuild(BuildError error) {
  if (error == BuildError::kNoMemory) {
    return input_->FailWith(
        fmt::format("offset {}: no memory for a value", input_->source()->offset()));
  }
  return input_->FailAt(input_->source()->offset(), "elements that are all different in front");
}

bool RdbValueReader::FinishList(ListBuilder* list) {
  if (list->size() > 0) entry_ = list->Finish(key_, expiry_);
  return true;
}

bool RdbValueReader::FinishSet(SetBuilder* set) {
  if (set->size() == 0) return true;
  entry_.reset(set->Build(key_, expiry_));
  return entry_ != nullptr || FailBuild(BuildError::kRepeated);
}

bool RdbValueReader::FinishZset(ZsetBuilder* zset) {
  if (zset->size() == 0) return true;
  entry_ = zset->Finish(key_, expiry_);
  return entry_ != nullptr || FailBuild(zset->error());
}

bool RdbValueReader::FinishHash(HashBuilder* hash) {
  if (hash->size() == 0) return true;
  entry_ = hash->Finish(key_, expiry_);
  return entry_ != nullptr || FailBuild(hash->error());
}

bool RdbValueReader::AddField(HashBuilder* hash, std::string_view name,
                              const HashField::Value& value, int64_t expiry) {
  if (expiry != Entry::kNoExpiry && options_.now_ms > 0 && expiry < options_.now_ms) {
    left_out_ = true;
    if (value.blob != nullptr) value.blob->Release();
    return true;
  }
  return hash->Add(name, value, expiry) || FailBuild(hash->error());
}

// -- Strings, and elements one by one
// --------------------------------------------------------------

bool RdbValueReader::ReadString() {
  if (!input_->Value(&string_)) return false;
  entry_ = string_.blob() != nullptr ? BuildBlob(key_, string_.TakeBlob(), expiry_)
                                     : BuildString(key_, string_.bytes(), expiry_);
  return true;
}

bool RdbValueReader::ReadList() {
  uint64_t count;
  if (!input_->Count(1, &count)) return false;
  ListBuilder list(options_.limits.list);
  for (; count > 0; --count) {
    if (!input_->String(&string_)) return false;
    list.Add(string_.bytes());
  }
  return FinishList(&list);
}

bool RdbValueReader::ReadSet() {
  uint64_t count;
  if (!input_->Count(1, &count)) return false;
  SetBuilder set(options_.limits.set, SetBuilder::Elements::kUnchecked);
  for (; count > 0; --count) {
    if (!input_->String(&string_)) return false;
    set.Add(SetElement(string_.bytes()));
  }
  return FinishSet(&set);
}

bool RdbValueReader::ReadScore(bool text, double* score) {
  if (!text) {
    if (!input_->Number("a score", score)) return false;
    return !std::isnan(*score) || input_->Fail("a score that is a number");
  }
  uint8_t length;
  if (!input_->Byte(&length)) return false;
  if (length == kRdbScoreNan) return input_->Fail("a score that is a number");
  if (length >= kRdbScoreInfinity) {
    *score = std::numeric_limits<double>::infinity() * (length == kRdbScoreInfinity ? 1 : -1);
    return true;
  }
  const uint64_t offset = input_->item_offset();
  const char* const digits = input_->source()->Take(length);
  if (digits == nullptr) return input_->Fail("a score");
  const auto [end, error] = std::from_chars(digits, digits + length, *score);
  if (length == 0 || error != std::errc() || end != digits + length || std::isnan(*score)) {
    return input_->FailAt(offset, "a score");
  }
  return true;
}

bool RdbValueReader::ReadZset(bool text_scores) {
  uint64_t count;
  if (!input_->Count(2, &count)) return false;
  ZsetBuilder zset(options_.limits.zset);
  for (; count > 0; --count) {
    if (!input_->String(&string_)) return false;
    name_ = string_.bytes();
    double score;
    if (!ReadScore(text_scores, &score)) return false;
    zset.Add(score, name_);
  }
  return FinishZset(&zset);
}

bool RdbValueReader::ReadHash(bool with_expiries) {
  uint64_t count;
  if (!input_->Count(with_expiries ? 10 : 2, &count)) return false;
  HashBuilder hash(options_.limits.hash, count);
  for (; count > 0; --count) {
    if (!input_->String(&string_)) return false;
    name_ = string_.bytes();
    if (!input_->Value(&string_)) return false;
    if (!with_expiries) {
      const HashField::Value value{string_.bytes(), string_.TakeBlob()};
      if (!AddField(&hash, name_, value, Entry::kNoExpiry)) return false;
      continue;
    }
    // The expiry is behind the value, whose bytes may be gone when it is read.
    std::string kept;
    HashField::Value value{string_.bytes(), string_.blob()};
    if (value.blob == nullptr) {
      kept = string_.bytes();
      value.bytes = kept;
    }
    int64_t expiry;
    if (!input_->Number("a field's expiry", &expiry)) return false;
    if (expiry < kRdbNoFieldExpiry) return input_->Fail("a field's expiry");
    static_cast<void>(string_.TakeBlob());
    if (!AddField(&hash, name_, value, expiry)) return false;
  }
  return FinishHash(&hash);
}

// Each field's expiry is in front of it, as 0 for none or counted from the earliest, beginning with
// 1, or, without that base, as it is.
bool RdbValueReader::ReadHashMetadata(bool with_base) {
  int64_t base = 1;
  if (with_base && !input_->Number("a hash's earliest expiry", &base)) return false;
  if (base < 0) return input_->Fail("a hash's earliest expiry");
  uint64_t count;
  if (!input_->Count(3, &count)) return false;
  HashBuilder hash(options_.limits.hash, count);
  for (; count > 0; --count) {
    uint64_t after;
    if (!input_->Length(&after)) return false;
    const uint64_t expiry = static_cast<uint64_t>(base) - 1 + after;
    if (after > INT64_MAX || (after > 0 && expiry > INT64_MAX)) {
      return input_->Fail("a field's expiry");
    }
    if (!input_->String(&string_)) return false;
    name_ = string_.bytes();
    if (!input_->Value(&string_)) return false;
    const HashField::Value value{string_.bytes(), string_.TakeBlob()};
    if (!AddField(&hash, name_, value,
                  after == 0 ? Entry::kNoExpiry : static_cast<int64_t>(expiry))) {
      return false;
    }
  }
  return FinishHash(&hash);
}

}  // namespace spinel
