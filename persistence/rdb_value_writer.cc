#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>

#include "persistence/listpack.h"
#include "persistence/rdb_string.h"
#include "persistence/rdb_writer.h"
#include "storage/blob.h"
#include "storage/hash_object.h"
#include "storage/list_object.h"
#include "storage/list_value.h"
#include "storage/member_table.h"
#include "storage/set_value.h"
#include "storage/string_value.h"
#include "storage/zset_object.h"
#include "storage/zset_packed.h"

namespace spinel {
namespace {

constexpr size_t kMaxShortLength = 5;        // bytes that announce any length that is no 64-bit one
constexpr size_t kPlainElementBytes = 8192;  // from here on a lone element of a list is no listpack

// Room in a sink for a string that is built in place and whose length is known at its end only.
class StringInPlace {
 public:
  // `max_bytes`: of the string.
  StringInPlace(ByteSink* sink, size_t max_bytes) : sink_(sink) {
    const size_t room = kMaxShortLength + max_bytes;
    if (room > ByteSink::kMaxReserve) own_.reset(new char[room]);
    begin_ = own_ != nullptr ? own_.get() : sink->Reserve(room);
  }

  char* data() { return begin_ + kMaxShortLength; }
  void Finish(size_t bytes, bool compress) {
    const std::string_view string(data(), bytes);
    if (own_ != nullptr) return WriteRdbBytes(sink_, string, compress);
    // What is compressed is written from elsewhere, so it may be written over the string.
    if (compress && WriteRdbCompressed(sink_, string)) return;
    char length[9];
    const size_t length_bytes = SpellRdbLength(bytes, length);
    std::memmove(begin_ + length_bytes, string.data(), bytes);
    std::memcpy(begin_, length, length_bytes);
    sink_->Commit(begin_ + length_bytes + bytes);
  }

 private:
  ByteSink* const sink_;
  std::unique_ptr<char[]> own_;
  char* begin_;
};

// Writes a listpack as a string. `fill(ListpackWriter*)` adds the elements, which take at most
// `max_bytes`.
template <typename Fill>
void WriteListpack(ByteSink* sink, size_t max_bytes, bool compress, Fill&& fill) {
  StringInPlace string(sink, ListpackWriter::kMaxOverhead + max_bytes);
  ListpackWriter writer(string.data());
  fill(&writer);
  string.Finish(static_cast<size_t>(writer.Finish() - string.data()), compress);
}

// In a listpack an element takes at most twice what it takes packed in its entry or in a chunk, and
// a score at most three times: a double of 8 bytes becomes text of up to 24.
constexpr size_t MaxListpackBytes(size_t packed_bytes) { return 3 * packed_bytes; }

void AddScore(double score, ListpackWriter* writer) {
  constexpr double kMaxExact = 9007199254740992;  // 2^53: all integers below are doubles
  if (score >= -kMaxExact && score <= kMaxExact && std::trunc(score) == score) {
    return writer->AddInteger(static_cast<int64_t>(score));
  }
  char text[32];
  const char* const end = std::to_chars(text, text + sizeof(text), score).ptr;
  writer->AddText({text, static_cast<size_t>(end - text)});
}

void WriteIntset(ByteSink* sink, std::string_view block, bool compress) {
  const IntegerSetView set(block);
  const size_t bytes = block.size() - IntegerSetView::kHeaderBytes;
  StringInPlace string(sink, kIntsetHeaderBytes + bytes);
  const auto width = static_cast<uint32_t>(set.width());
  const auto count = static_cast<uint32_t>(set.count());
  std::memcpy(string.data(), &width, sizeof(width));
  std::memcpy(string.data() + sizeof(width), &count, sizeof(count));
  std::memcpy(string.data() + kIntsetHeaderBytes, block.data() + IntegerSetView::kHeaderBytes,
              bytes);
  string.Finish(kIntsetHeaderBytes + bytes, compress);
}

template <typename Object>
const Object& ObjectOf(const Entry& entry) {
  return *static_cast<const Object*>(entry.object());
}

}  // namespace

void WriteRdbListNode(ByteSink* sink, const ListRun& run, bool compress) {
  const std::string_view first = ListElement::Read(run.begin);
  if (run.count == 1 && first.size() >= kPlainElementBytes) {
    WriteRdbLength(sink, kQuicklistPlain);
    return WriteRdbBytes(sink, first, compress);
  }
  WriteRdbLength(sink, kQuicklistPacked);
  const size_t bytes = MaxListpackBytes(static_cast<size_t>(run.end - run.begin));
  WriteListpack(sink, bytes, compress, [&run](ListpackWriter* writer) {
    for (const char* at = run.begin; at != run.end;) {
      const std::string_view element = ListElement::Read(at);
      writer->Add(element);
      at = ListElement::End(element);
    }
  });
}

int RdbVersionFor(const Entry& entry) {
  return entry.HasExpiringElements() ? kRdbVersionValkey : kRdbVersion;
}

RdbType RdbValueWriter::type() const {
  const bool is_object = entry_->is_object();
  switch (entry_->type()) {
    case ValueType::kString:
      return RdbType::kString;
    case ValueType::kList:
      return RdbType::kListQuicklist2;
    case ValueType::kSet:
      if (is_object) return RdbType::kSet;
      if (entry_->collection_encoding() == CollectionEncoding::kIntegers) {
        return RdbType::kSetIntset;
      }
      return options_.version >= kRdbVersionSetListpack ? RdbType::kSetListpack : RdbType::kSet;
    case ValueType::kSortedSet:
      return is_object ? RdbType::kZset : RdbType::kZsetListpack;
    case ValueType::kHash:
      if (!is_object) return RdbType::kHashListpack;
      if (!entry_->HasExpiringElements()) return RdbType::kHash;
      assert(options_.version >= kRdbVersionValkey);
      return RdbType::kHashExpiring;
    case ValueType::kStream:
      break;
  }
  assert(false && "there are no streams");
  return RdbType::kStream3;
}

bool RdbValueWriter::Step(ByteSink* sink, size_t bytes) {
  const uint64_t written = sink->written();
  stop_at_ = bytes > UINT64_MAX - written ? UINT64_MAX : written + bytes;
  const bool first = !begun_;
  begun_ = true;
  if (entry_->type() == ValueType::kString) {
    WriteString(sink);
    return false;
  }
  if (!entry_->is_object()) {
    WritePacked(sink);
    return false;
  }
  if (first) {
    const auto& object = *entry_->object();
    const bool is_list = entry_->type() == ValueType::kList;
    if (is_list) chunk_ = ObjectOf<ListObject>(*entry_).head();
    WriteRdbLength(sink, is_list ? ObjectOf<ListObject>(*entry_).chunks() : object.size());
  }
  switch (entry_->type()) {
    case ValueType::kList:
      return StepList(sink);
    case ValueType::kSet:
      return StepSet(sink);
    case ValueType::kHash:
      return StepHash(sink);
    default:
      return StepZset(sink);
  }
}

void RdbValueWriter::WriteString(ByteSink* sink) {
  if (entry_->string_encoding() == StringEncoding::kInteger) {
    return WriteRdbInteger(sink, entry_->integer());
  }
  IntegerText text;
  WriteRdbString(sink, StringBytes(*entry_, &text), options_.compress);
}

void RdbValueWriter::WritePackedSet(ByteSink* sink) {
  const PackedList list(*entry_);
  if (options_.version < kRdbVersionSetListpack) {
    WriteRdbLength(sink, list.count());
    for (const std::string_view member : list) WriteRdbString(sink, member, options_.compress);
    return;
  }
  WriteListpack(sink, MaxListpackBytes(list.bytes()), options_.compress,
                [&list](ListpackWriter* writer) {
                  for (const std::string_view member : list) writer->Add(member);
                });
}

void RdbValueWriter::WritePacked(ByteSink* sink) {
  const std::string_view block = entry_->inline_value();
  const size_t max_bytes = MaxListpackBytes(block.size());
  switch (entry_->type()) {
    case ValueType::kList:
      WriteRdbLength(sink, 1);
      return WriteRdbListNode(sink,
                              {block.data() + PackedList::kHeaderBytes, block.data() + block.size(),
                               PackedList(block).count()},
                              options_.compress);
    case ValueType::kSet:
      if (entry_->collection_encoding() != CollectionEncoding::kIntegers) {
        return WritePackedSet(sink);
      }
      return WriteIntset(sink, block, options_.compress);
    case ValueType::kHash:
      return WriteListpack(sink, max_bytes, options_.compress, [block](ListpackWriter* writer) {
        for (const std::string_view element : PackedList(block)) writer->Add(element);
      });
    default:
      return WriteListpack(sink, max_bytes, options_.compress, [this](ListpackWriter* writer) {
        const PackedZset set(*entry_);
        for (auto it = set.begin(); it != set.end(); ++it) {
          const ScoredMember scored = *it;
          writer->Add(scored.member);
          AddScore(scored.score, writer);
        }
      });
  }
}

bool RdbValueWriter::StepList(ByteSink* sink) {
  while (chunk_ != nullptr) {
    WriteRdbListNode(sink, chunk_->run(), options_.compress);
    chunk_ = chunk_->next();
    if (StepIsDone(*sink)) break;
  }
  return chunk_ != nullptr;
}

bool RdbValueWriter::StepSet(ByteSink* sink) {
  const MemberTable& table = ObjectOf<BigSet>(*entry_).table();
  const uint64_t buckets = table.bucket_count();
  while (position_ < buckets) {
    table.VisitBucket(position_++, [&](const SetMember* member) {
      WriteRdbString(sink, member->bytes(), options_.compress);
    });
    if (StepIsDone(*sink)) break;
  }
  return position_ < buckets;
}

bool RdbValueWriter::StepHash(ByteSink* sink) {
  const HashObject& hash = ObjectOf<HashObject>(*entry_);
  const bool with_expiries = hash.HasExpiringElements();
  const uint64_t buckets = hash.table().bucket_count();
  while (position_ < buckets) {
    hash.table().VisitBucket(position_++, [&](const HashField* field) {
      WriteRdbString(sink, field->name(), options_.compress);
      WriteRdbString(sink, field->value().bytes, options_.compress);
      if (with_expiries) sink->Raw(field->has_expiry() ? field->expiry() : kRdbNoFieldExpiry);
    });
    if (StepIsDone(*sink)) break;
  }
  return position_ < buckets;
}

// From the highest score down: Redis inserts that quickest.
bool RdbValueWriter::StepZset(ByteSink* sink) {
  constexpr uint64_t kAtOnce = 32;
  const ZsetTree& tree = ObjectOf<ZsetObject>(*entry_).tree();
  while (position_ < tree.size()) {
    const uint64_t left = tree.size() - position_;
    const uint64_t count = std::min(left, kAtOnce);
    tree.ForEach(left - count, count, /*backwards=*/true, [&](const ZsetNode* node) {
      WriteRdbString(sink, node->member(), options_.compress);
      sink->Raw(node->score());
    });
    position_ += count;
    if (StepIsDone(*sink)) break;
  }
  return position_ < tree.size();
}

}  // namespace spinel
