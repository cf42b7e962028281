// struct: values to and from bytes, by a format (after Roberto Ierusalimschy's library of this
// name): > < = byte order, ! alignment, x padding, bBhHlLTiI integers, fd floats, sc strings.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "server/lua/libraries.h"
#include "server/lua/memory.h"

namespace spinel {
namespace {

constexpr size_t kMaxIntegerBytes = 32;
constexpr size_t kMaxAlignment = 16;

class Format {
 public:
  Format(lua_State* lua, int index) : lua_(lua), next_(luaL_checkstring(lua, index)) {}

  // The next option, controls obeyed; 0: the end. Padding before a value is padding().
  char Next(size_t position);
  size_t size() const { return size_; }
  size_t padding() const { return padding_; }
  bool little() const { return little_; }

 private:
  size_t Number(size_t otherwise);
  size_t IntegerBytes(size_t otherwise);
  size_t SizeOf(char option);
  bool Control(char option);

  lua_State* const lua_;
  const char* next_;
  bool little_ = true;
  size_t alignment_ = 1;
  size_t size_ = 0;
  size_t padding_ = 0;
};

size_t Format::Number(size_t otherwise) {
  if (*next_ < '0' || *next_ > '9') return otherwise;
  size_t number = 0;
  for (; *next_ >= '0' && *next_ <= '9'; ++next_) {
    number = number * 10 + static_cast<size_t>(*next_ - '0');
    if (number > INT32_MAX) luaL_error(lua_, "integral size overflow");
  }
  return number;
}

size_t Format::IntegerBytes(size_t otherwise) {
  const size_t bytes = Number(otherwise);
  if (bytes > kMaxIntegerBytes) {
    luaL_error(lua_, "integral size %d is larger than limit of %d", static_cast<int>(bytes),
               static_cast<int>(kMaxIntegerBytes));
  }
  if (bytes == 0) luaL_error(lua_, "integral size 0 is not allowed");
  return bytes;
}

size_t Format::SizeOf(char option) {
  switch (option) {
    case 'B':
    case 'b':
    case 'x':
      return 1;
    case 'H':
    case 'h':
      return sizeof(short);
    case 'L':
    case 'l':
      return sizeof(long);
    case 'T':
      return sizeof(size_t);
    case 'f':
      return sizeof(float);
    case 'd':
      return sizeof(double);
    case 'c':
      return Number(1);
    case 'i':
    case 'I':
      return IntegerBytes(sizeof(int));
    default:
      return 0;
  }
}

bool Format::Control(char option) {
  switch (option) {
    case ' ':
      return true;
    case '>':
      little_ = false;
      return true;
    case '<':
      little_ = true;
      return true;
    case '=':
      little_ = std::endian::native == std::endian::little;
      return true;
    case '!': {
      const size_t alignment = Number(kMaxAlignment);
      if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > 1024) {
        luaL_error(lua_, "alignment is not a power of 2");
      }
      alignment_ = alignment;
      return true;
    }
    default:
      return false;
  }
}

char Format::Next(size_t position) {
  while (*next_ != '\0') {
    const char option = *next_++;
    if (Control(option)) continue;
    if (std::strchr("bBhHlLTiIfdxsc", option) == nullptr) {
      luaL_error(lua_, "invalid format option '%c'", option);
    }
    size_ = SizeOf(option);
    padding_ = 0;
    if (option != 'c' && option != 's' && option != 'x' && size_ > 1) {
      const size_t alignment = std::min(size_, alignment_);
      if (alignment > 1) {
        if ((alignment & (alignment - 1)) != 0) luaL_error(lua_, "alignment is not a power of 2");
        padding_ = (alignment - (position & (alignment - 1))) & (alignment - 1);
      }
    }
    return option;
  }
  return 0;
}

bool IsSigned(char option) { return option >= 'a' && option <= 'z'; }

void PackInteger(lua_State* lua, int index, const Format& format, LuaBuffer* out) {
  const double number = luaL_checknumber(lua, index);
  uint64_t value = number < 0
                       ? static_cast<uint64_t>(static_cast<int64_t>(std::max(number, -0x1p63)))
                   : number < 0x1p64 ? static_cast<uint64_t>(number)
                                     : 0;
  char bytes[kMaxIntegerBytes];
  for (size_t i = 0; i < format.size(); ++i) {
    bytes[i] = i < sizeof(value) ? static_cast<char>(value >> (8 * i)) : number < 0 ? '\xff' : '\0';
  }
  if (!format.little()) std::reverse(bytes, bytes + format.size());
  out->Append({bytes, format.size()});
}

double UnpackInteger(const char* data, const Format& format, bool is_signed) {
  uint64_t value = 0;
  const size_t size = format.size();
  for (size_t i = 0; i < std::min(size, sizeof(value)); ++i) {
    const char byte = data[format.little() ? i : size - 1 - i];
    value |= uint64_t{static_cast<uint8_t>(byte)} << (8 * i);
  }
  if (!is_signed) return static_cast<double>(value);
  if (size < sizeof(value)) {
    const uint64_t sign = uint64_t{1} << (size * 8 - 1);
    value = (value ^ sign) - sign;
  }
  return static_cast<double>(static_cast<int64_t>(value));
}

template <typename Float>
void PackFloat(double number, bool little, LuaBuffer* out) {
  const auto value = static_cast<Float>(number);
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  if (little != (std::endian::native == std::endian::little))
    std::reverse(bytes, bytes + sizeof(value));
  out->Append({bytes, sizeof(value)});
}

template <typename Float>
double UnpackFloat(const char* data, bool little) {
  char bytes[sizeof(Float)];
  std::memcpy(bytes, data, sizeof(bytes));
  if (little != (std::endian::native == std::endian::little))
    std::reverse(bytes, bytes + sizeof(bytes));
  Float value;
  std::memcpy(&value, bytes, sizeof(value));
  return static_cast<double>(value);
}

void PackString(lua_State* lua, int index, char option, size_t size, LuaBuffer* out) {
  size_t length;
  const char* bytes = luaL_checklstring(lua, index, &length);
  if (size == 0) size = length;
  luaL_argcheck(lua, length >= size, index, "string too short");
  out->Append({bytes, size});
  if (option == 's') out->Append('\0');
}

int PackStruct(lua_State* lua) {
  Format format(lua, 1);
  LuaBuffer out(lua);
  int index = 2;
  while (const char option = format.Next(out.size())) {
    for (size_t i = 0; i < format.padding(); ++i) out.Append('\0');
    switch (option) {
      case 'x':
        out.Append('\0');
        break;
      case 'f':
        PackFloat<float>(luaL_checknumber(lua, index++), format.little(), &out);
        break;
      case 'd':
        PackFloat<double>(luaL_checknumber(lua, index++), format.little(), &out);
        break;
      case 'c':
      case 's':
        PackString(lua, index++, option, format.size(), &out);
        break;
      default:
        PackInteger(lua, index++, format, &out);
    }
  }
  out.Push();
  return 1;
}

// How many bytes a string has; `count`: values on the stack, of which 'c0' takes the last.
size_t StringSize(lua_State* lua, char option, size_t size, const char* data, size_t left,
                  int* count) {
  if (option == 's') {
    const void* end = std::memchr(data, '\0', left);
    if (end == nullptr) luaL_error(lua, "unfinished string in data");
    return static_cast<size_t>(static_cast<const char*>(end) - data);
  }
  if (size != 0) return size;
  if (*count == 0 || !lua_isnumber(lua, -1)) {
    luaL_error(lua, "format 'c0' needs a previous size");
  }
  const double wanted = lua_tonumber(lua, -1);
  lua_pop(lua, 1);
  --*count;
  luaL_argcheck(lua, wanted >= 0 && wanted <= static_cast<double>(left), 2,
                "data string too short");
  return static_cast<size_t>(wanted);
}

int UnpackStruct(lua_State* lua) {
  Format format(lua, 1);
  size_t length;
  const char* data = luaL_checklstring(lua, 2, &length);
  const double first = luaL_optnumber(lua, 3, 1);
  luaL_argcheck(lua, first >= 1, 3, "offset must be 1 or greater");
  luaL_argcheck(lua, first - 1 <= static_cast<double>(length), 3, "offset is out of range");
  auto position = static_cast<size_t>(first) - 1;
  int count = 0;
  while (const char option = format.Next(position)) {
    luaL_checkstack(lua, 2, "too many results");
    const size_t left = length - position;
    const size_t fixed = option == 's' ? 0 : format.size();
    luaL_argcheck(lua, format.padding() + fixed <= left, 2, "data string too short");
    position += format.padding();
    const char* from = data + position;
    size_t used = format.size();
    switch (option) {
      case 'x':
        --count;
        break;
      case 'f':
        lua_pushnumber(lua, UnpackFloat<float>(from, format.little()));
        break;
      case 'd':
        lua_pushnumber(lua, UnpackFloat<double>(from, format.little()));
        break;
      case 'c':
      case 's':
        used = StringSize(lua, option, format.size(), from, length - position, &count);
        lua_pushlstring(lua, from, used);
        if (option == 's') ++used;
        break;
      default:
        lua_pushnumber(lua, UnpackInteger(from, format, IsSigned(option)));
    }
    ++count;
    position += used;
  }
  lua_pushnumber(lua, static_cast<double>(position) + 1);
  return count + 1;
}

int Size(lua_State* lua) {
  Format format(lua, 1);
  size_t position = 0;
  while (const char option = format.Next(position)) {
    if (option == 's') {
      luaL_argerror(lua, 1, "variable-size format in 'size'");
    } else if (option == 'c' && format.size() == 0) {
      luaL_argerror(lua, 1, "variable-length format in 'size'");
    }
    position += format.padding() + format.size();
    if (position > INT32_MAX) luaL_error(lua, "size too large");
  }
  lua_pushnumber(lua, static_cast<double>(position));
  return 1;
}

constexpr luaL_Reg kStructFunctions[] = {
    {"pack", PackStruct}, {"unpack", UnpackStruct}, {"size", Size}, {nullptr, nullptr}};

}  // namespace

void PushStructLibrary(lua_State* lua) {
  lua_newtable(lua);
  luaL_register(lua, nullptr, kStructFunctions);
}

}  // namespace spinel
