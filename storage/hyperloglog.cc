#include "storage/hyperloglog.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace spinel {
namespace {

constexpr unsigned kIndexBits = 14;
constexpr unsigned kRankBits = 64 - kIndexBits;  // of the hash; a rank is at most one more
constexpr uint8_t kMaxRegister = 63;

constexpr std::string_view kMagic = "HYLL";
constexpr size_t kEncodingAt = 4;
constexpr size_t kCountAt = 8;
constexpr size_t kOutdatedAt = 15;
constexpr uint8_t kOutdated = 0x80;
constexpr char kDense = 0;
constexpr char kSparse = 1;

uint8_t HllByte(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

// -- Runs
// -----------------------------------------------------------------------------------------

constexpr uint32_t kMaxShortZeros = 64;
constexpr uint32_t kMaxValueRun = 4;
constexpr uint8_t kMaxSparseValue = 32;

struct Run {
  uint32_t length = 0;  // registers
  uint8_t value = 0;
  uint8_t bytes = 0;
};

char ValueRun(uint8_t value, uint32_t length) {
  return static_cast<char>(0x80 | (value - 1) << 2 | static_cast<int>(length - 1));
}

void AppendRun(std::string* to, uint8_t value, uint32_t length) {
  if (length == 0) return;
  if (value > 0) {
    to->push_back(ValueRun(value, length));
  } else if (length <= kMaxShortZeros) {
    to->push_back(static_cast<char>(length - 1));
  } else {
    to->push_back(static_cast<char>(0x40 | (length - 1) >> 8));
    to->push_back(static_cast<char>((length - 1) & 0xff));
  }
}

// The run at an offset that lies within; none: it is cut off.
std::optional<Run> RunAt(std::string_view hll, size_t at) {
  const uint8_t first = HllByte(hll, at);
  if ((first & 0x80) != 0) {
    return Run{(first & 3U) + 1, static_cast<uint8_t>((first >> 2 & 0x1f) + 1), 1};
  }
  if ((first & 0x40) == 0) return Run{(first & 0x3fU) + 1, 0, 1};
  if (at + 1 >= hll.size()) return std::nullopt;
  return Run{((first & 0x3fU) << 8 | HllByte(hll, at + 1)) + 1, 0, 2};
}

// Calls `visit(run, index of its first register)`. False: they do not make 16384 registers; the
// runs before the first that is wrong were visited.
template <typename Visit>
bool ForEachRun(std::string_view hll, Visit&& visit) {
  uint32_t index = 0;
  for (size_t at = kHllHeaderBytes; at < hll.size();) {
    const std::optional<Run> run = RunAt(hll, at);
    if (!run.has_value() || run->length > kHllRegisters - index) return false;
    visit(*run, index);
    index += run->length;
    at += run->bytes;
  }
  return index == kHllRegisters;
}

// -- Dense registers
// ------------------------------------------------------------------------------

// Four registers in three bytes.
template <typename Visit>
void ForEachDense(std::string_view hll, Visit&& visit) {
  uint32_t index = 0;
  for (size_t at = kHllHeaderBytes; at < kHllDenseBytes; at += 3) {
    uint32_t bits = HllByte(hll, at) | static_cast<uint32_t>(HllByte(hll, at + 1)) << 8 |
                    static_cast<uint32_t>(HllByte(hll, at + 2)) << 16;
    for (int i = 0; i < 4; ++i, bits >>= 6) {
      visit(index++, static_cast<uint8_t>(bits & kMaxRegister));
    }
  }
}

// The last register ends with the last byte, so that two bytes are there for every other one.
void StoreDense(char* hll, uint32_t index, uint8_t value) {
  const size_t at = kHllHeaderBytes + size_t{index} * 6 / 8;
  const unsigned shift = index * 6 % 8;
  const auto store = [&](size_t i, unsigned mask, unsigned bits) {
    hll[i] = static_cast<char>((static_cast<uint8_t>(hll[i]) & ~mask) | bits);
  };
  store(at, (kMaxRegister << shift) & 0xffU, (static_cast<unsigned>(value) << shift) & 0xffU);
  if (shift > 2) store(at + 1, kMaxRegister >> (8 - shift), value >> (8 - shift));
}

// -- The estimate
// ---------------------------------------------------------------------------------

using Histogram = std::array<uint32_t, 64>;

double Sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double power = 1;
  double sum = x;
  double last = 0;
  do {
    x *= x;
    last = sum;
    sum += x * power;
    power += power;
  } while (sum != last);
  return sum;
}

double Tau(double x) {
  if (x == 0 || x == 1) return 0;
  double power = 1;
  double sum = 1 - x;
  for (double last = -1; sum != last;) {
    x = std::sqrt(x);
    last = sum;
    power *= 0.5;
    sum -= std::pow(1 - x, 2) * power;
  }
  return sum / 3;
}

uint64_t Estimate(const Histogram& histogram) {
  constexpr double kAlpha = 0.721347520444481703680;  // 1 / (2 ln 2)
  const double registers = kHllRegisters;
  double sum = registers * Tau((registers - histogram[kRankBits + 1]) / registers);
  for (unsigned rank = kRankBits; rank >= 1; --rank) {
    sum += histogram[rank];
    sum *= 0.5;
  }
  sum += registers * Sigma(histogram[0] / registers);
  return static_cast<uint64_t>(std::llround(kAlpha * registers * registers / sum));
}

// MurmurHash64A by Austin Appleby, reading little endian words.
uint64_t Murmur64A(std::string_view bytes, uint64_t seed) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995;
  constexpr unsigned kShift = 47;
  uint64_t hash = seed ^ (bytes.size() * kMultiplier);
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    uint64_t word = 0;
    for (size_t i = 0; i < 8; ++i) word |= uint64_t{HllByte(bytes, at + i)} << (8 * i);
    word *= kMultiplier;
    word ^= word >> kShift;
    hash = (hash ^ word * kMultiplier) * kMultiplier;
  }
  if (at < bytes.size()) {
    for (size_t i = 0; at + i < bytes.size(); ++i)
      hash ^= uint64_t{HllByte(bytes, at + i)} << 8 * i;
    hash *= kMultiplier;
  }
  hash ^= hash >> kShift;
  hash *= kMultiplier;
  return hash ^ hash >> kShift;
}

// -- Changing runs
// --------------------------------------------------------------------------------

struct FoundRun {
  Run run;
  size_t at;           // in the bytes
  size_t before;       // where the run before it is, or itself
  uint32_t first = 0;  // of its registers
};

std::optional<FoundRun> FindRun(std::string_view hll, uint32_t index) {
  size_t before = kHllHeaderBytes;
  uint32_t first = 0;
  for (size_t at = kHllHeaderBytes; at < hll.size();) {
    const std::optional<Run> run = RunAt(hll, at);
    if (!run.has_value()) return std::nullopt;
    if (index < first + run->length) return FoundRun{*run, at, before, first};
    first += run->length;
    before = at;
    at += run->bytes;
  }
  return std::nullopt;
}

// Joins short runs of the same value in the neighbourhood of a change: five steps from `at` on, as
// in Redis, so that the same elements in the same order make the same bytes.
void JoinValues(std::string* hll, size_t at) {
  for (int step = 0; step < 5 && at < hll->size(); ++step) {
    const std::optional<Run> run = RunAt(*hll, at);
    if (!run.has_value()) return;
    if (run->value > 0 && at + 1 < hll->size()) {
      const std::optional<Run> next = RunAt(*hll, at + 1);
      if (next.has_value() && next->value == run->value &&
          run->length + next->length <= kMaxValueRun) {
        (*hll)[at] = ValueRun(run->value, run->length + next->length);
        hll->erase(at + 1, 1);
        continue;
      }
    }
    at += run->bytes;
  }
}

HllChange RaiseAsDense(std::string* hll, const HllElement& element) {
  if (!MakeDense(hll)) return HllChange::kCorrupt;
  return RaiseDense(hll->data(), element) ? HllChange::kRaised : HllChange::kNone;
}

HllChange RaiseSparse(std::string* hll, const HllElement& element, size_t max_bytes) {
  if (element.rank > kMaxSparseValue) return RaiseAsDense(hll, element);
  const std::optional<FoundRun> found = FindRun(*hll, element.index);
  if (!found.has_value()) return HllChange::kCorrupt;
  const auto& [run, at, before, first] = *found;
  if (run.value >= element.rank) return HllChange::kNone;
  std::string split;
  AppendRun(&split, run.value, element.index - first);
  AppendRun(&split, element.rank, 1);
  AppendRun(&split, run.value, first + run.length - 1 - element.index);
  if (split.size() > run.bytes && hll->size() + split.size() - run.bytes > max_bytes) {
    return RaiseAsDense(hll, element);
  }
  hll->replace(at, run.bytes, split);
  JoinValues(hll, before);
  OutdateHllCount(hll->data());
  return HllChange::kRaised;
}

}  // namespace

HllElement HashForHll(std::string_view element) {
  constexpr uint64_t kSeed = 0xadc83b19;
  const uint64_t hash = Murmur64A(element, kSeed);
  const uint64_t rest = hash >> kIndexBits | uint64_t{1} << kRankBits;
  return {static_cast<uint32_t>(hash % kHllRegisters),
          static_cast<uint8_t>(std::countr_zero(rest) + 1)};
}

bool IsHll(std::string_view bytes) {
  if (bytes.size() < kHllHeaderBytes || !bytes.starts_with(kMagic)) return false;
  if (bytes[kEncodingAt] == kDense) return bytes.size() == kHllDenseBytes;
  return bytes[kEncodingAt] == kSparse;
}

bool IsDenseHll(std::string_view hll) { return hll[kEncodingAt] == kDense; }

std::optional<uint64_t> KeptHllCount(std::string_view hll) {
  if ((HllByte(hll, kOutdatedAt) & kOutdated) != 0) return std::nullopt;
  uint64_t count = 0;
  for (size_t i = 0; i < 8; ++i) count |= uint64_t{HllByte(hll, kCountAt + i)} << (8 * i);
  return count;
}

std::optional<uint64_t> CountHll(std::string_view hll) {
  Histogram histogram = {};
  if (IsDenseHll(hll)) {
    ForEachDense(hll, [&](uint32_t, uint8_t value) { ++histogram[value]; });
  } else if (!ForEachRun(hll,
                         [&](const Run& run, uint32_t) { histogram[run.value] += run.length; })) {
    return std::nullopt;
  }
  return Estimate(histogram);
}

uint64_t CountRegisters(const HllRegisters& registers) {
  Histogram histogram = {};
  for (const uint8_t value : registers) ++histogram[value];
  return Estimate(histogram);
}

bool MergeHll(std::string_view hll, HllRegisters* registers) {
  const auto raise = [registers](uint32_t index, uint8_t value) {
    uint8_t& target = (*registers)[index];
    target = value > target ? value : target;
  };
  if (IsDenseHll(hll)) {
    ForEachDense(hll, raise);
    return true;
  }
  return ForEachRun(hll, [&](const Run& run, uint32_t first) {
    if (run.value == 0) return;
    for (uint32_t i = 0; i < run.length; ++i) raise(first + i, run.value);
  });
}

uint8_t DenseRegister(std::string_view hll, uint32_t index) {
  const size_t at = kHllHeaderBytes + size_t{index} * 6 / 8;
  const unsigned shift = index * 6 % 8;
  unsigned bits = HllByte(hll, at);
  if (shift > 2) bits |= static_cast<unsigned>(HllByte(hll, at + 1)) << 8;
  return static_cast<uint8_t>(bits >> shift & kMaxRegister);
}

std::string DescribeRuns(std::string_view hll) {
  std::string text;
  for (size_t at = kHllHeaderBytes; at < hll.size();) {
    const std::optional<Run> run = RunAt(hll, at);
    if (!run.has_value()) break;
    if (!text.empty()) text += ' ';
    if (run->value > 0) {
      text += "v:" + std::to_string(run->value) + ",";
    } else {
      text += run->bytes == 1 ? "z:" : "Z:";
    }
    text += std::to_string(run->length);
    at += run->bytes;
  }
  return text;
}

std::string EmptyHll() {
  std::string hll(kHllHeaderBytes, '\0');
  hll.replace(0, kMagic.size(), kMagic);
  hll[kEncodingAt] = kSparse;
  AppendRun(&hll, 0, kHllRegisters);
  return hll;
}

void KeepHllCount(char* hll, uint64_t count) {
  for (size_t i = 0; i < 8; ++i) hll[kCountAt + i] = static_cast<char>(count >> (8 * i) & 0xff);
}

void OutdateHllCount(char* hll) {
  hll[kOutdatedAt] = static_cast<char>(static_cast<uint8_t>(hll[kOutdatedAt]) | kOutdated);
}

bool RaiseDense(char* hll, const HllElement& element) {
  if (DenseRegister({hll, kHllDenseBytes}, element.index) >= element.rank) return false;
  StoreDense(hll, element.index, element.rank);
  return true;
}

HllChange RaiseRegister(std::string* hll, const HllElement& element, size_t max_sparse_bytes) {
  if (!IsDenseHll(*hll)) return RaiseSparse(hll, element, max_sparse_bytes);
  return RaiseDense(hll->data(), element) ? HllChange::kRaised : HllChange::kNone;
}

bool MakeDense(std::string* hll) {
  if (IsDenseHll(*hll)) return true;
  std::string dense(kHllDenseBytes, '\0');
  dense.replace(0, kHllHeaderBytes, *hll, 0, kHllHeaderBytes);
  dense[kEncodingAt] = kDense;
  const bool valid = ForEachRun(*hll, [&](const Run& run, uint32_t first) {
    if (run.value == 0) return;
    for (uint32_t i = 0; i < run.length; ++i) StoreDense(dense.data(), first + i, run.value);
  });
  if (valid) *hll = std::move(dense);
  return valid;
}

}  // namespace spinel
