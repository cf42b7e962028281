#include "storage/bitops.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>

namespace spinel {
namespace {

constexpr size_t kWordBytes = sizeof(uint64_t);

uint8_t ByteAt(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

uint64_t LoadWord(const char* from) {
  uint64_t word;
  std::memcpy(&word, from, kWordBytes);
  return word;
}

// The word whose most significant byte is the first one.
uint64_t LoadOrdered(const char* from) {
  const uint64_t word = LoadWord(from);
  return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
}

uint64_t CountWhole(std::string_view bytes) {
  // Several sums, so that no addition has to wait for the one before.
  std::array<uint64_t, 4> sums = {};
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= sums.size() * kWordBytes; left -= sums.size() * kWordBytes) {
    for (uint64_t& sum : sums) {
      sum += static_cast<uint64_t>(std::popcount(LoadWord(at)));
      at += kWordBytes;
    }
  }
  uint64_t count = sums[0] + sums[1] + sums[2] + sums[3];
  for (; left > 0; --left) {
    count += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(*at++)));
  }
  return count;
}

// The bits of a byte from `begin` up to, not including, `end`; both within 0 and 8.
constexpr uint8_t ByteMask(uint64_t begin, uint64_t end) {
  return static_cast<uint8_t>((0xff >> begin) & ~(0xff >> end));
}

// The part of a range that lies in the byte `i`, as a mask.
uint8_t MaskWithin(const BitRange& range, uint64_t i) {
  const uint64_t first = i * 8;
  const uint64_t begin = std::clamp(range.begin, first, first + 8) - first;
  const uint64_t end = std::clamp(range.end, first, first + 8) - first;
  return ByteMask(begin, end);
}

}  // namespace

bool BitAt(std::string_view bytes, uint64_t offset) {
  const uint64_t i = offset / 8;
  return i < bytes.size() && (ByteAt(bytes, i) >> (7 - offset % 8) & 1) != 0;
}

bool ExchangeBit(char* bytes, uint64_t offset, bool bit) {
  char& byte = bytes[offset / 8];
  const auto mask = static_cast<uint8_t>(0x80 >> (offset % 8));
  const auto old = static_cast<uint8_t>(byte);
  byte = static_cast<char>(bit ? old | mask : old & ~mask);
  return (old & mask) != 0;
}

uint64_t CountBits(std::string_view bytes, const BitRange& range) {
  if (range.begin >= range.end) return 0;
  assert(range.end <= bytes.size() * 8);
  const size_t first = range.begin / 8;
  const size_t last = (range.end - 1) / 8;
  const auto count_edge = [&](size_t i) {
    const int masked = ByteAt(bytes, i) & MaskWithin(range, i);
    return static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(masked)));
  };
  if (first == last) return count_edge(first);
  const std::string_view between = bytes.substr(first + 1, last - first - 1);
  return count_edge(first) + CountWhole(between) + count_edge(last);
}

std::optional<uint64_t> FindBit(std::string_view bytes, bool bit, const BitRange& range) {
  if (range.begin >= range.end) return std::nullopt;
  assert(range.end <= bytes.size() * 8);
  const uint64_t flip = bit ? 0 : ~uint64_t{0};  // then it is a set bit that is looked for
  uint64_t at = range.begin;
  while (at < range.end && at % 8 != 0) {
    if (BitAt(bytes, at) == bit) return at;
    ++at;
  }
  size_t i = at / 8;
  for (; (i + kWordBytes) * 8 <= range.end; i += kWordBytes) {
    const uint64_t word = LoadOrdered(bytes.data() + i) ^ flip;
    if (word != 0) return uint64_t{i} * 8 + static_cast<uint64_t>(std::countl_zero(word));
  }
  for (; i * 8 < range.end; ++i) {
    const auto byte = static_cast<uint8_t>((ByteAt(bytes, i) ^ flip) & MaskWithin(range, i));
    if (byte != 0) return uint64_t{i} * 8 + static_cast<uint64_t>(std::countl_zero(byte));
  }
  return std::nullopt;
}

// -- Combining
// ------------------------------------------------------------------------------------

namespace {

// to[i] = combine(to[i], from[i]), by words as far as possible.
template <typename Combine>
void CombineInto(char* to, std::string_view from, Combine&& combine) {
  size_t i = 0;
  for (; i + kWordBytes <= from.size(); i += kWordBytes) {
    const uint64_t word = combine(LoadWord(to + i), LoadWord(from.data() + i));
    std::memcpy(to + i, &word, kWordBytes);
  }
  for (; i < from.size(); ++i) {
    const uint64_t byte = combine(uint64_t{static_cast<uint8_t>(to[i])}, uint64_t{ByteAt(from, i)});
    to[i] = static_cast<char>(byte);
  }
}

// The part of a source that lies in a block, and zeros behind it.
std::string_view PartOf(std::string_view source, size_t begin, size_t size) {
  return begin < source.size() ? source.substr(begin, size) : std::string_view();
}

void CombineBlock(BitOperation operation, std::string_view from, char* to, size_t size) {
  switch (operation) {
    case BitOperation::kAnd:
      CombineInto(to, from, [](uint64_t a, uint64_t b) { return a & b; });
      std::memset(to + from.size(), 0, size - from.size());
      return;
    case BitOperation::kOr:
      return CombineInto(to, from, [](uint64_t a, uint64_t b) { return a | b; });
    case BitOperation::kXor:
      return CombineInto(to, from, [](uint64_t a, uint64_t b) { return a ^ b; });
    case BitOperation::kNot:
      return CombineInto(to, from, [](uint64_t, uint64_t b) { return ~b; });
  }
}

}  // namespace

void CombineBits(BitOperation operation, std::span<const std::string_view> sources, char* to,
                 size_t size) {
  // A block of the result stays in the nearest cache while the sources pass by.
  constexpr size_t kBlock = 16 * 1024;
  for (size_t begin = 0; begin < size; begin += kBlock) {
    const size_t block = std::min(kBlock, size - begin);
    const std::string_view first = PartOf(sources[0], begin, block);
    if (!first.empty()) std::memcpy(to + begin, first.data(), first.size());
    std::memset(to + begin + first.size(), 0, block - first.size());
    if (operation == BitOperation::kNot) {
      CombineBlock(operation, first, to + begin, block);
      continue;
    }
    for (const std::string_view source : sources.subspan(1)) {
      CombineBlock(operation, PartOf(source, begin, block), to + begin, block);
    }
  }
}

// -- Integers among the bits
// -----------------------------------------------------------------------

namespace {

// Nine bytes hold any 64 bits, wherever in a byte they begin.
constexpr size_t kWindow = 9;
using Window = unsigned __int128;

Window LoadWindow(const uint8_t* bytes) {
  Window window = 0;
  for (size_t i = 0; i < kWindow; ++i) window = window << 8 | bytes[i];
  return window;
}

constexpr uint64_t LowBits(unsigned bits) {
  return bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
}

// How far the integer is from the end of the window that begins with its first byte.
constexpr unsigned ShiftOf(uint64_t offset, unsigned bits) {
  return static_cast<unsigned>(kWindow * 8 - offset % 8 - bits);
}

int64_t WithSign(uint64_t bits, IntegerType type) {
  const bool negative = type.is_signed && (bits >> (type.bits - 1) & 1) != 0;
  return static_cast<int64_t>(negative ? bits | ~LowBits(type.bits) : bits);
}

// The number `exact` as the type holds it.
std::optional<int64_t> Fit(IntegerType type, __int128 exact, Overflow overflow) {
  const __int128 span = static_cast<__int128>(1) << type.bits;
  const __int128 low = type.is_signed ? -(span / 2) : 0;
  const __int128 high = low + span - 1;
  if (exact >= low && exact <= high) return static_cast<int64_t>(exact);
  switch (overflow) {
    case Overflow::kWrap:
      return WithSign(static_cast<uint64_t>(exact) & LowBits(type.bits), type);
    case Overflow::kSaturate:
      return static_cast<int64_t>(exact > high ? high : low);
    case Overflow::kFail:
      break;
  }
  return std::nullopt;
}

}  // namespace

int64_t IntegerAt(std::string_view bytes, uint64_t offset, IntegerType type) {
  uint8_t window[kWindow] = {};
  const uint64_t first = offset / 8;
  if (first < bytes.size()) {
    std::memcpy(window, bytes.data() + first, std::min<size_t>(kWindow, bytes.size() - first));
  }
  const Window shifted = LoadWindow(window) >> ShiftOf(offset, type.bits);
  return WithSign(static_cast<uint64_t>(shifted) & LowBits(type.bits), type);
}

void StoreIntegerAt(char* bytes, uint64_t offset, IntegerType type, int64_t value) {
  uint8_t window[kWindow] = {};
  char* const first = bytes + offset / 8;
  const size_t used = (offset % 8 + type.bits + 7) / 8;
  std::memcpy(window, first, used);
  const unsigned shift = ShiftOf(offset, type.bits);
  const Window mask = static_cast<Window>(LowBits(type.bits)) << shift;
  const Window shifted = static_cast<Window>(static_cast<uint64_t>(value)) << shift;
  Window changed = (LoadWindow(window) & ~mask) | (shifted & mask);
  for (size_t i = kWindow; i-- > 0; changed >>= 8) window[i] = static_cast<uint8_t>(changed);
  std::memcpy(first, window, used);
}

std::optional<int64_t> AddInteger(IntegerType type, int64_t value, int64_t increment,
                                  Overflow overflow) {
  return Fit(type, static_cast<__int128>(value) + increment, overflow);
}

std::optional<int64_t> FitInteger(IntegerType type, int64_t value, Overflow overflow) {
  const __int128 exact = type.is_signed ? static_cast<__int128>(value)
                                        : static_cast<__int128>(static_cast<uint64_t>(value));
  return Fit(type, exact, overflow);
}

}  // namespace spinel
