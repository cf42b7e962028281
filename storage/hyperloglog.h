// HyperLogLogs: how many different elements were added, estimated from 16384 registers of 6 bits
// (Flajolet and others 2007; the estimator is Ertl's, arXiv:1702.01284). The registers are kept in
// a string with the bytes that Redis gives it, so that dumps, files and GET are interchangeable:
//
//   "HYLL", a byte for the encoding (0 dense, 1 sparse), 3 zeros, the last estimate in 8 bytes
//   (little endian; the top bit says that it is out of date), the registers.
//
//   dense   16384 times 6 bits, beginning with the low bits of each byte
//   sparse  runs: 00nnnnnn             n + 1 registers that are 0
//                 01nnnnnn nnnnnnnn    the same for more of them
//                 1vvvvvnn             n + 1 registers that are v + 1
//
// Clients may store what they like in a string: the bytes are hostile until they were read once.
// Functions say so when the runs do not describe 16384 registers, and never read or write outside.
//
// Pure functions; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spinel {

inline constexpr size_t kHllRegisters = 16384;
inline constexpr size_t kHllHeaderBytes = 16;
inline constexpr size_t kHllDenseBytes = kHllHeaderBytes + kHllRegisters * 6 / 8;
// Sparse ones that are longer are corrupt: a run of one register has two bytes at most.
inline constexpr size_t kHllMaxBytes = kHllHeaderBytes + 2 * kHllRegisters;

// A register per byte.
using HllRegisters = std::array<uint8_t, kHllRegisters>;

// What an element does: the register `index` becomes `rank`, unless it is higher already.
struct HllElement {
  uint32_t index;
  uint8_t rank;
};
HllElement HashForHll(std::string_view element);

// Whether the string begins as a HyperLogLog; all functions below expect that.
bool IsHll(std::string_view bytes);
bool IsDenseHll(std::string_view hll);

// -- Reading
// The estimate that is kept in it; none: it is out of date.
std::optional<uint64_t> KeptHllCount(std::string_view hll);
// Counts anew. None: it is corrupt.
std::optional<uint64_t> CountHll(std::string_view hll);
uint64_t CountRegisters(const HllRegisters& registers);
// Raises the registers to those of `hll`. False: it is corrupt.
bool MergeHll(std::string_view hll, HllRegisters* registers);
// Expects a dense one.
uint8_t DenseRegister(std::string_view hll, uint32_t index);
// The runs of a sparse one, "Z:100 v:1,2 z:3", whatever they add up to.
std::string DescribeRuns(std::string_view hll);

// -- Changing
// Without any element; sparse.
std::string EmptyHll();
void KeepHllCount(char* hll, uint64_t count);
void OutdateHllCount(char* hll);
// Expects a dense one. False: the register was as high already.
bool RaiseDense(char* hll, const HllElement& element);

enum class HllChange : uint8_t { kNone, kRaised, kCorrupt };
// Raises a register; a sparse one that would have more than `max_sparse_bytes` becomes dense.
HllChange RaiseRegister(std::string* hll, const HllElement& element, size_t max_sparse_bytes);
// False: it is corrupt, and unchanged.
bool MakeDense(std::string* hll);

}  // namespace spinel
