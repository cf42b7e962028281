#include "tests/persistence/snapshot_support.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "storage/blob.h"
#include "storage/hash_value.h"
#include "storage/list_value.h"
#include "storage/set_value.h"
#include "storage/string_value.h"
#include "storage/zset_value.h"

namespace spinel::snapshot_test {
namespace {

constexpr HashLimits kHashLimits{8, 64};
constexpr SetLimits kSetLimits{16, 8, 64};
constexpr ZsetLimits kZsetLimits{8, 64};
constexpr int64_t kFarAway = kNow + 1'000'000'000;
constexpr int kKeysOfType = 12;  // of each size and type
constexpr size_t kBig = 1500;    // elements

std::string BigName(char type, size_t i) {
  return std::string(1, type) + "big" + std::to_string(i);
}

}  // namespace

Folder::Folder() {
  std::string pattern = std::filesystem::temp_directory_path() / "spinel-snapshot-XXXXXX";
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> Folder::Names() const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> Content(Store* store) {
  StoreStats stats;
  OpContext context(&stats);
  context.SetNow(kNow);
  std::vector<std::string> content;
  for (int database = 0; database < store->databases(); ++database) {
    store->ForEach(context, database, [&](const Entry& entry) {
      content.push_back(std::to_string(database) + ": " + rdb_test::Describe(entry));
    });
  }
  std::sort(content.begin(), content.end());
  return content;
}

std::vector<std::string> ContentOfFile(const std::string& path) {
  rdb_test::Loaded loaded = rdb_test::Load(ReadFile(path));
  REQUIRE(loaded.error == "");
  std::sort(loaded.keys.begin(), loaded.keys.end());
  return loaded.keys;
}

RandomChanges::RandomChanges(Store* store, uint64_t seed) : store_(store), random_(seed) {
  context_.SetNow(kNow);
}

std::string RandomChanges::Name() {
  const char type = "slhez"[Number(5)];
  if (Number(3) == 0) return BigName(type, Number(3));
  return std::string(1, type) + std::to_string(Number(kKeysOfType));
}

std::string RandomChanges::Text() {
  const std::string number = std::to_string(Number(3 * kBig));
  switch (Number(8)) {
    case 0:
      return number;
    case 1:
      return number + std::string(Number(100), 'x');
    default:
      return "element" + number;
  }
}

void RandomChanges::Fill() {
  for (int i = 0; i < 600; ++i) Change(false);
  for (size_t i = 0; i < 3; ++i) {
    for (const char type : {'s', 'l', 'h', 'e', 'z'}) {
      const std::string name = BigName(type, i);
      WriteGuard slot = store_->Write(context_, static_cast<int>(i), Store::MakeKey(name));
      slot.Delete();
      for (size_t element = 0; element < kBig; ++element) {
        const std::string text = "element" + std::to_string(element);
        const std::string_view views[] = {text};
        if (type == 's') AppendString(&slot, std::string(100, 's'), nullptr);
        if (type == 'l') {
          const std::string longer = text + std::string(100, 'l');
          const std::string_view view = longer;
          ListValue(&slot, ListLimits(-2)).Push(ListEnd::kTail, {&view, 1});
        }
        if (type == 'h') HashEditor(&slot, kHashLimits).Set(text, {"value of " + text});
        if (type == 'e') AddMembers(&slot, views, kSetLimits);
        if (type == 'z') AddMember(&slot, kZsetLimits, {static_cast<double>(element), text}, {});
      }
    }
  }
}

void RandomChanges::Change(bool whole_databases) {
  if (whole_databases && Number(400) == 0) {
    return store_->Flush(context_, static_cast<int>(Number(kDatabases + 1)) - 1, Number(2) == 0);
  }
  if (whole_databases && Number(100) == 0) {
    return store_->SwapDatabases(context_, static_cast<int>(Number(kDatabases)),
                                 static_cast<int>(Number(kDatabases)));
  }
  if (Number(12) == 0) return ChangeTwoKeys();
  const std::string name = Name();
  WriteGuard slot =
      store_->Write(context_, static_cast<int>(Number(kDatabases)), Store::MakeKey(name));
  if (Number(10) == 0) return ChangeKey(&slot);
  switch (name[0]) {
    case 's':
      return ChangeString(&slot);
    case 'l':
      return ChangeList(&slot);
    case 'h':
      return ChangeHash(&slot);
    case 'e':
      return ChangeSet(&slot);
    default:
      return ChangeZset(&slot);
  }
}

void RandomChanges::ChangeString(KeySlot* slot) {
  if (slot->exists() && !slot->Is(ValueType::kString)) return Replace(slot);
  switch (Number(6)) {
    case 0:
      return slot->SetString(Text(), Number(3) == 0 ? kFarAway : Entry::kNoExpiry);
    case 1:
      return slot->SetInteger(static_cast<int64_t>(Number(1000)), Entry::kNoExpiry);
    case 2:
      return slot->SetBlob(Blob::Copy(std::string(Blob::kMinBytes + Number(100), 'b')),
                           Entry::kNoExpiry);
    case 3:
      OverwriteString(slot, Number(200), Text(), nullptr);
      return;
    case 4:
      if (slot->exists() && (*slot)->string_encoding() == StringEncoding::kInteger) {
        return slot->ChangeInteger((*slot)->integer() + 1);
      }
      [[fallthrough]];
    default:
      AppendString(slot, Text(), nullptr);
  }
}

void RandomChanges::ChangeList(KeySlot* slot) {
  if (slot->exists() && !slot->Is(ValueType::kList)) return Replace(slot);
  const ListLimits limits(-2, Number(4) == 0 ? 2000 : 0);
  ListValue list(slot, limits);
  const std::string text = Number(20) == 0 ? std::string(3000 + Number(20), 'L') : Text();
  const std::string_view element = text;
  const ListEnd end = Number(2) == 0 ? ListEnd::kHead : ListEnd::kTail;
  if (!slot->exists()) return list.Push(end, {&element, 1});
  const auto size = static_cast<int64_t>(list.size());
  const auto index = static_cast<int64_t>(Number(list.size()));
  switch (Number(10)) {
    case 0:
      return list.Remove(end, 1);
    case 1:
      return list.Remove(end, 1 + Number(Number(4) == 0 ? list.size() : 100));
    case 2:
      return Number(10) == 0
                 ? list.Trim(ListRange::Of(index / 2, size - 1 - index / 3, list.size()))
                 : list.Rotate(end);
    case 3:
      list.Set(index, element);
      return;
    case 4: {
      const std::string pivot(*ListView(*slot->entry()).At(index));
      list.Insert(Number(2) == 0, pivot, element);
      return;
    }
    case 5: {
      const std::string doomed(*ListView(*slot->entry()).At(index));
      list.RemoveMatches(end, doomed, 1 + Number(3));
      return;
    }
    case 6: {
      const std::vector<std::string_view> many(Number(300), element);
      if (!many.empty()) list.Push(end, many);
      return;
    }
    default:
      return list.Push(end, {&element, 1});
  }
}

void RandomChanges::ChangeHash(KeySlot* slot) {
  if (slot->exists() && !slot->Is(ValueType::kHash)) return Replace(slot);
  HashEditor hash(slot, kHashLimits);
  const std::string name = Text();
  switch (Number(6)) {
    case 0:
    case 1:
      hash.Delete(name);
      return;
    case 2:
      if (slot->exists()) hash.SetExpiry(name, Number(2) == 0 ? kFarAway : Entry::kNoExpiry);
      return;
    case 3: {
      const std::string big(Blob::kMinBytes, 'B');
      const std::string_view pair[] = {name, big};
      hash.SetAll(HashPairs(pair));
      return;
    }
    default:
      hash.Set(name, {Text()}, Number(3) == 0 ? kFarAway : HashEditor::kKeepExpiry);
  }
}

void RandomChanges::ChangeSet(KeySlot* slot) {
  if (slot->exists() && !slot->Is(ValueType::kSet)) return Replace(slot);
  const std::string text = Text();
  const std::string_view member = text;
  if (slot->exists() && Number(3) == 0) {
    RemoveMembers(slot, {&member, 1});
  } else if (slot->exists() && Number(6) == 0) {
    const size_t size = SetView(slot->entry()).size();
    PopMembers(slot, std::min(size, 1 + Number(Number(10) == 0 ? size : 5)), kSetLimits,
               [](const SetElement&) {});
  } else {
    AddMembers(slot, {&member, 1}, kSetLimits);
  }
}

void RandomChanges::ChangeZset(KeySlot* slot) {
  if (slot->exists() && !slot->Is(ValueType::kSortedSet)) return Replace(slot);
  const std::string member = Text();
  if (slot->exists() && Number(4) == 0) {
    RemoveMember(slot, member);
  } else if (slot->exists() && Number(10) == 0) {
    const uint64_t size = ZsetView(slot->entry()).size();
    const uint64_t begin = Number(size);
    RemoveRange(slot, {begin, std::min<uint64_t>(size - begin, Number(20))});
  } else {
    AddMember(slot, kZsetLimits, {static_cast<double>(Number(100)), member}, {});
  }
}

void RandomChanges::ChangeKey(KeySlot* slot) {
  switch (Number(6)) {
    case 0:
      slot->Delete();
      return;
    case 1:
      slot->Unlink();
      return;
    case 2:
      if (slot->exists()) slot->SetExpiry(kFarAway + static_cast<int64_t>(Number(10)));
      return;
    case 3:
      slot->Persist();
      return;
    default:
      return Replace(slot);
  }
}

void RandomChanges::Replace(KeySlot* slot) { slot->SetString(Text(), Entry::kNoExpiry); }

// RENAME, MOVE and COPY.
void RandomChanges::ChangeTwoKeys() {
  const std::string from_name = Name();
  const bool moves = Number(3) == 0;
  const std::string to_name = moves ? from_name : Name();
  const Key from = Store::MakeKey(from_name);
  const Key to = Store::MakeKey(to_name);
  const Key keys[] = {from, to};
  const int database = static_cast<int>(Number(kDatabases));
  const int other = moves ? (database + 1) % kDatabases : database;
  const MultiLock lock = store_->Lock(keys);
  KeySlot source = store_->Slot(context_, database, from);
  if (!source.exists() || (from_name == to_name && database == other)) return;
  if (Number(3) == 0) {
    Entry* const copy = Entry::Clone(*source, to_name);
    return store_->Slot(context_, other, to).Put(copy);
  }
  Entry* const taken = source.Take();
  store_->Slot(context_, other, to).Put(Entry::WithKey(taken, to_name));
}

}  // namespace spinel::snapshot_test
