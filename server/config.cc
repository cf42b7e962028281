#include "server/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "protocol/glob.h"
#include "protocol/numbers.h"
#include "server/config_rewrite.h"
#include "server/config_special.h"
#include "server/config_table.h"
#include "server/config_value.h"
#include "server/log.h"

namespace spinel {

struct Config::Change {
  const ConfigRow* row;
  std::string_view name;  // the row's name or alias, whichever the client used
  std::string_view text;  // the new value as it came
  ConfigValue old_value;
  ConfigValue new_value;
};

namespace {

constexpr std::string_view kGlobCharacters = "*?[";

// CONFIG SET has one argument for all words of a multi-word option; each blank separates.
std::vector<std::string> SplitAtBlanks(std::string_view text) {
  std::vector<std::string> words;
  if (text.empty()) return words;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find(' ', begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

ConfigStatus SetError(std::string_view name, std::string_view reason) {
  return ConfigStatus::Error(
      fmt::format("ERR CONFIG SET failed (possibly related to argument '{}') - {}", name, reason));
}

// Two spellings of one name may both be asked for; each is answered once.
bool Contains(const std::vector<std::pair<std::string, std::string>>& found,
              std::string_view name) {
  return std::any_of(found.begin(), found.end(),
                     [&](const auto& pair) { return EqualsIgnoreCase(pair.first, name); });
}

}  // namespace

Config::Config(MemoryLimitFn memory_limit) : memory_limit_(std::move(memory_limit)) {
  for (const ConfigRow* row : ConfigRows()) {
    Slot& slot = slots_[row];
    ConfigValue value{row->default_number, std::string(row->default_text)};
    if (row->type == ConfigType::kSpecial) {
      std::vector<std::string> words = SplitWords(row->default_text);
      if (words.empty()) words.emplace_back();
      // Defaults are constants of ours, checked by a test; the working folder alone can be
      // unreadable, and then `dir` stays as it is.
      ConfigValue parsed;
      if (Parse(*row, words, false, &parsed).empty()) value = parsed;
    }
    slot.initial_number = value.number;
    slot.initial_text = value.text;
    Store(*row, value);
  }
}

ConfigValue Config::Load(const ConfigRow& row) const {
  // The accessors serve readers and writers and so take a mutable Config; nothing is written here.
  Config& self = const_cast<Config&>(*this);
  ConfigValue value;
  if (row.type == ConfigType::kText || row.type == ConfigType::kSpecial) {
    value.text = row.text != nullptr ? row.text(self).Get() : slot(row).text.Get();
  } else {
    value.number = row.number != nullptr ? row.number(self).Load() : slot(row).number.Load();
  }
  return value;
}

std::string Config::Store(const ConfigRow& row, const ConfigValue& value) {
  Slot& own = slots_.at(&row);
  if (row.type == ConfigType::kText || row.type == ConfigType::kSpecial) {
    (row.text != nullptr ? row.text(*this) : own.text).Store(value.text);
    if (row.special != nullptr && row.special->publish != nullptr) {
      return row.special->publish(*this, value.text);
    }
  } else {
    (row.number != nullptr ? row.number(*this) : own.number).Store(value.number);
  }
  return {};
}

std::string Config::Parse(const ConfigRow& row, std::span<const std::string> args, bool append,
                          ConfigValue* value) const {
  if (row.special == nullptr) return ParseConfigValue(row, args, value);
  const std::string current = Load(row).text;
  return row.special->parse({args, current, append, memory_limit_}, &value->text);
}

std::string Config::Show(const ConfigRow& row) const {
  ConfigValue value = Load(row);
  if (row.special != nullptr && row.special->show != nullptr) {
    return row.special->show(*this, value.text);
  }
  return ShowConfigValue(row, value);
}

std::vector<std::string> Config::FileLines(const ConfigRow& row, const ConfigValue& value) const {
  if (row.special != nullptr && row.special->lines != nullptr) {
    return row.special->lines(row.name, value.text);
  }
  return {fmt::format("{} {}", row.name, FileConfigValue(row, value))};
}

bool Config::IsDefault(const ConfigRow& row) const {
  const Slot& own = slot(row);
  return Load(row) == ConfigValue{own.initial_number, own.initial_text};
}

bool Config::IsSecret(std::string_view name) {
  const ConfigRow* row = FindConfigRow(name);
  return row != nullptr && row->secret;
}

// -- CONFIG GET ----------------------------------------------------------------------------------

std::vector<std::pair<std::string, std::string>> Config::Get(
    std::span<const std::string_view> patterns) const {
  std::vector<std::pair<std::string, std::string>> found;
  for (std::string_view pattern : patterns) {
    if (pattern.find_first_of(kGlobCharacters) == std::string_view::npos) {
      const ConfigRow* row = FindConfigRow(pattern);
      if (row != nullptr && !Contains(found, pattern)) found.emplace_back(pattern, Show(*row));
      continue;
    }
    for (const ConfigRow* row : ConfigRows()) {
      if (row->hidden) continue;
      for (std::string_view name : {row->name, row->alias}) {
        if (name.empty() || !GlobMatch(pattern, name, true) || Contains(found, name)) continue;
        found.emplace_back(name, Show(*row));
      }
    }
  }
  return found;
}

std::optional<std::string> Config::GetOne(std::string_view name) const {
  const ConfigRow* row = FindConfigRow(name);
  if (row == nullptr) return std::nullopt;
  return Show(*row);
}

// -- CONFIG SET ----------------------------------------------------------------------------------

ConfigStatus Config::CheckSet(std::span<const std::string_view> args,
                              const ConfigSetContext& context, std::vector<Change>* changes) const {
  if (args.empty() || args.size() % 2 != 0) return ConfigStatus::Error("ERR syntax error");
  const ProtectedAction allowed = enable_protected_configs();
  for (size_t i = 0; i < args.size(); i += 2) {
    const ConfigRow* row = FindConfigRow(args[i]);
    if (row == nullptr) {
      return ConfigStatus::Error(
          fmt::format("ERR Unknown option or number of arguments for CONFIG SET - '{}'", args[i]));
    }
    if (row->immutable) return SetError(args[i], "can't set immutable config");
    if (row->is_protected && allowed != ProtectedAction::kYes &&
        !(allowed == ProtectedAction::kLocal && context.local_client)) {
      return SetError(args[i], "can't set protected config");
    }
    if (row->deny_loading && context.loading) {
      return ConfigStatus::Error("LOADING Redis is loading the dataset in memory");
    }
    for (const Change& other : *changes) {
      if (other.row == row) return SetError(args[i], "duplicate parameter");
    }
    std::string_view name = EqualsIgnoreCase(args[i], row->name) ? row->name : row->alias;
    changes->push_back({row, name, args[i + 1], {}, {}});
  }
  return ConfigStatus::Ok();
}

std::string Config::RunHooks(const std::vector<Change>& changes, std::vector<size_t>* run,
                             std::string_view* culprit) {
  for (const Change& change : changes) {
    if (change.old_value == change.new_value && !change.row->reloads) continue;
    for (size_t hook : slot(*change.row).hooks) {
      if (std::find(run->begin(), run->end(), hook) != run->end()) continue;
      run->push_back(hook);
      if (std::string error = hooks_[hook](*this); !error.empty()) {
        *culprit = change.name;
        return error;
      }
    }
  }
  return {};
}

void Config::RollBack(const std::vector<Change>& changes, const std::vector<size_t>& hooks_run) {
  // What was in effect a moment ago can be again; should it not, the refusal that brought us here
  // is still the error to report.
  for (const Change& change : changes) Store(*change.row, change.old_value);
  for (size_t hook : hooks_run) hooks_[hook](*this);
}

ConfigStatus Config::ApplyChanges(std::vector<Change>* changes) {
  for (Change& change : *changes) {
    std::vector<std::string> words;
    if (change.row->multi_arg) {
      words = SplitAtBlanks(change.text);
    } else {
      words.emplace_back(change.text);
    }
    change.old_value = Load(*change.row);
    std::string error = Parse(*change.row, words, false, &change.new_value);
    if (!error.empty()) return SetError(change.name, error);
  }
  for (Change& change : *changes) {
    std::string error = Store(*change.row, change.new_value);
    if (error.empty()) continue;
    RollBack(*changes, {});
    return SetError(change.name, error);
  }
  std::vector<size_t> hooks_run;
  std::string_view culprit;
  if (std::string error = RunHooks(*changes, &hooks_run, &culprit); !error.empty()) {
    RollBack(*changes, hooks_run);
    return SetError(culprit, error);
  }
  return ConfigStatus::Ok();
}

ConfigStatus Config::Set(std::span<const std::string_view> names_and_values,
                         const ConfigSetContext& context) {
  std::vector<Change> changes;
  ConfigStatus status = CheckSet(names_and_values, context, &changes);
  if (!status.ok()) return status;
  MutexLock lock(&mutex_);
  return ApplyChanges(&changes);
}

void Config::OnChange(std::initializer_list<std::string_view> names, ConfigHook hook) {
  MutexLock lock(&mutex_);
  hooks_.push_back(std::move(hook));
  for (std::string_view name : names) {
    const ConfigRow* row = FindConfigRow(name);
    if (row != nullptr) slots_.at(row).hooks.push_back(hooks_.size() - 1);
  }
}

ConfigStatus Config::LoadRow(const ConfigRow& row, std::span<const std::string> args, bool append) {
  ConfigValue value;
  std::string error = Parse(row, args, append, &value);
  if (error.empty()) error = Store(row, value);
  slots_.at(&row).variable.clear();
  return error.empty() ? ConfigStatus::Ok() : ConfigStatus::Error(std::move(error));
}

void Config::NoteEnvironment(const ConfigRow& row, std::string variable) {
  Slot& own = slots_.at(&row);
  own.variable = std::move(variable);
  own.environment_value = Show(row);
}

std::vector<std::string> Config::environment_variables() const {
  std::vector<std::string> variables;
  for (const ConfigRow* row : ConfigRows()) {
    if (!slot(*row).variable.empty()) variables.push_back(slot(*row).variable);
  }
  return variables;
}

// -- CONFIG REWRITE ------------------------------------------------------------------------------

// What the environment gives at every start needs no line in the file, least of all a secret.
bool Config::LeftToEnvironment(const ConfigRow& row) const {
  const Slot& own = slot(row);
  if (own.variable.empty()) return false;
  if (Show(row) == own.environment_value) return true;
  LogWarning(
      "CONFIG REWRITE: '{}' is in the file now, but {} in the environment overrides it at the next "
      "start. Remedy: remove or change the variable.",
      row.name, own.variable);
  return false;
}

ConfigStatus Config::Rewrite(bool force_all) {
  MutexLock lock(&mutex_);
  if (config_file.empty()) {
    return ConfigStatus::Error("ERR The server is running without a config file");
  }
  std::string old_text;
  int error = ReadConfigFile(config_file, &old_text);
  if (error == 0) {
    std::vector<RewriteLines> options;
    for (const ConfigRow* row : ConfigRows()) {
      if (LeftToEnvironment(*row)) continue;
      options.push_back({row, FileLines(*row, Load(*row)), force_all || !IsDefault(*row)});
    }
    if (user_lines_) options.push_back({nullptr, user_lines_(), /*append=*/true});
    error = ReplaceFile(config_file, RewriteConfigText(old_text, options));
  }
  if (error == 0) return ConfigStatus::Ok();
  return ConfigStatus::Error(fmt::format("ERR Rewriting config file: {}", std::strerror(error)));
}

// -- Typed views ---------------------------------------------------------------------------------

std::vector<SavePoint> Config::save_points() const {
  std::vector<SavePoint> points;
  std::vector<std::string> words = SplitWords(Load(*FindConfigRow("save")).text);
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    points.push_back({ParseInteger(words[i]).value_or(0), ParseInteger(words[i + 1]).value_or(0)});
  }
  return points;
}

std::vector<std::string> Config::bind_addresses() const {
  return SplitWords(Load(*FindConfigRow("bind")).text);
}

std::vector<std::string> Config::metrics_addresses() const { return SplitWords(metrics_bind()); }

std::vector<double> Config::latency_percentiles() const {
  std::vector<double> percentiles;
  for (const std::string& word :
       SplitWords(Load(*FindConfigRow("latency-tracking-info-percentiles")).text)) {
    double percentile = 0;
    if (ParseDouble(word, &percentile)) percentiles.push_back(percentile);
  }
  return percentiles;
}

}  // namespace spinel
