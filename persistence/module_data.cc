#include "persistence/module_data.h"

#include <string_view>

#include "persistence/rdb_format.h"

namespace spinel {
namespace {

// The parts that a module has written, up to their end.
bool SkipParts(RdbInput* input) {
  RdbString string;
  for (;;) {
    uint64_t part;
    uint64_t number;
    if (!input->Length(&part)) return false;
    bool ok;
    switch (part) {
      case static_cast<uint64_t>(RdbModulePart::kEnd):
        return true;
      case static_cast<uint64_t>(RdbModulePart::kSigned):
      case static_cast<uint64_t>(RdbModulePart::kUnsigned):
        ok = input->Length(&number);
        break;
      case static_cast<uint64_t>(RdbModulePart::kFloat):
        ok = input->Skip(sizeof(float));
        break;
      case static_cast<uint64_t>(RdbModulePart::kDouble):
        ok = input->Skip(sizeof(double));
        break;
      case static_cast<uint64_t>(RdbModulePart::kString):
        ok = input->String(&string);
        break;
      default:
        ok = input->Fail("a part of what a module has written");
    }
    if (!ok) return false;
  }
}

}  // namespace

std::string ModuleTypeName(uint64_t id) {
  constexpr std::string_view kCharacters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  static_assert(kCharacters.size() == 64);
  constexpr int kLength = 9;
  std::string name(kLength, ' ');
  id >>= 10;
  for (int i = kLength; i > 0; --i, id >>= 6)
    name[static_cast<size_t>(i - 1)] = kCharacters[id & 63];
  return name;
}

bool SkipModuleAux(RdbInput* input, std::string* module) {
  uint64_t id;
  uint64_t when_part;
  uint64_t when;
  if (!input->Length(&id) || !input->Length(&when_part)) return false;
  if (when_part != static_cast<uint64_t>(RdbModulePart::kUnsigned)) {
    return input->Fail("when a module wants its data");
  }
  if (!input->Length(&when)) return false;
  *module = ModuleTypeName(id);
  return SkipParts(input);
}

}  // namespace spinel
