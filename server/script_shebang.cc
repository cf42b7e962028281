#include "server/script_shebang.h"

#include <fmt/format.h>

#include <vector>

#include "protocol/ascii.h"
#include "server/scripts.h"

namespace spinel {
namespace {

// Words with quotes taken off, as in name="foo". False: a quote is left open.
bool SplitWords(std::string_view line, std::vector<std::string>* words) {
  size_t i = 0;
  while (i < line.size()) {
    if (line[i] == ' ' || line[i] == '\t' || line[i] == '\r') {
      ++i;
      continue;
    }
    std::string word;
    char quote = 0;
    for (; i < line.size(); ++i) {
      const char c = line[i];
      if (quote != 0) {
        if (c == quote) {
          quote = 0;
        } else {
          word += c;
        }
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == ' ' || c == '\t' || c == '\r') {
        break;
      } else {
        word += c;
      }
    }
    if (quote != 0) return false;
    words->push_back(std::move(word));
  }
  return true;
}

std::string ReadFlags(std::string_view list, uint32_t* flags) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string_view name = list.substr(0, comma);
    const uint32_t flag = ScriptFlagOf(name);
    if (flag == 0) return fmt::format("ERR Unexpected flag in script shebang: {}", name);
    *flags |= flag;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return {};
}

}  // namespace

std::string ReadShebang(std::string_view body, uint32_t* flags, size_t* code_offset) {
  *flags = kScriptCompatible;
  *code_offset = 0;
  if (!body.starts_with("#!")) return {};
  const size_t end = body.find('\n');
  if (end == std::string_view::npos) return "ERR Invalid script shebang";
  std::vector<std::string> words;
  if (!SplitWords(body.substr(0, end), &words)) return "ERR Invalid engine in script shebang";
  if (words[0] != "#!lua") {
    return fmt::format("ERR Unexpected engine in script shebang: {}", words[0]);
  }
  *flags = 0;
  *code_offset = end;
  for (size_t i = 1; i < words.size(); ++i) {
    constexpr std::string_view kFlags = "flags=";
    const std::string_view word = words[i];
    if (!word.starts_with(kFlags)) return fmt::format("ERR Unknown lua shebang option: {}", word);
    std::string error = ReadFlags(word.substr(kFlags.size()), flags);
    if (!error.empty()) return error;
  }
  return {};
}

std::string ReadLibraryShebang(std::string_view code, std::string* name) {
  if (!code.starts_with("#!")) return "ERR Missing library metadata";
  const size_t end = code.find('\n');
  if (end == std::string_view::npos) return "ERR Invalid library metadata";
  std::vector<std::string> words;
  if (!SplitWords(code.substr(0, end), &words)) return "ERR Invalid library metadata";
  bool named = false;
  for (size_t i = 1; i < words.size(); ++i) {
    constexpr std::string_view kName = "name=";
    const std::string_view word = words[i];
    if (word.size() < kName.size() || !EqualsIgnoreCase(word.substr(0, kName.size()), kName)) {
      return fmt::format("ERR Invalid metadata value given: {}", word);
    }
    if (named) return "ERR Invalid metadata value, name argument was given multiple times";
    named = true;
    *name = word.substr(kName.size());
  }
  if (!named) return "ERR Library name was not given";
  if (!IsLibraryName(*name)) return fmt::format("ERR {}", kBadLibraryName);
  const std::string_view engine = std::string_view(words[0]).substr(2);
  if (!EqualsIgnoreCase(engine, "lua")) return fmt::format("ERR Engine '{}' not found", engine);
  return {};
}

}  // namespace spinel
