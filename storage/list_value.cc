#include "storage/list_value.h"

#include <algorithm>
#include <cassert>

#include "absl/container/inlined_vector.h"
#include "storage/blob.h"
#include "storage/key_slot.h"
#include "storage/packed_list.h"
#include "storage/store.h"

namespace spinel {
namespace {

// Chains with more chunks or bytes are deleted elsewhere.
constexpr size_t kChunksAtOnce = 8;
constexpr size_t kBytesAtOnce = Blob::kBigBytes;

size_t BytesOf(std::span<const std::string_view> elements) {
  size_t bytes = 0;
  for (const std::string_view element : elements) bytes += ListElement::Bytes(element.size());
  return bytes;
}

// Writes pushed elements in the order in which they will lie.
void WritePushed(char* to, ListEnd end, std::span<const std::string_view> elements) {
  if (end == ListEnd::kTail) {
    for (const std::string_view element : elements) to = ListElement::Write(to, element);
  } else {
    for (size_t i = elements.size(); i > 0; --i) to = ListElement::Write(to, elements[i - 1]);
  }
}

}  // namespace

ListRange ListRange::Of(int64_t first, int64_t last, size_t size) {
  const auto length = static_cast<int64_t>(size);
  if (first < 0) first = std::max<int64_t>(first + length, 0);
  last = last < 0 ? last + length : std::min(last, length - 1);
  if (first > last || first >= length) return {};
  return {static_cast<size_t>(first), static_cast<size_t>(last - first + 1)};
}

ListRun ListView::PackedRun(std::string_view block) {
  return {block.data() + PackedList::kHeaderBytes, block.data() + block.size(),
          PackedList(block).count()};
}

std::optional<std::string_view> ListView::At(int64_t index) const {
  const auto length = static_cast<int64_t>(size());
  if (index < 0) index += length;
  if (index < 0 || index >= length) return std::nullopt;
  const auto number = static_cast<size_t>(index);
  if (object_ != nullptr) return object_->Seek(number).element();
  return ListElement::Read(packed_.Seek(number));
}

bool ListValue::is_object() const { return slot_->entry()->is_object(); }

size_t ListValue::size() const { return slot_->exists() ? ListView(*slot_->entry()).size() : 0; }

// -- Between the forms
// -----------------------------------------------------------------------------

bool ListValue::FitsPacked(size_t more_elements, size_t more_bytes) const {
  const PackedList list(*slot_->entry());
  return list.count() + more_elements <= limits_.max_count &&
         list.bytes() + more_bytes <= std::min(limits_.max_bytes, PackedList::kMaxBytes);
}

void ListValue::Create(ListEnd end, std::span<const std::string_view> elements) {
  const size_t bytes = BytesOf(elements);
  if (elements.size() <= limits_.max_count &&
      PackedList::kHeaderBytes + bytes <= std::min(limits_.max_bytes, PackedList::kMaxBytes)) {
    Entry* const entry =
        Entry::NewPacked(slot_->key().name, ValueType::kList, CollectionEncoding::kPacked,
                         PackedList::kHeaderBytes + bytes, false);
    char* const block = entry->inline_value_data();
    StorePackedCount(block, elements.size());
    WritePushed(block + PackedList::kHeaderBytes, end, elements);
    slot_->PutUncounted(entry);
    return;
  }
  auto* const object = new ListObject;
  for (const std::string_view element : elements) object->Push(end, element, limits_);
  slot_->PutObject(ValueType::kList, object);
}

char* ListValue::Splice(size_t offset, size_t removed, size_t added, size_t count) {
  const size_t old_bytes = slot_->entry()->inline_value().size();
  const size_t new_bytes = old_bytes - removed + added;
  const size_t tail = old_bytes - offset - removed;
  char* block = slot_->mutable_packed();
  if (added > removed) block = slot_->ResizePacked(new_bytes);
  if (tail > 0 && added != removed) {
    std::memmove(block + offset + added, block + offset + removed, tail);
  }
  if (added < removed) block = slot_->ResizePacked(new_bytes);
  StorePackedCount(block, count);
  return block + offset;
}

void ListValue::Unpack() {
  auto* const object = new ListObject(ListView(*slot_->entry()).packed_);
  slot_->BecomeObject(object);
}

void ListValue::PackIfSmall() {
  constexpr size_t kFewChunks = 4;
  if (!is_object()) return;
  auto* const object = slot_->object<ListObject>();
  if (object->chunks() > kFewChunks || object->size() > limits_.max_count / 2) return;
  const size_t bytes = object->ElementBytes();
  if (bytes > std::min(limits_.max_bytes, PackedList::kMaxBytes) / 2) return;
  char* const block =
      slot_->BecomePacked(CollectionEncoding::kPacked, PackedList::kHeaderBytes + bytes);
  StorePackedCount(block, object->size());
  object->CopyElements(block + PackedList::kHeaderBytes);
  KeySlot::DeleteObject(object);
}

// -- Ends
// ------------------------------------------------------------------------------------------

void ListValue::Store(std::span<const std::string_view> elements) {
  if (elements.empty()) {
    slot_->Delete();
    return;
  }
  slot_->MarkChanged(elements.size());
  Create(ListEnd::kTail, elements);
}

void ListValue::Push(ListEnd end, std::span<const std::string_view> elements) {
  slot_->MarkChanged(elements.size());
  PushUncounted(end, elements);
}

void ListValue::PushUncounted(ListEnd end, std::span<const std::string_view> elements) {
  if (!slot_->exists()) return Create(end, elements);
  slot_->MarkTouched();
  if (!is_object()) {
    const size_t bytes = BytesOf(elements);
    if (FitsPacked(elements.size(), bytes)) {
      const ListRun run = ListView(*slot_->entry()).packed_;
      const size_t offset =
          end == ListEnd::kHead ? PackedList::kHeaderBytes : slot_->entry()->inline_value().size();
      WritePushed(Splice(offset, 0, bytes, run.count + elements.size()), end, elements);
      return;
    }
    Unpack();
  }
  auto* const object = slot_->object<ListObject>();
  for (const std::string_view element : elements) object->Push(end, element, limits_);
}

void ListValue::Remove(ListEnd end, size_t count) {
  const size_t length = size();
  if (count == 0) return;
  if (count >= length) {
    slot_->MarkChanged(length - 1);
    slot_->Delete();
    return;
  }
  slot_->MarkChanged(count);
  if (is_object()) {
    RemoveFromObject(end, count);
    PackIfSmall();
  } else {
    RemovePacked(end, count);
  }
}

void ListValue::RemovePacked(ListEnd end, size_t count) {
  const ListRun run = ListView(*slot_->entry()).packed_;
  const size_t kept = run.count - count;
  if (end == ListEnd::kHead) {
    const auto bytes = static_cast<size_t>(run.Seek(count) - run.begin);
    Splice(PackedList::kHeaderBytes, bytes, 0, kept);
  } else {
    const auto bytes = static_cast<size_t>(run.end - run.Seek(kept));
    Splice(slot_->entry()->inline_value().size() - bytes, bytes, 0, kept);
  }
}

void ListValue::RemoveFromObject(ListEnd end, size_t count) {
  const ListObject::Removed removed = slot_->object<ListObject>()->RemoveFromEnd(end, count);
  if (removed.chunks <= kChunksAtOnce && removed.memory < kBytesAtOnce) {
    return ListChunk::DeleteChain(removed.chain);
  }
  ListChunk* const chain = removed.chain;
  slot_->store()->reclaimer().Run([chain] { ListChunk::DeleteChain(chain); }, 1);
}

void ListValue::Trim(const ListRange& kept) {
  const size_t length = size();
  if (kept.count == 0) return Remove(ListEnd::kHead, length);
  // The tail first: what is cheaper to reach depends on both, but the count from the head holds.
  Remove(ListEnd::kTail, length - kept.first - kept.count);
  Remove(ListEnd::kHead, kept.first);
}

void ListValue::Rotate(ListEnd from) {
  const ListEnd to = from == ListEnd::kHead ? ListEnd::kTail : ListEnd::kHead;
  slot_->MarkChanged();
  if (size() == 1) return;
  // It is copied: what it lies in is about to change.
  const std::string_view moved = *ListView(*slot_->entry()).At(from == ListEnd::kHead ? 0 : -1);
  const absl::InlinedVector<char, 256> bytes_moved(moved.begin(), moved.end());
  const std::string_view element(bytes_moved.data(), bytes_moved.size());
  if (is_object()) {
    RemoveFromObject(from, 1);
    slot_->object<ListObject>()->Push(to, element, limits_);
    return;
  }
  // The block keeps its size: the others make way.
  const ListRun run = ListView(*slot_->entry()).packed_;
  const size_t bytes = ListElement::Bytes(element.size());
  const auto others = static_cast<size_t>(run.end - run.begin) - bytes;
  char* const block = slot_->mutable_packed() + PackedList::kHeaderBytes;
  if (from == ListEnd::kHead) {
    std::memmove(block, block + bytes, others);
    ListElement::Write(block + others, element);
  } else {
    std::memmove(block + bytes, block, others);
    ListElement::Write(block, element);
  }
}

// -- The middle
// ------------------------------------------------------------------------------------

bool ListValue::Set(int64_t index, std::string_view element) {
  const ListView view(*slot_->entry());
  const auto length = static_cast<int64_t>(view.size());
  if (index < 0) index += length;
  if (index < 0 || index >= length) return false;
  const auto number = static_cast<size_t>(index);
  slot_->MarkChanged();
  const size_t bytes = ListElement::Bytes(element.size());
  if (!is_object() && FitsPacked(1, bytes)) {
    const char* const at = view.packed_.Seek(number);
    const size_t old_bytes = ListElement::Bytes(ListElement::Read(at).size());
    const auto offset = static_cast<size_t>(at - slot_->mutable_packed());
    ListElement::Write(Splice(offset, old_bytes, bytes, view.size()), element);
    return true;
  }
  if (!is_object()) Unpack();
  auto* const object = slot_->object<ListObject>();
  object->Replace(object->Seek(number), element, limits_);
  PackIfSmall();
  return true;
}

bool ListValue::Insert(bool before, std::string_view pivot, std::string_view element) {
  if (!is_object()) {
    const ListView view(*slot_->entry());
    const char* at = view.packed_.begin;
    while (at != view.packed_.end && ListElement::Read(at) != pivot) {
      at = ListElement::End(ListElement::Read(at));
    }
    if (at == view.packed_.end) return false;
    const size_t bytes = ListElement::Bytes(element.size());
    if (FitsPacked(1, bytes)) {
      if (!before) at = ListElement::End(ListElement::Read(at));
      const auto offset = static_cast<size_t>(at - slot_->mutable_packed());
      ListElement::Write(Splice(offset, 0, bytes, view.size() + 1), element);
      slot_->MarkChanged();
      return true;
    }
    Unpack();
  }
  auto* const object = slot_->object<ListObject>();
  const ListPosition position = object->Find(pivot);
  if (!position) return false;
  if (before) {
    object->InsertBefore(position, element, limits_);
  } else {
    object->InsertAfter(position, element, limits_);
  }
  slot_->MarkChanged();
  return true;
}

size_t ListValue::RemoveMatches(ListEnd from, std::string_view element, size_t limit) {
  size_t removed;
  if (is_object()) {
    removed = slot_->object<ListObject>()->RemoveMatches(from, element, limit, limits_);
  } else {
    ListRun run = ListView(*slot_->entry()).packed_;
    ListFilter filter{element, 0, limit};
    if (from == ListEnd::kTail) {
      const size_t found = CountInRun(run, element);
      filter.skip = found > limit ? found - limit : 0;
    }
    const size_t old_count = run.count;
    char* const block = slot_->mutable_packed();
    const char* const end = FilterRun(block + PackedList::kHeaderBytes, &run, filter);
    removed = old_count - run.count;
    if (removed > 0) {
      StorePackedCount(block, run.count);
      slot_->ResizePacked(static_cast<size_t>(end - block));
    }
  }
  if (removed == 0) return 0;
  if (size() == 0) {
    slot_->MarkChanged(removed - 1);
    slot_->Delete();
    return removed;
  }
  slot_->MarkChanged(removed);
  PackIfSmall();
  return removed;
}

}  // namespace spinel
