#include "persistence/crc64.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace spinel {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr uint64_t kReflectedPolynomial = 0x95ac9329ac4bc9b5;
constexpr size_t kSlices = 8;

using Slices = std::array<std::array<uint64_t, 256>, kSlices>;

// slices[i][b]: what byte b adds to the checksum when i bytes follow it.
constexpr Slices MakeSlices() {
  Slices slices{};
  for (uint64_t byte = 0; byte < 256; ++byte) {
    uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1) != 0 ? crc >> 1 ^ kReflectedPolynomial : crc >> 1;
    }
    slices[0][byte] = crc;
  }
  for (size_t i = 1; i < kSlices; ++i) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint64_t before = slices[i - 1][byte];
      slices[i][byte] = before >> 8 ^ slices[0][before & 0xff];
    }
  }
  return slices;
}

constexpr Slices kTable = MakeSlices();

uint64_t BySlices(uint64_t crc, const char* at, size_t left) {
  for (; left >= kSlices; left -= kSlices, at += kSlices) {
    uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    word ^= crc;
    crc = kTable[7][word & 0xff] ^ kTable[6][word >> 8 & 0xff] ^ kTable[5][word >> 16 & 0xff] ^
          kTable[4][word >> 24 & 0xff] ^ kTable[3][word >> 32 & 0xff] ^
          kTable[2][word >> 40 & 0xff] ^ kTable[1][word >> 48 & 0xff] ^ kTable[0][word >> 56];
  }
  for (; left > 0; --left, ++at) {
    crc = crc >> 8 ^ kTable[0][(crc ^ static_cast<uint8_t>(*at)) & 0xff];
  }
  return crc;
}

#if defined(__x86_64__)

// x to the power of `degree`, modulo the polynomial, reflected as everything here.
constexpr uint64_t PowerOfX(int degree) {
  uint64_t power = uint64_t{1} << 63;
  for (; degree > 0; --degree) {
    power = (power & 1) != 0 ? power >> 1 ^ kReflectedPolynomial : power >> 1;
  }
  return power;
}

constexpr size_t kLanes = 4;
constexpr size_t kLaneBytes = sizeof(__m128i);
constexpr size_t kRoundBytes = kLanes * kLaneBytes;

// What moves 16 bytes `bytes` bytes ahead: factors for the first 8 and the last 8 of them. A
// product of reflected numbers comes out multiplied by x once more, hence the powers that are one
// lower.
template <size_t bytes>
inline __m128i Factors() {
  constexpr int kBits = static_cast<int>(bytes) * 8;
  constexpr uint64_t kFirst = PowerOfX(kBits + 63);
  constexpr uint64_t kLast = PowerOfX(kBits - 1);
  return _mm_set_epi64x(static_cast<int64_t>(kLast), static_cast<int64_t>(kFirst));
}

[[gnu::target("pclmul")]] inline __m128i Moved(__m128i block, __m128i factors) {
  return _mm_xor_si128(_mm_clmulepi64_si128(block, factors, 0x00),
                       _mm_clmulepi64_si128(block, factors, 0x11));
}

inline __m128i Load(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

// Expects at least kRoundBytes. Four blocks of 16 bytes are each moved 64 bytes ahead and added to
// what stands there, until one is left, which has the checksum of all of it.
[[gnu::target("pclmul")]] uint64_t ByMultiplying(uint64_t crc, const char* at, size_t left) {
  __m128i lanes[kLanes];
  for (size_t i = 0; i < kLanes; ++i) lanes[i] = Load(at + i * kLaneBytes);
  lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi64_si128(static_cast<int64_t>(crc)));
  at += kRoundBytes;
  left -= kRoundBytes;
  const __m128i round = Factors<kRoundBytes>();
  for (; left >= kRoundBytes; left -= kRoundBytes, at += kRoundBytes) {
    for (size_t i = 0; i < kLanes; ++i) {
      lanes[i] = _mm_xor_si128(Moved(lanes[i], round), Load(at + i * kLaneBytes));
    }
  }
  const __m128i step = Factors<kLaneBytes>();
  __m128i sum = lanes[0];
  for (size_t i = 1; i < kLanes; ++i) sum = _mm_xor_si128(Moved(sum, step), lanes[i]);
  char last[kLaneBytes];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(last), sum);
  return BySlices(BySlices(0, last, sizeof(last)), at, left);
}

#endif

}  // namespace

uint64_t Crc64(uint64_t crc, std::string_view bytes) {
#if defined(__x86_64__)
  static const bool multiplies = __builtin_cpu_supports("pclmul") != 0;
  if (multiplies && bytes.size() >= kRoundBytes) {
    return ByMultiplying(crc, bytes.data(), bytes.size());
  }
#endif
  return BySlices(crc, bytes.data(), bytes.size());
}

}  // namespace spinel
