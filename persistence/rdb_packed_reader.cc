// The forms in which a collection, or a part of a list, is one string.
#include <charconv>
#include <cmath>

#include "persistence/intset.h"
#include "persistence/listpack.h"
#include "persistence/rdb_value_reader.h"
#include "persistence/ziplist.h"
#include "persistence/zipmap.h"

namespace spinel {

template <typename Cursor>
bool RdbValueReader::AddToList(ListBuilder* list) {
  char room[kIntegerChars];
  Cursor cursor(string_.bytes());
  for (PackedItem item; cursor.Next(&item);) list->Add(item.Bytes(room));
  return cursor.expected() == nullptr || input_->FailIn(string_, cursor);
}

template <typename Cursor>
bool RdbValueReader::AddToSet() {
  if (!input_->String(&string_)) return false;
  SetBuilder set(options_.limits.set, SetBuilder::Elements::kUnchecked);
  Cursor cursor(string_.bytes());
  for (PackedItem item; cursor.Next(&item);) {
    set.Add(item.is_integer ? SetElement(item.integer) : SetElement(item.text));
  }
  if (cursor.expected() != nullptr) return input_->FailIn(string_, cursor);
  return FinishSet(&set);
}

bool RdbValueReader::PackedScoreOf(const PackedItem& item, double* score) {
  if (item.is_integer) {
    *score = static_cast<double>(item.integer);
    return true;
  }
  const char* const end = item.text.data() + item.text.size();
  const auto [stop, error] = std::from_chars(item.text.data(), end, *score);
  if (!item.text.empty() && error == std::errc() && stop == end && !std::isnan(*score)) return true;
  return input_->FailAt(string_.offset(), "scores that are numbers");
}

template <typename Cursor>
bool RdbValueReader::AddToZset() {
  if (!input_->String(&string_)) return false;
  ZsetBuilder zset(options_.limits.zset);
  char room[kIntegerChars];
  Cursor cursor(string_.bytes());
  for (PackedItem member; cursor.Next(&member);) {
    PackedItem score;
    double number;
    if (!cursor.Next(&score)) {
      if (cursor.expected() != nullptr) break;
      return input_->FailAt(string_.offset(), "a score for each member");
    }
    if (!PackedScoreOf(score, &number)) return false;
    zset.Add(number, member.Bytes(room));
  }
  if (cursor.expected() != nullptr) return input_->FailIn(string_, cursor);
  return FinishZset(&zset);
}

template <typename Cursor>
bool RdbValueReader::AddToHash() {
  if (!input_->String(&string_)) return false;
  HashBuilder hash(options_.limits.hash, 0);
  char name_room[kIntegerChars];
  char value_room[kIntegerChars];
  Cursor cursor(string_.bytes());
  for (PackedItem name; cursor.Next(&name);) {
    PackedItem value;
    if (!cursor.Next(&value)) {
      if (cursor.expected() != nullptr) break;
      return input_->FailAt(string_.offset(), "a value for each field");
    }
    const HashField::Value bytes{value.Bytes(value_room)};
    if (!AddField(&hash, name.Bytes(name_room), bytes, Entry::kNoExpiry)) return false;
  }
  if (cursor.expected() != nullptr) return input_->FailIn(string_, cursor);
  return FinishHash(&hash);
}

bool RdbValueReader::ReadPackedList() {
  if (!input_->String(&string_)) return false;
  ListBuilder list(options_.limits.list);
  return AddToList<ZiplistCursor>(&list) && FinishList(&list);
}

bool RdbValueReader::ReadQuicklist() {
  uint64_t nodes;
  if (!input_->Count(1, &nodes)) return false;
  ListBuilder list(options_.limits.list);
  for (; nodes > 0; --nodes) {
    if (!input_->String(&string_) || !AddToList<ZiplistCursor>(&list)) return false;
  }
  return FinishList(&list);
}

bool RdbValueReader::ReadQuicklist2() {
  uint64_t nodes;
  if (!input_->Count(2, &nodes)) return false;
  ListBuilder list(options_.limits.list);
  for (; nodes > 0; --nodes) {
    uint64_t container;
    if (!input_->Length(&container)) return false;
    if (container != kQuicklistPlain && container != kQuicklistPacked) {
      return input_->Fail("a node of a list, plain (1) or packed (2)");
    }
    if (!input_->String(&string_)) return false;
    if (container == kQuicklistPlain) {
      list.Add(string_.bytes());
    } else if (!AddToList<ListpackCursor>(&list)) {
      return false;
    }
  }
  return FinishList(&list);
}

bool RdbValueReader::ReadIntset() { return AddToSet<IntsetCursor>(); }

bool RdbValueReader::ReadPackedSet() { return AddToSet<ListpackCursor>(); }

bool RdbValueReader::ReadPackedZset(bool ziplist) {
  return ziplist ? AddToZset<ZiplistCursor>() : AddToZset<ListpackCursor>();
}

bool RdbValueReader::ReadPackedHash(uint8_t type) {
  switch (static_cast<RdbType>(type)) {
    case RdbType::kHashZipmap:
      return AddToHash<ZipmapCursor>();
    case RdbType::kHashZiplist:
      return AddToHash<ZiplistCursor>();
    default:
      return AddToHash<ListpackCursor>();
  }
}

// Name, value, expiry by turns; an expiry is Unix ms, or 0 for none. The base is for others' use.
bool RdbValueReader::ReadExpiringListpack(bool with_base) {
  int64_t base;
  if (with_base && !input_->Number("a hash's earliest expiry", &base)) return false;
  if (!input_->String(&string_)) return false;
  HashBuilder hash(options_.limits.hash, 0);
  char name_room[kIntegerChars];
  char value_room[kIntegerChars];
  ListpackCursor cursor(string_.bytes());
  for (PackedItem name; cursor.Next(&name);) {
    PackedItem value;
    PackedItem expiry;
    if (!cursor.Next(&value) || !cursor.Next(&expiry)) {
      if (cursor.expected() != nullptr) break;
      return input_->FailAt(string_.offset(), "a value and an expiry for each field");
    }
    if (!expiry.is_integer || expiry.integer < 0) {
      return input_->FailAt(string_.offset(), "expiries that are numbers");
    }
    const HashField::Value bytes{value.Bytes(value_room)};
    if (!AddField(&hash, name.Bytes(name_room), bytes,
                  expiry.integer == 0 ? Entry::kNoExpiry : expiry.integer)) {
      return false;
    }
  }
  if (cursor.expected() != nullptr) return input_->FailIn(string_, cursor);
  return FinishHash(&hash);
}

}  // namespace spinel
