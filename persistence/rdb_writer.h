// Writes RDB files, record by record, and DUMP payloads. See docs/rdb.md.
//
// Owner: whoever takes a snapshot. Threads: one at a time for each writer; what reads an Entry
// expects its stripe to be locked, or the entry to be nobody else's. Writing allocates no more than
// the sink does, and compression a buffer of its thread's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "persistence/byte_sink.h"
#include "persistence/rdb_format.h"
#include "storage/access_clock.h"
#include "storage/entry.h"

namespace spinel {

class ListChunk;
struct ListRun;

struct RdbWriteOptions {
  // RdbVersionFor() of every entry, at least. From kRdbVersionSetListpack on, small sets are
  // written in packed form.
  int version = kRdbVersion;
  bool compress = true;
  // Idle times or frequencies are written with each key, if the eviction policy goes by them.
  const AccessTracking* use = nullptr;
};

// The lowest version that can hold the entry: kRdbVersion, or kRdbVersionValkey for a hash with
// expiring fields.
int RdbVersionFor(const Entry& entry);

// The value of an entry, type in front not included. Packed collections and strings are written in
// one step; bigger ones can be written by several, between which the lock may be let go as long as
// nobody changes the value or frees it.
class RdbValueWriter {
 public:
  RdbValueWriter(const Entry& entry, const RdbWriteOptions& options)
      : entry_(&entry), options_(options) {}

  // What stands for the value's form.
  RdbType type() const;
  // Writes on, until at least `bytes` have been written in this step. True: there is more. One
  // element is never divided.
  bool Step(ByteSink* sink, size_t bytes);
  void Finish(ByteSink* sink) {
    while (Step(sink, SIZE_MAX)) {
    }
  }

 private:
  bool StepIsDone(const ByteSink& sink) const { return sink.written() >= stop_at_; }
  void WriteString(ByteSink* sink);
  void WritePackedSet(ByteSink* sink);
  void WritePacked(ByteSink* sink);
  bool StepList(ByteSink* sink);
  bool StepSet(ByteSink* sink);
  bool StepHash(ByteSink* sink);
  bool StepZset(ByteSink* sink);

  const Entry* entry_;
  RdbWriteOptions options_;
  bool begun_ = false;
  uint64_t stop_at_ = 0;
  uint64_t position_ = 0;             // the next bucket, or members that are written
  const ListChunk* chunk_ = nullptr;  // the next one
};

class RdbWriter {
 public:
  // The sink outlives the writer.
  RdbWriter(ByteSink* sink, const RdbWriteOptions& options) : sink_(sink), options_(options) {}

  // A file is: Begin, some Aux and Function, for each database SelectDatabase and its keys, End.
  void Begin();
  void Aux(std::string_view name, std::string_view value);
  void Aux(std::string_view name, int64_t value);
  // The code of a library of functions.
  void Function(std::string_view code);
  // `keys` and `expiring` let who loads the file make room; they need not be exact.
  void SelectDatabase(uint64_t database, uint64_t keys, uint64_t expiring);
  // Goes on with a database that has been selected before.
  void ReturnToDatabase(uint64_t database);
  // Everything of a key that comes in front of its value; then an RdbValueWriter goes on.
  void Head(const Entry& entry, int64_t now_ms);
  // A whole key.
  void Record(const Entry& entry, int64_t now_ms);
  // Writes the end and the checksum: 0, "none", if the sink has none.
  void End();

 private:
  ByteSink* const sink_;
  const RdbWriteOptions options_;
};

// A node of a list: one of a big list's chunks.
void WriteRdbListNode(ByteSink* sink, const ListRun& run, bool compress);

// The value as DUMP gives it: type, value, version, checksum.
std::string DumpValue(const Entry& entry);

}  // namespace spinel
