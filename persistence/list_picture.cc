#include "persistence/list_picture.h"

#include <cassert>
#include <iterator>
#include <utility>

namespace spinel {
namespace {

// Collected under one lock.
constexpr size_t kCollectListBytes = 64 * 1024;
constexpr int kCollectSteps = 256;

uint32_t NextNumber() {
  static std::atomic<uint32_t> last{0};
  uint32_t number;
  do {
    number = last.fetch_add(1, std::memory_order_relaxed) + 1;
  } while (number == 0);  // that of chunks that have never been in a picture
  return number;
}

ListChunk* CopyOf(const ListChunk& chunk) {
  ListChunk* const copy = ListChunk::New(chunk.bytes());
  copy->Append(chunk.run());
  return copy;
}

}  // namespace

ListPicture::ListPicture(const Entry& entry, const Place& place, const RdbWriteOptions& options,
                         KeptBytes* kept)
    : BigPicture(entry, place, options, kept),
      number_(NextNumber()),
      chunks_(static_cast<const ListObject*>(entry.object())->chunks()),
      at_(nullptr) {}

ListPicture::~ListPicture() {
  const auto drop = [this](const KeptChunks& all) {
    for (const Kept& kept : all) {
      ListChunk::DeleteChain(kept.chain);
      kept_->Subtract(kept.bytes);
    }
  };
  for (const auto& [chunk, kept] : in_front_) drop(kept);
  drop(at_end_);
  drop(stack_);
  for (ListChunk* const chunk : delivered_) ListChunk::Delete(chunk);
}

// -- The list changes
// ------------------------------------------------------------------------------

ListPicture::KeptChunks ListPicture::TakeKept(const ListChunk* chunk) {
  const auto found = in_front_.find(chunk);
  if (found == in_front_.end()) return {};
  KeptChunks kept = std::move(found->second);
  in_front_.erase(found);
  return kept;
}

void ListPicture::KeepInFront(ListChunk* next, KeptChunks kept) {
  if (kept.empty()) return;
  KeptChunks* const place = next == nullptr ? &at_end_ : &in_front_[next];
  // What is there already was behind these.
  place->insert(place->begin(), std::make_move_iterator(kept.begin()),
                std::make_move_iterator(kept.end()));
}

void ListPicture::BeforeChunkChange(ListChunk* chunk) {
  if (IsCollected(*chunk)) return;
  ListChunk* const copy = CopyOf(*chunk);
  const size_t bytes = copy->MemoryBytes();
  kept_->Add(bytes);
  in_front_[chunk].push_back({copy, bytes});
  chunk->set_picture(number_);
}

ListChunk* ListPicture::UnlinkedOne(ListChunk* chunk, ListChunk* next) {
  KeptChunks kept = TakeKept(chunk);
  const bool keeps = !IsCollected(*chunk);
  if (keeps) {
    const size_t bytes = chunk->MemoryBytes();
    kept_->Add(bytes);
    kept.push_back({chunk, bytes, /*begun=*/true});
  }
  KeepInFront(next, std::move(kept));
  if (at_ == chunk) at_ = next;
  return keeps ? nullptr : chunk;
}

ListChunk* ListPicture::Unlinked(ListChunk* chain, ListChunk* next, size_t bytes) {
  constexpr int kFew = 64;
  int count = 0;
  ListChunk* last = chain;
  for (; count < kFew && last->next() != nullptr; ++count) last = last->next();
  if (count == kFew) {
    // Too many to look at each: the picture takes them all. Where the walker is it does not know,
    // so it begins again at the head; what it has collected it passes over.
    if (!from_head_ && at_ == nullptr) return chain;  // all is collected
    KeepInFront(next, KeptChunks{Kept{chain, bytes}});
    kept_->Add(bytes);
    from_head_ = true;
    return nullptr;
  }
  // From the last one on, so that each is put in front of what comes behind it.
  ListChunk* left = nullptr;
  for (ListChunk* chunk = last; chunk != nullptr;) {
    ListChunk* const before = chunk->prev();
    chunk->set_prev(nullptr);
    chunk->set_next(nullptr);
    if (ListChunk* const unneeded = UnlinkedOne(chunk, next)) {
      unneeded->set_next(left);
      left = unneeded;
    }
    chunk = before;
  }
  return left;
}

// -- The walker
// ------------------------------------------------------------------------------------

void ListPicture::Deliver(ListChunk* chunk) {
  delivered_.push_back(chunk);
  delivered_bytes_ += chunk->bytes();
  ++collected_;
}

// The first of them has to come out first.
void ListPicture::Push(KeptChunks kept) {
  stack_.insert(stack_.end(), std::make_move_iterator(kept.rbegin()),
                std::make_move_iterator(kept.rend()));
}

// One chunk of what is on top of the stack, or what is kept in front of that chunk.
void ListPicture::CollectKept() {
  ListChunk* const chunk = stack_.back().chain;
  if (chunk == nullptr) {
    kept_->Subtract(stack_.back().bytes);
    stack_.pop_back();
    return;
  }
  if (!stack_.back().begun) {
    stack_.back().begun = true;
    Push(TakeKept(chunk));
    return;
  }
  stack_.back().chain = chunk->next();
  stack_.back().begun = false;
  chunk->set_prev(nullptr);
  chunk->set_next(nullptr);
  if (IsCollected(*chunk)) {
    ListChunk::Delete(chunk);
  } else {
    Deliver(chunk);
  }
}

bool ListPicture::CollectFromList() {
  if (std::exchange(from_head_, false)) {
    at_ = const_cast<ListChunk*>(static_cast<const ListObject*>(value())->head());
  }
  if (at_ == nullptr) {
    if (at_end_.empty()) return false;
    Push(std::exchange(at_end_, {}));
    return true;
  }
  if (KeptChunks kept = TakeKept(at_); !kept.empty()) {
    Push(std::move(kept));
    return true;
  }
  if (!IsCollected(*at_)) {
    Deliver(CopyOf(*at_));
    at_->set_picture(number_);
  }
  at_ = at_->next();
  return true;
}

bool ListPicture::Collect() {
  for (int steps = 0; steps < kCollectSteps && delivered_bytes_ < kCollectListBytes; ++steps) {
    if (!stack_.empty()) {
      CollectKept();
    } else if (!CollectFromList()) {
      assert(collected_ == chunks_ && in_front_.empty());
      return false;
    }
  }
  return true;
}

void ListPicture::Write(ByteSink* sink) {
  for (ListChunk* const chunk : delivered_) {
    WriteRdbListNode(sink, chunk->run(), options_.compress);
    ListChunk::Delete(chunk);
  }
  delivered_.clear();
  delivered_bytes_ = 0;
}

}  // namespace spinel
