#include "server/config_special.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <climits>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "protocol/numbers.h"
#include "server/config_file.h"
#include "server/config_value.h"

namespace spinel {

std::vector<std::string> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  size_t begin = 0;
  while ((begin = text.find_first_not_of(' ', begin)) != std::string_view::npos) {
    size_t end = std::min(text.find(' ', begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

namespace {

// One empty word, as in `save ""`: an empty list.
bool Nothing(std::span<const std::string> args) { return args.size() == 1 && args[0].empty(); }

// An optional sign and digits, as strtoll takes them; nullopt if anything else is there.
std::optional<int64_t> ParseSigned(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void AppendWord(std::string* text, std::string_view word) {
  if (!text->empty()) *text += ' ';
  *text += word;
}

// A line whose value may be empty but must be there.
std::vector<std::string> LineOrEmpty(std::string_view name, const std::string& canonical) {
  return {fmt::format("{} {}", name, canonical.empty() ? "\"\"" : canonical)};
}

// -- bind ----------------------------------------------------------------------------------------

constexpr size_t kMaxBindAddresses = 16;

std::string ParseBind(const SpecialInput& input, std::string* canonical) {
  if (input.args.size() > kMaxBindAddresses) return "Too many bind addresses specified.";
  canonical->clear();
  if (Nothing(input.args)) return {};
  for (const std::string& address : input.args) {
    if (address.empty()) continue;
    AppendWord(canonical, address);
  }
  return {};
}

// -- dir -----------------------------------------------------------------------------------------

std::string ParseDir(const SpecialInput& input, std::string* canonical) {
  if (input.args.size() != 1) return "wrong number of arguments";
  const std::string& path = input.args[0];
  if (path.empty()) return "dir can't be empty";
  std::unique_ptr<char, decltype(&std::free)> absolute(::realpath(path.c_str(), nullptr),
                                                       &std::free);
  if (absolute == nullptr) return std::strerror(errno);
  struct stat info {};
  if (::stat(absolute.get(), &info) != 0) return std::strerror(errno);
  if (!S_ISDIR(info.st_mode)) return std::strerror(ENOTDIR);
  if (::access(absolute.get(), X_OK) != 0) return std::strerror(errno);
  *canonical = absolute.get();
  return {};
}

std::string EnterDir(Config&, const std::string& canonical) {
  return ::chdir(canonical.c_str()) == 0 ? std::string() : std::string(std::strerror(errno));
}

std::vector<std::string> DirLines(std::string_view name, const std::string& canonical) {
  return {fmt::format("{} {}", name, QuoteArg(canonical))};
}

// -- save ----------------------------------------------------------------------------------------

// Far beyond what makes sense; keeps a file of millions of `save` lines from costing quadratic
// time.
constexpr size_t kMaxSaveText = 4096;

std::string ParseSave(const SpecialInput& input, std::string* canonical) {
  canonical->clear();
  if (Nothing(input.args)) return {};
  if (input.append) *canonical = input.current;
  if (input.args.size() % 2 != 0) return "Invalid save parameters";
  for (size_t i = 0; i < input.args.size(); i += 2) {
    auto seconds = ParseSigned(input.args[i]);
    auto changes = ParseSigned(input.args[i + 1]);
    if (!seconds || !changes || *seconds < 1 || *changes < 0 || *changes > INT_MAX) {
      return "Invalid save parameters";
    }
    AppendWord(canonical, fmt::format("{} {}", *seconds, *changes));
  }
  if (canonical->size() > kMaxSaveText) return "too many save points";
  return {};
}

// -- maxmemory -----------------------------------------------------------------------------------

// Canonical: bytes, or "N%".
std::string ParseMaxmemory(const SpecialInput& input, std::string* canonical) {
  if (input.args.size() != 1) return "wrong number of arguments";
  const std::string& text = input.args[0];
  if (auto bytes = ParseMemory(text)) {
    *canonical = fmt::format("{}", *bytes);
    return {};
  }
  if (!text.ends_with('%')) return "argument must be a memory value";
  auto percent = ParseInteger(std::string_view(text).substr(0, text.size() - 1));
  if (!percent || *percent < 1 || *percent > 100) {
    return "percentage argument must be between 1 and 100";
  }
  if (!input.memory_limit || input.memory_limit() <= 0) {
    return "a percentage needs a known memory limit, and none was found";
  }
  *canonical = fmt::format("{}%", *percent);
  return {};
}

std::string PublishMaxmemory(Config& config, const std::string& canonical) {
  int64_t bytes = 0;
  if (canonical.ends_with('%')) {
    int64_t percent =
        ParseInteger(std::string_view(canonical).substr(0, canonical.size() - 1)).value_or(100);
    int64_t limit = config.memory_limit();
    bytes = limit / 100 * percent + limit % 100 * percent / 100;
  } else {
    bytes = ParseMemory(canonical).value_or(0);
  }
  config.maxmemory.Store(bytes);
  return {};
}

std::vector<std::string> MaxmemoryLines(std::string_view name, const std::string& canonical) {
  auto bytes = ParseMemory(canonical);
  return {fmt::format("{} {}", name, bytes ? FormatMemory(*bytes) : canonical)};
}

std::string ShowMaxmemory(const Config& config, const std::string&) {
  return fmt::format("{}", config.maxmemory());
}

// -- client-output-buffer-limit ------------------------------------------------------------------

constexpr std::string_view kOutputClassNames[kOutputClasses] = {"normal", "slave", "pubsub"};

int OutputClassOf(std::string_view name) {
  if (EqualsIgnoreCase(name, "normal")) return 0;
  if (EqualsIgnoreCase(name, "slave") || EqualsIgnoreCase(name, "replica")) return 1;
  if (EqualsIgnoreCase(name, "pubsub")) return 2;
  return -1;
}

std::string ParseOutputLimit(const SpecialInput& input, std::string* canonical) {
  if (input.args.size() % 4 != 0) return "Wrong number of arguments in buffer limit configuration.";
  // Four words per class, all classes always: those that are not named keep what they have.
  std::vector<std::string> words = SplitWords(input.current);
  words.resize(4 * kOutputClasses);
  for (size_t i = 0; i < input.args.size(); i += 4) {
    int output_class = OutputClassOf(input.args[i]);
    if (output_class < 0) return "Invalid client class specified in buffer limit configuration.";
    auto hard = ParseMemory(input.args[i + 1]);
    auto soft = ParseMemory(input.args[i + 2]);
    auto seconds = ParseSigned(input.args[i + 3]);
    if (!hard || !soft || !seconds || *seconds < 0) {
      return "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
    }
    auto place = static_cast<size_t>(output_class) * 4;
    words[place] = kOutputClassNames[output_class];
    words[place + 1] = fmt::format("{}", *hard);
    words[place + 2] = fmt::format("{}", *soft);
    words[place + 3] = fmt::format("{}", *seconds);
  }
  canonical->clear();
  for (const std::string& word : words) AppendWord(canonical, word);
  return {};
}

std::string PublishOutputLimit(Config& config, const std::string& canonical) {
  std::vector<std::string> words = SplitWords(canonical);
  for (size_t i = 0; i + 4 <= words.size() && i / 4 < config.output_limits.size(); i += 4) {
    OutputLimit& limit = config.output_limits[i / 4];
    limit.hard_bytes.Store(ParseMemory(words[i + 1]).value_or(0));
    limit.soft_bytes.Store(ParseMemory(words[i + 2]).value_or(0));
    limit.soft_seconds.Store(ParseSigned(words[i + 3]).value_or(0));
  }
  return {};
}

std::vector<std::string> OutputLimitLines(std::string_view name, const std::string& canonical) {
  std::vector<std::string> lines;
  std::vector<std::string> words = SplitWords(canonical);
  for (size_t i = 0; i + 4 <= words.size(); i += 4) {
    lines.push_back(fmt::format("{} {} {} {} {}", name, i == 4 ? "replica" : words[i],
                                FormatMemory(ParseMemory(words[i + 1]).value_or(0)),
                                FormatMemory(ParseMemory(words[i + 2]).value_or(0)), words[i + 3]));
  }
  return lines;
}

// -- oom-score-adj-values ------------------------------------------------------------------------

std::string ParseOomScore(const SpecialInput& input, std::string* canonical) {
  if (input.args.size() != 3) return "wrong number of arguments";
  canonical->clear();
  for (const std::string& arg : input.args) {
    auto score = ParseSigned(arg);
    if (!score || *score < -2000 || *score > 2000) {
      return "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
    }
    AppendWord(canonical, fmt::format("{}", *score));
  }
  return {};
}

// -- notify-keyspace-events ----------------------------------------------------------------------

constexpr struct {
  char letter;
  int64_t bits;
} kNotifyLetters[] = {
    // In the order in which CONFIG GET lists them.
    {'g', kNotifyGeneric},  {'$', kNotifyString},  {'l', kNotifyList},    {'s', kNotifySet},
    {'h', kNotifyHash},     {'z', kNotifyZset},    {'x', kNotifyExpired}, {'e', kNotifyEvicted},
    {'t', kNotifyStream},   {'d', kNotifyModule},  {'n', kNotifyNew},     {'K', kNotifyKeyspace},
    {'E', kNotifyKeyevent}, {'m', kNotifyKeyMiss},
};

std::optional<int64_t> NotifyBits(std::string_view letters) {
  int64_t bits = 0;
  for (char c : letters) {
    int64_t found = c == 'A' ? kNotifyAll : 0;
    for (const auto& known : kNotifyLetters) {
      if (known.letter == c) found = known.bits;
    }
    if (found == 0) return std::nullopt;
    bits |= found;
  }
  return bits;
}

std::string ParseNotify(const SpecialInput& input, std::string* canonical) {
  if (input.args.size() != 1) return "wrong number of arguments";
  auto bits = NotifyBits(input.args[0]);
  if (!bits) return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
  canonical->clear();
  const bool all = (*bits & kNotifyAll) == kNotifyAll;
  if (all) *canonical += 'A';
  for (const auto& known : kNotifyLetters) {
    // Valkey leaves n out where A stands, although A does not contain it; keep it, so that the text
    // gives back the same bits.
    if (all && (known.bits & kNotifyAll) != 0) continue;
    if ((*bits & known.bits) != 0) *canonical += known.letter;
  }
  return {};
}

std::string PublishNotify(Config& config, const std::string& canonical) {
  config.notify_keyspace_events.Store(NotifyBits(canonical).value_or(0));
  return {};
}

std::vector<std::string> NotifyLines(std::string_view name, const std::string& canonical) {
  return {fmt::format("{} {}", name, QuoteArg(canonical))};
}

// -- replicaof -----------------------------------------------------------------------------------

std::string ParseReplicaof(const SpecialInput& input, std::string* canonical) {
  if (input.args.size() != 2) return "wrong number of arguments";
  canonical->clear();
  if (EqualsIgnoreCase(input.args[0], "no") && EqualsIgnoreCase(input.args[1], "one")) return {};
  auto port = ParseSigned(input.args[1]);
  if (!port || *port < 0 || *port > 65535) return "Invalid primary port";
  *canonical = fmt::format("{} {}", input.args[0], *port);
  return {};
}

std::vector<std::string> ReplicaofLines(std::string_view name, const std::string& canonical) {
  if (canonical.empty()) return {};
  return {fmt::format("{} {}", name, canonical)};
}

// -- latency-tracking-info-percentiles -----------------------------------------------------------

std::string ParsePercentiles(const SpecialInput& input, std::string* canonical) {
  canonical->clear();
  if (Nothing(input.args)) return {};
  for (const std::string& arg : input.args) {
    double percentile = 0;
    if (!ParseDouble(arg, &percentile) || std::isnan(percentile)) {
      return "Invalid latency-tracking-info-percentiles parameters";
    }
    if (percentile < 0.0 || percentile > 100.0) {
      return "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
    }
    std::string text = fmt::format("{:f}", percentile);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    AppendWord(canonical, text);
  }
  return {};
}

}  // namespace

const SpecialOption kBindOption{.parse = ParseBind, .lines = LineOrEmpty};
const SpecialOption kDirOption{.parse = ParseDir, .publish = EnterDir, .lines = DirLines};
const SpecialOption kSaveOption{.parse = ParseSave, .lines = LineOrEmpty};
const SpecialOption kMaxmemoryOption{.parse = ParseMaxmemory,
                                     .publish = PublishMaxmemory,
                                     .show = ShowMaxmemory,
                                     .lines = MaxmemoryLines};
const SpecialOption kOutputLimitOption{
    .parse = ParseOutputLimit, .publish = PublishOutputLimit, .lines = OutputLimitLines};
const SpecialOption kOomScoreOption{.parse = ParseOomScore};
const SpecialOption kNotifyOption{
    .parse = ParseNotify, .publish = PublishNotify, .lines = NotifyLines};
const SpecialOption kReplicaofOption{.parse = ParseReplicaof, .lines = ReplicaofLines};
const SpecialOption kPercentilesOption{.parse = ParsePercentiles, .lines = LineOrEmpty};

}  // namespace spinel
