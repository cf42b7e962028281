// cmsgpack: Lua values as MessagePack.

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "server/lua/libraries.h"
#include "server/lua/memory.h"

namespace spinel {
namespace {

constexpr int kMaxDepth = 16;  // deeper tables are packed as nil: circular ones end

template <typename Integer>
void AppendBig(LuaBuffer* out, char tag, Integer value) {
  char bytes[1 + sizeof(value)];
  bytes[0] = tag;
  for (size_t i = 0; i < sizeof(value); ++i) {
    bytes[1 + i] = static_cast<char>(value >> (8 * (sizeof(value) - 1 - i)));
  }
  out->Append({bytes, sizeof(bytes)});
}

void PackUnsigned(LuaBuffer* out, uint64_t value) {
  if (value <= 0x7f) return out->Append(static_cast<char>(value));
  if (value <= 0xff) return AppendBig(out, '\xcc', static_cast<uint8_t>(value));
  if (value <= 0xffff) return AppendBig(out, '\xcd', static_cast<uint16_t>(value));
  if (value <= 0xffffffff) return AppendBig(out, '\xce', static_cast<uint32_t>(value));
  AppendBig(out, '\xcf', value);
}

void PackNegative(LuaBuffer* out, int64_t value) {
  if (value >= -32) return out->Append(static_cast<char>(value));
  if (value >= INT8_MIN) return AppendBig(out, '\xd0', static_cast<uint8_t>(value));
  if (value >= INT16_MIN) return AppendBig(out, '\xd1', static_cast<uint16_t>(value));
  if (value >= INT32_MIN) return AppendBig(out, '\xd2', static_cast<uint32_t>(value));
  AppendBig(out, '\xd3', static_cast<uint64_t>(value));
}

void PackNumber(LuaBuffer* out, double value) {
  if (value == std::floor(value) && std::abs(value) < 0x1p63) {
    const auto integer = static_cast<int64_t>(value);
    return integer < 0 ? PackNegative(out, integer)
                       : PackUnsigned(out, static_cast<uint64_t>(integer));
  }
  const auto narrow = static_cast<float>(value);
  if (static_cast<double>(narrow) == value) {
    return AppendBig(out, '\xca', std::bit_cast<uint32_t>(narrow));
  }
  AppendBig(out, '\xcb', std::bit_cast<uint64_t>(value));
}

void PackBytes(LuaBuffer* out, std::string_view bytes) {
  const size_t size = bytes.size();
  if (size < 32) {
    out->Append(static_cast<char>(0xa0 | size));
  } else if (size <= 0xff) {
    AppendBig(out, '\xd9', static_cast<uint8_t>(size));
  } else if (size <= 0xffff) {
    AppendBig(out, '\xda', static_cast<uint16_t>(size));
  } else {
    AppendBig(out, '\xdb', static_cast<uint32_t>(size));
  }
  out->Append(bytes);
}

void PackHeader(LuaBuffer* out, size_t size, char small, char medium, char large) {
  if (size <= 15) return out->Append(static_cast<char>(small | static_cast<char>(size)));
  if (size <= 0xffff) return AppendBig(out, medium, static_cast<uint16_t>(size));
  AppendBig(out, large, static_cast<uint32_t>(size));
}

void PackValue(lua_State* lua, LuaBuffer* out, int depth);

// Whether the table on top has the keys 1 to n and no others.
bool IsArray(lua_State* lua, size_t* size, size_t* pairs) {
  double highest = 0;
  bool positive_integers = true;
  *pairs = 0;
  lua_pushnil(lua);
  while (lua_next(lua, -2) != 0) {
    lua_pop(lua, 1);
    ++*pairs;
    const double key = lua_type(lua, -1) == LUA_TNUMBER ? lua_tonumber(lua, -1) : 0;
    if (key < 1 || key != std::floor(key)) {
      positive_integers = false;
    } else if (key > highest) {
      highest = key;
    }
  }
  *size = *pairs;
  return positive_integers && highest == static_cast<double>(*pairs);
}

void PackTable(lua_State* lua, LuaBuffer* out, int depth) {
  size_t size;
  size_t pairs;
  if (IsArray(lua, &size, &pairs)) {
    PackHeader(out, size, '\x90', '\xdc', '\xdd');
    for (size_t i = 1; i <= size; ++i) {
      lua_rawgeti(lua, -1, static_cast<int>(i));
      PackValue(lua, out, depth + 1);
    }
    return;
  }
  PackHeader(out, pairs, '\x80', '\xde', '\xdf');
  lua_pushnil(lua);
  while (lua_next(lua, -2) != 0) {
    lua_pushvalue(lua, -2);
    PackValue(lua, out, depth + 1);
    PackValue(lua, out, depth + 1);
  }
}

// Takes the value from the top of the stack.
void PackValue(lua_State* lua, LuaBuffer* out, int depth) {
  luaL_checkstack(lua, 5, "too many nested tables");
  switch (lua_type(lua, -1)) {
    case LUA_TSTRING: {
      size_t size;
      const char* bytes = lua_tolstring(lua, -1, &size);
      PackBytes(out, {bytes, size});
      break;
    }
    case LUA_TBOOLEAN:
      out->Append(lua_toboolean(lua, -1) != 0 ? '\xc3' : '\xc2');
      break;
    case LUA_TNUMBER:
      PackNumber(out, lua_tonumber(lua, -1));
      break;
    case LUA_TTABLE:
      if (depth < kMaxDepth) {
        PackTable(lua, out, depth);
        break;
      }
      [[fallthrough]];
    default:
      out->Append('\xc0');
  }
  lua_pop(lua, 1);
}

int PackMessage(lua_State* lua) {
  const int count = lua_gettop(lua);
  if (count == 0) return luaL_argerror(lua, 0, "MessagePack pack needs input.");
  LuaBuffer out(lua);
  for (int i = 1; i <= count; ++i) {
    luaL_checkstack(lua, 1, "in function cmsgpack.pack");
    lua_pushvalue(lua, i);
    PackValue(lua, &out, 0);
  }
  out.Push();
  return 1;
}

// -- Unpacking
// -------------------------------------------------------------------------------------

class MessageReader {
 public:
  MessageReader(lua_State* lua, const char* data, size_t size)
      : lua_(lua), data_(data), left_(size) {}

  size_t left() const { return left_; }
  // Pushes one value.
  void Value(int depth);

 private:
  const char* Take(size_t size) {
    if (left_ < size) luaL_error(lua_, "Missing bytes in input.");
    const char* taken = data_;
    data_ += size;
    left_ -= size;
    return taken;
  }
  template <typename Integer>
  Integer Big() {
    const char* bytes = Take(sizeof(Integer));
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(Integer); ++i)
      value = value << 8 | static_cast<uint8_t>(bytes[i]);
    return static_cast<Integer>(value);
  }
  template <typename Integer>
  void Number() {
    lua_pushnumber(lua_, static_cast<double>(Big<Integer>()));
  }
  void String(size_t size) { lua_pushlstring(lua_, Take(size), size); }
  void Array(size_t size, int depth);
  void Map(size_t size, int depth);
  void Tagged(uint8_t tag, int depth);

  static constexpr int kMaxNesting = 1000;

  lua_State* const lua_;
  const char* data_;
  size_t left_;
};

void MessageReader::Array(size_t size, int depth) {
  lua_newtable(lua_);
  for (size_t i = 1; i <= size; ++i) {
    Value(depth + 1);
    lua_rawseti(lua_, -2, static_cast<int>(i));
  }
}

void MessageReader::Map(size_t size, int depth) {
  lua_newtable(lua_);
  for (size_t i = 0; i < size; ++i) {
    Value(depth + 1);
    Value(depth + 1);
    const bool nan = lua_type(lua_, -2) == LUA_TNUMBER && std::isnan(lua_tonumber(lua_, -2));
    if (lua_isnil(lua_, -2) || nan) luaL_error(lua_, "Bad data format in input.");
    lua_rawset(lua_, -3);
  }
}

void MessageReader::Tagged(uint8_t tag, int depth) {
  switch (tag) {
    case 0xc0:
      return lua_pushnil(lua_);
    case 0xc2:
    case 0xc3:
      return lua_pushboolean(lua_, tag & 1);
    case 0xca:
      return lua_pushnumber(lua_, static_cast<double>(std::bit_cast<float>(Big<uint32_t>())));
    case 0xcb:
      return lua_pushnumber(lua_, std::bit_cast<double>(Big<uint64_t>()));
    case 0xcc:
      return Number<uint8_t>();
    case 0xcd:
      return Number<uint16_t>();
    case 0xce:
      return Number<uint32_t>();
    case 0xcf:
      return Number<uint64_t>();
    case 0xd0:
      return Number<int8_t>();
    case 0xd1:
      return Number<int16_t>();
    case 0xd2:
      return Number<int32_t>();
    case 0xd3:
      return Number<int64_t>();
    case 0xc4:
    case 0xd9:
      return String(Big<uint8_t>());
    case 0xc5:
    case 0xda:
      return String(Big<uint16_t>());
    case 0xc6:
    case 0xdb:
      return String(Big<uint32_t>());
    case 0xdc:
      return Array(Big<uint16_t>(), depth);
    case 0xdd:
      return Array(Big<uint32_t>(), depth);
    case 0xde:
      return Map(Big<uint16_t>(), depth);
    case 0xdf:
      return Map(Big<uint32_t>(), depth);
    default:
      luaL_error(lua_, "Bad data format in input.");
  }
}

void MessageReader::Value(int depth) {
  if (depth > kMaxNesting) luaL_error(lua_, "Bad data format in input.");
  luaL_checkstack(lua_, 3, "too many nested values in input");
  const auto tag = static_cast<uint8_t>(*Take(1));
  if (tag <= 0x7f) return lua_pushnumber(lua_, tag);
  if (tag >= 0xe0) return lua_pushnumber(lua_, static_cast<int8_t>(tag));
  if (tag <= 0x8f) return Map(tag & 0x0f, depth);
  if (tag <= 0x9f) return Array(tag & 0x0f, depth);
  if (tag <= 0xbf) return String(tag & 0x1f);
  Tagged(tag, depth);
}

// Unpacks up to `limit` values from `offset` on; 0: all. With `full` the values only, otherwise
// where the next begins comes first, -1 for the end.
int UnpackValues(lua_State* lua, int64_t limit, int64_t offset, bool full) {
  size_t size;
  const char* data = luaL_checklstring(lua, 1, &size);
  if (offset < 0 || limit < 0) {
    return luaL_error(lua, "Invalid request to unpack with offset of %d and limit of %d.",
                      static_cast<int>(offset), static_cast<int>(limit));
  }
  if (static_cast<uint64_t>(offset) > size) {
    return luaL_error(lua, "Start offset %d greater than input length %d.",
                      static_cast<int>(offset), static_cast<int>(size));
  }
  lua_settop(lua, 1);
  if (!full) lua_pushnil(lua);  // the place of the offset
  MessageReader reader(lua, data + offset, size - static_cast<size_t>(offset));
  int count = 0;
  while (reader.left() > 0 && (limit == 0 || count < limit)) {
    luaL_checkstack(lua, 2, "in function cmsgpack.unpack");
    reader.Value(0);
    ++count;
  }
  if (full) return count;
  lua_pushnumber(lua, reader.left() == 0 ? -1 : static_cast<double>(size - reader.left()));
  lua_replace(lua, 2);
  return count + 1;
}

int UnpackMessage(lua_State* lua) { return UnpackValues(lua, 0, 0, true); }
int UnpackOne(lua_State* lua) {
  return UnpackValues(lua, 1, static_cast<int64_t>(luaL_optinteger(lua, 2, 0)), false);
}
int UnpackLimit(lua_State* lua) {
  const auto limit = static_cast<int64_t>(luaL_checkinteger(lua, 2));
  return UnpackValues(lua, limit, static_cast<int64_t>(luaL_optinteger(lua, 3, 0)), false);
}

constexpr luaL_Reg kMessagePackFunctions[] = {{"pack", PackMessage},
                                              {"unpack", UnpackMessage},
                                              {"unpack_one", UnpackOne},
                                              {"unpack_limit", UnpackLimit},
                                              {nullptr, nullptr}};

}  // namespace

void PushMsgPackLibrary(lua_State* lua) {
  lua_newtable(lua);
  luaL_register(lua, nullptr, kMessagePackFunctions);
  lua_pushliteral(lua, "cmsgpack");
  lua_setfield(lua, -2, "_NAME");
  lua_pushliteral(lua, "lua-cmsgpack 0.4.0");
  lua_setfield(lua, -2, "_VERSION");
  lua_pushliteral(lua, "MessagePack C implementation for Lua");
  lua_setfield(lua, -2, "_DESCRIPTION");
}

}  // namespace spinel
