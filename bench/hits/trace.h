// A trace of requests to a cache: which object each one asks for.
//
// A trace is held in memory, objects numbered 0, 1, 2 ... in the order in which they first appear,
// so that whoever looks at it can keep what it knows of an object in an array. Sizes and times of
// objects are not kept: capacities are counted in objects here.
//
// Files are those of the cache simulator libCacheSim: "oracleGeneral", 24 bytes a request, little
// endian and unaligned (time, 4 bytes; object, 8; size, 4; when it is asked for next, 8), and lines
// of comma-separated values. A trace is not shared between threads while it is built.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <istream>
#include <limits>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace spinel::hits {

class Trace {
 public:
  // The position of a request that never comes.
  static constexpr uint32_t kNever = std::numeric_limits<uint32_t>::max();

  // Adds a request. False when the trace is full, at about four thousand million requests.
  bool Add(uint64_t object);

  // By position: the number of the object that is asked for.
  const std::vector<uint32_t>& requests() const { return requests_; }
  // By number: what the object is called in files.
  const std::vector<uint64_t>& objects() const { return objects_; }
  size_t size() const { return requests_.size(); }
  // How many different objects there are.
  uint32_t footprint() const { return static_cast<uint32_t>(objects_.size()); }

  // By position: that of the next request for the same object, or kNever.
  std::vector<uint32_t> NextUses() const;

 private:
  std::vector<uint32_t> requests_;
  std::vector<uint64_t> objects_;
  absl::flat_hash_map<uint64_t, uint32_t> numbers_;
};

// How a file of comma-separated values is laid out; columns count from 1.
struct CsvLayout {
  int object_column = 0;  // 0: by the header's names, else the second of several, else the only one
  char delimiter = ',';
  enum class Header { kGuess, kYes, kNo } header = Header::kGuess;
};

// Reads libCacheSim's way to say the same, "obj-id-col=5,has-header=true,delimiter=;"; what
// concerns columns that are not read here (times, sizes) is accepted. Returns what is wrong, or
// nothing.
std::string ParseCsvLayout(std::string_view text, CsvLayout* layout);

// Adds at most `limit` requests of a file to the trace. Return what is wrong, or nothing; the trace
// holds what came before it.
std::string ReadOracleGeneral(std::istream& in, size_t limit, Trace* trace);
std::string ReadCsv(std::istream& in, const CsvLayout& layout, size_t limit, Trace* trace);

// Times are positions, sizes 1.
void WriteOracleGeneral(const Trace& trace, std::ostream& out);

}  // namespace spinel::hits
