// bit: operations on 32 bits (after Mike Pall's BitOp, whose numbers are signed results).

#include <bit>
#include <cstdint>
#include <cstring>

#include "server/lua/libraries.h"

namespace spinel {
namespace {

// A number modulo 2^32: adding 2^52 + 2^51 leaves its integer part in the low bits of the mantissa.
uint32_t ToBits(lua_State* lua, int index) {
  const double shifted = luaL_checknumber(lua, index) + 6755399441055744.0;
  uint64_t bits;
  std::memcpy(&bits, &shifted, sizeof(bits));
  return static_cast<uint32_t>(bits);
}

int PushBits(lua_State* lua, uint32_t bits) {
  lua_pushnumber(lua, static_cast<int32_t>(bits));
  return 1;
}

int ToBit(lua_State* lua) { return PushBits(lua, ToBits(lua, 1)); }
int Not(lua_State* lua) { return PushBits(lua, ~ToBits(lua, 1)); }

template <typename Operation>
int Fold(lua_State* lua, Operation operation) {
  uint32_t bits = ToBits(lua, 1);
  for (int i = lua_gettop(lua); i > 1; --i) bits = operation(bits, ToBits(lua, i));
  return PushBits(lua, bits);
}
int And(lua_State* lua) {
  return Fold(lua, [](uint32_t a, uint32_t b) { return a & b; });
}
int Or(lua_State* lua) {
  return Fold(lua, [](uint32_t a, uint32_t b) { return a | b; });
}
int Xor(lua_State* lua) {
  return Fold(lua, [](uint32_t a, uint32_t b) { return a ^ b; });
}

template <typename Operation>
int Shift(lua_State* lua, Operation operation) {
  const uint32_t bits = ToBits(lua, 1);
  return PushBits(lua, operation(bits, static_cast<int>(ToBits(lua, 2) & 31)));
}
int ShiftLeft(lua_State* lua) {
  return Shift(lua, [](uint32_t bits, int by) { return bits << by; });
}
int ShiftRight(lua_State* lua) {
  return Shift(lua, [](uint32_t bits, int by) { return bits >> by; });
}
int ShiftRightSigned(lua_State* lua) {
  return Shift(lua, [](uint32_t bits, int by) {
    return static_cast<uint32_t>(static_cast<int32_t>(bits) >> by);
  });
}
int RotateLeft(lua_State* lua) {
  return Shift(lua, [](uint32_t bits, int by) { return std::rotl(bits, by); });
}
int RotateRight(lua_State* lua) {
  return Shift(lua, [](uint32_t bits, int by) { return std::rotr(bits, by); });
}
int SwapBytes(lua_State* lua) { return PushBits(lua, __builtin_bswap32(ToBits(lua, 1))); }

// Negative counts of digits mean capital letters.
int ToHex(lua_State* lua) {
  constexpr int32_t kDigits = 8;
  uint32_t bits = ToBits(lua, 1);
  int64_t digits = lua_isnone(lua, 2) ? kDigits : static_cast<int32_t>(ToBits(lua, 2));
  const char* hex = "0123456789abcdef";
  if (digits < 0) {
    digits = -digits;
    hex = "0123456789ABCDEF";
  }
  if (digits > kDigits) digits = kDigits;
  char text[kDigits];
  for (int64_t i = digits; --i >= 0; bits >>= 4) text[i] = hex[bits & 15];
  lua_pushlstring(lua, text, static_cast<size_t>(digits));
  return 1;
}

constexpr luaL_Reg kBitFunctions[] = {
    {"tobit", ToBit},       {"bnot", Not},
    {"band", And},          {"bor", Or},
    {"bxor", Xor},          {"lshift", ShiftLeft},
    {"rshift", ShiftRight}, {"arshift", ShiftRightSigned},
    {"rol", RotateLeft},    {"ror", RotateRight},
    {"bswap", SwapBytes},   {"tohex", ToHex},
    {nullptr, nullptr},
};

}  // namespace

void PushBitLibrary(lua_State* lua) {
  lua_newtable(lua);
  luaL_register(lua, nullptr, kBitFunctions);
}

}  // namespace spinel
