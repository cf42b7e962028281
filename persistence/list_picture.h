// The picture of a big list: chunk by chunk, in the order of the list at the cut.
//
// Every chunk has the number of the last picture that has it, or for which it came too late. A
// chunk that has another number belongs to the picture and is not collected: before it changes it
// is copied, and if it is taken out of the list it is kept. What is kept has a place: in front of a
// chunk of the list, where the walker will come by, or behind the last.
//
// Owner and threads: as BigPicture says.
#pragma once

#include <vector>

#include "absl/container/btree_map.h"
#include "persistence/big_picture.h"
#include "storage/list_object.h"

namespace spinel {

class ListPicture final : public BigPicture {
 public:
  ListPicture(const Entry& entry, const Place& place, const RdbWriteOptions& options,
              KeptBytes* kept);
  ~ListPicture() override;

  bool Collect() override;
  void Write(ByteSink* sink) override;

  void BeforeChunkChange(ListChunk* chunk) override;
  void Linked(ListChunk* chunk) override { chunk->set_picture(number_); }
  ListChunk* Unlinked(ListChunk* chain, ListChunk* next, size_t bytes) override;

 private:
  // Chunks that are linked and no longer, or never were, in the list.
  struct Kept {
    ListChunk* chain;
    size_t bytes;
    bool begun = false;  // what is kept in front of its first chunk is on the stack
  };
  using KeptChunks = std::vector<Kept>;

  bool IsCollected(const ListChunk& chunk) const { return chunk.picture() == number_; }
  // What is kept in front of a chunk; it is not any more.
  KeptChunks TakeKept(const ListChunk* chunk);
  // Puts chunks where what comes in front of `next`, and behind all that is kept there, is.
  void KeepInFront(ListChunk* next, KeptChunks kept);
  ListChunk* UnlinkedOne(ListChunk* chunk, ListChunk* next);
  void Push(KeptChunks kept);
  void CollectKept();
  // False: the end of the list.
  bool CollectFromList();
  void Deliver(ListChunk* chunk);

  const uint32_t number_;
  const size_t chunks_;    // at the cut
  size_t collected_ = 0;   // of them
  ListChunk* at_;          // the next one of the list that the walker comes to; null at its end
  bool from_head_ = true;  // or, instead, its first
  absl::btree_map<const ListChunk*, KeptChunks> in_front_;  // never moves all at once
  KeptChunks at_end_;                                       // behind the last chunk of the list
  KeptChunks stack_;  // what comes before at_, the next of it last
  std::vector<ListChunk*> delivered_;
  size_t delivered_bytes_ = 0;
};

}  // namespace spinel
