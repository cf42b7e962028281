#include "server/config_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "protocol/hex.h"
#include "server/config_environment.h"
#include "server/config_table.h"
#include "server/version.h"

namespace spinel {
namespace {

constexpr std::string_view kConfigBlanks = " \t\r\n";
constexpr size_t kMaxShownLine = 200;  // of a refused line, in bytes

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Appends the quoted text that begins behind `*at`'s opening quote; leaves `*at` behind the closing
// one. False if it is not closed, or something other than a blank follows.
bool ReadQuoted(std::string_view line, char quote, size_t* at, std::string* word) {
  for (size_t i = *at; i < line.size(); ++i) {
    const char c = line[i];
    if (c == quote) {
      *at = i + 1;
      return *at == line.size() || IsBlank(line[*at]);
    }
    if (c != '\\' || i + 1 == line.size() || (quote == '\'' && line[i + 1] != '\'')) {
      *word += c;
      continue;
    }
    const bool hex = quote == '"' && line[i + 1] == 'x' && i + 3 < line.size();
    const int byte = hex ? HexByte(line[i + 2], line[i + 3]) : -1;
    if (byte >= 0) {
      *word += static_cast<char>(byte);
      i += 3;
      continue;
    }
    *word += quote == '"' ? EscapedLetter(line[i + 1]) : line[i + 1];
    ++i;
  }
  return false;
}

std::string ReadError(int error) {
  if (error == EFBIG) {
    return fmt::format("longer than {} MB, which no configuration file is",
                       ConfigLoader::kMaxFileBytes / (1024 * 1024));
  }
  return std::strerror(error);
}

// The line for a message: bounded, on one line, without control characters.
std::string Shown(std::string_view line) {
  std::string shown;
  for (char c : line.substr(0, kMaxShownLine)) {
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  if (line.size() > kMaxShownLine) shown += "...";
  return shown;
}

bool HasWildcard(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

std::string FatalHeader() {
  return fmt::format("\n*** FATAL CONFIG FILE ERROR (Spinel {}) ***\n", kSpinelVersion);
}

}  // namespace

std::string_view TrimLine(std::string_view text) {
  size_t begin = text.find_first_not_of(kConfigBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kConfigBlanks) - begin + 1);
}

std::optional<std::vector<std::string>> SplitArgs(std::string_view line) {
  std::vector<std::string> words;
  size_t at = 0;
  for (;;) {
    while (at < line.size() && IsBlank(line[at])) ++at;
    if (at == line.size()) return words;
    std::string word;
    while (at < line.size() && kConfigBlanks.find(line[at]) == std::string_view::npos) {
      const char c = line[at++];
      if (c != '"' && c != '\'') {
        word += c;
        continue;
      }
      if (!ReadQuoted(line, c, &at, &word)) return std::nullopt;
      break;  // a closing quote ends the word
    }
    words.push_back(std::move(word));
  }
}

std::string QuoteArg(std::string_view word) {
  std::string quoted = "\"";
  for (char c : word) {
    switch (c) {
      case '\\':
      case '"':
        quoted += '\\';
        quoted += c;
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\r':
        quoted += "\\r";
        break;
      case '\t':
        quoted += "\\t";
        break;
      case '\a':
        quoted += "\\a";
        break;
      case '\b':
        quoted += "\\b";
        break;
      default:
        if (c >= 0x20 && c < 0x7f) {
          quoted += c;
        } else {
          quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
  }
  quoted += '"';
  return quoted;
}

int ReadConfigText(int fd, std::string* text) {
  char buffer[64 * 1024];
  for (;;) {
    ssize_t got = ::read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    if (text->size() + static_cast<size_t>(got) > ConfigLoader::kMaxFileBytes) return EFBIG;
    text->append(buffer, static_cast<size_t>(got));
  }
}

// -- Errors and notices --------------------------------------------------------------------------

ConfigStatus StartError(std::string_view where, std::string_view line, std::string_view reason) {
  return ConfigStatus::Error(
      fmt::format("{}{}\n>>> '{}'\n{}\n", FatalHeader(), where, Shown(line), reason));
}

ConfigStatus ConfigLoader::Fail(const Place& place, std::string_view reason) {
  if (place.source.empty()) {
    return StartError("Reading the options from the command line", place.text, reason);
  }
  return StartError(
      fmt::format("Reading the configuration file, at line {} of {}", place.line, place.source),
      place.text, reason);
}

ConfigStatus ConfigLoader::FailFile(const Place* included_from, const std::string& path,
                                    std::string_view reason) {
  std::string message = fmt::format("Fatal error, can't open config file '{}': {}", path, reason);
  if (included_from != nullptr) return Fail(*included_from, message);
  return ConfigStatus::Error(FatalHeader() + message + "\n");
}

void ConfigLoader::Notice(bool warning, std::string text) {
  config_->notices.push_back({warning, std::move(text)});
}

// -- Sources -------------------------------------------------------------------------------------

ConfigStatus ConfigLoader::LoadFile(const std::string& path) { return OpenAndLoad(path, nullptr); }

ConfigStatus ConfigLoader::OpenAndLoad(const std::string& path, const Place* included_from) {
  if (++files_ > kMaxFiles) return FailFile(included_from, path, "too many files are included");
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FailFile(included_from, path, std::strerror(errno));

  struct stat info {};
  std::string text;
  int error = ::fstat(fd, &info) == 0 ? 0 : errno;
  if (error == 0) error = ReadConfigText(fd, &text);
  ::close(fd);
  if (error != 0) return FailFile(included_from, path, ReadError(error));

  std::pair<uint64_t, uint64_t> identity(info.st_dev, info.st_ino);
  if (std::find(open_files_.begin(), open_files_.end(), identity) != open_files_.end()) {
    return FailFile(included_from, path, "it includes itself");
  }
  if (open_files_.size() >= kMaxDepth) {
    return FailFile(included_from, path,
                    fmt::format("includes are nested more than {} deep", kMaxDepth));
  }
  open_files_.push_back(identity);
  ConfigStatus status = LoadText(path, text);
  open_files_.pop_back();
  return status;
}

ConfigStatus ConfigLoader::LoadStdin(int fd) {
  std::string text;
  int error = ReadConfigText(fd, &text);
  if (error != 0) return FailFile(nullptr, "standard input", ReadError(error));
  return LoadText("standard input", text);
}

ConfigStatus ConfigLoader::LoadCommandLine(std::span<const std::string> lines) {
  for (const std::string& line : lines) {
    ConfigStatus status = LoadLine({"", 0, TrimLine(line)});
    if (!status.ok()) return status;
  }
  return ConfigStatus::Ok();
}

ConfigStatus ConfigLoader::LoadEnvironment(std::span<const EnvironmentOption> options) {
  for (const EnvironmentOption& option : options) {
    const auto fail = [&option](std::string_view reason) {
      return StartError("Reading the environment", option.shown, reason);
    };
    std::optional<std::vector<std::string>> words{{option.value}};
    if (option.row->multi_arg && !option.value.empty()) words = SplitArgs(option.value);
    if (!words) return fail("Unbalanced quotes");
    const ConfigStatus status = config_->LoadRow(*option.row, *words, /*append=*/false);
    if (!status.ok()) return fail(status.error());
    config_->NoteEnvironment(*option.row, option.variable);
    seen_.insert(option.row);
    from_environment_.insert(option.row);
  }
  return ConfigStatus::Ok();
}

ConfigStatus ConfigLoader::LoadText(const std::string& source, std::string_view text) {
  for (size_t number = 1; !text.empty(); ++number) {
    size_t end = std::min(text.find('\n'), text.size());
    Place place{source, number, TrimLine(text.substr(0, end))};
    text.remove_prefix(std::min(end + 1, text.size()));
    ConfigStatus status = LoadLine(place);
    if (!status.ok()) return status;
  }
  return ConfigStatus::Ok();
}

// -- Directives ----------------------------------------------------------------------------------

ConfigStatus ConfigLoader::LoadLine(const Place& place) {
  if (place.text.empty() || place.text[0] == '#') return ConfigStatus::Ok();
  if (place.text.size() > kMaxLineBytes) return Fail(place, "The line is longer than 1 MB");
  if (place.text.find('\0') != std::string_view::npos) {
    return Fail(place, "The line has a NUL byte; this is not a text file");
  }
  auto args = SplitArgs(place.text);
  if (!args) return Fail(place, "Unbalanced quotes in configuration line");
  if (args->empty()) return ConfigStatus::Ok();
  return Directive(place, std::move(*args));
}

ConfigStatus ConfigLoader::Directive(const Place& place, std::vector<std::string> args) {
  const std::string& name = args[0];
  if (const ConfigRow* row = FindConfigRow(name)) {
    args.erase(args.begin());
    return Option(place, *row, std::move(args));
  }
  if (EqualsIgnoreCase(name, "include") && args.size() == 2) return Include(place, args[1]);
  if (EqualsIgnoreCase(name, "rename-command") && args.size() == 3) {
    config_->renamed_commands.push_back({args[1], args[2]});
    return ConfigStatus::Ok();
  }
  if (EqualsIgnoreCase(name, "user") && args.size() >= 2) {
    config_->user_directives.emplace_back(args.begin() + 1, args.end());
    return ConfigStatus::Ok();
  }
  if (EqualsIgnoreCase(name, "loadmodule") && args.size() >= 2) {
    return Fail(place,
                "Modules cannot be loaded: Spinel has no module interface. Remove the line.");
  }
  if (EqualsIgnoreCase(name, "sentinel")) {
    return Fail(place, "Spinel is no Sentinel: it stores data and watches no other servers.");
  }
  if (const ObsoleteOption* obsolete = FindObsoleteOption(name)) {
    Notice(false,
           fmt::format("'{}' is accepted but has no effect: {}", obsolete->name, obsolete->reason));
    return ConfigStatus::Ok();
  }
  std::string reason = "Bad directive or wrong number of arguments";
  std::string_view nearest = NearestConfigName(name);
  if (!nearest.empty() && !EqualsIgnoreCase(nearest, name)) {
    reason += fmt::format(" (did you mean '{}'?)", nearest);
  } else if (name.find('.') != std::string::npos) {
    reason += " (options of modules are not supported)";
  }
  return Fail(place, reason);
}

ConfigStatus ConfigLoader::Option(const Place& place, const ConfigRow& row,
                                  std::vector<std::string> args) {
  if (!row.multi_arg && args.size() != 1) return Fail(place, "wrong number of arguments");
  if (row.multi_arg && args.size() == 1 && !args[0].empty()) {
    // All words in one pair of quotes, as a shell script passes them.
    auto words = SplitArgs(args[0]);
    if (!words) return Fail(place, "Unbalanced quotes in configuration line");
    args = std::move(*words);
  }
  // The environment's value does not grow: the command line's stands in its place.
  const bool replaces = from_environment_.erase(&row) != 0;
  const bool again = !seen_.insert(&row).second && !replaces;
  ConfigStatus status = config_->LoadRow(row, args, again);
  return status.ok() ? status : Fail(place, status.error());
}

ConfigStatus ConfigLoader::Include(const Place& place, const std::string& pattern) {
  if (!HasWildcard(pattern)) return OpenAndLoad(pattern, &place);
  glob_t matches{};
  int error = ::glob(pattern.c_str(), 0, nullptr, &matches);
  ConfigStatus status;
  if (error == 0) {
    for (size_t i = 0; i < matches.gl_pathc && status.ok(); ++i) {
      status = OpenAndLoad(matches.gl_pathv[i], &place);
    }
  } else if (error != GLOB_NOMATCH) {  // an empty conf.d is fine
    status = FailFile(&place, pattern, "the folder cannot be read");
  }
  ::globfree(&matches);
  return status;
}

ConfigStatus ConfigLoader::Finish() {
  // One notice for all options with the same reason, in the order of the table.
  std::vector<std::pair<const ConfigRow*, std::string>> groups;
  for (const ConfigRow* row : ConfigRows()) {
    if (row->no_effect.empty() || !seen_.contains(row) || config_->IsDefault(*row)) continue;
    auto same = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
      return group.first->no_effect == row->no_effect && group.first->warn == row->warn;
    });
    if (same == groups.end()) {
      groups.emplace_back(row, fmt::format("'{}'", row->name));
    } else {
      same->second += fmt::format(", '{}'", row->name);
    }
  }
  for (const auto& [row, names] : groups) {
    std::string_view verb = names.find(',') == std::string::npos
                                ? "is accepted but has no effect"
                                : "are accepted but have no effect";
    Notice(row->warn, fmt::format("{} {}: {}", names, verb, row->no_effect));
  }
  return ConfigStatus::Ok();
}

}  // namespace spinel
