#include "server/config_value.h"

#include <fmt/format.h>

#include <charconv>

#include "protocol/numbers.h"
#include "server/config_file.h"

namespace spinel {
namespace {

std::string ChoiceNames(const ConfigRow& row) {
  std::string names;
  for (const ConfigChoice& choice : row.choices) {
    if (!names.empty()) names += ", ";
    names += choice.name;
  }
  return names;
}

const ConfigChoice* FindChoice(const ConfigRow& row, std::string_view word) {
  for (const ConfigChoice& choice : row.choices) {
    if (EqualsIgnoreCase(choice.name, word)) return &choice;
  }
  return nullptr;
}

std::string ParseChoices(const ConfigRow& row, std::span<const std::string> args, int64_t* number) {
  bool fine = row.type == ConfigType::kFlags ? !args.empty() : args.size() == 1;
  *number = 0;
  for (const std::string& arg : args) {
    const ConfigChoice* choice = FindChoice(row, arg);
    if (choice == nullptr) {
      fine = false;
      break;
    }
    *number |= choice->value;
  }
  if (fine) return {};
  return fmt::format("argument(s) must be one of the following: {}", ChoiceNames(row));
}

std::string ParseNumber(const ConfigRow& row, const std::string& text, int64_t* number) {
  std::optional<int64_t> parsed;
  bool percent = false;
  switch (row.type) {
    case ConfigType::kMemory:
      parsed = ParseMemory(text);
      if (!parsed) return "argument must be a memory value";
      break;
    case ConfigType::kPercent:
      parsed = ParseMemory(text);
      if (!parsed && text.ends_with('%')) {
        parsed = ParseInteger(std::string_view(text).substr(0, text.size() - 1));
        percent = true;
      }
      if (!parsed || *parsed < 0) return "argument must be a memory or percent value";
      if (percent && *parsed > -row.low) {
        return fmt::format("percentage argument must be less or equal to {}", -row.low);
      }
      if (percent) parsed = -*parsed;
      break;
    case ConfigType::kOctal: {
      int64_t octal = 0;
      auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), octal, 8);
      if (error != std::errc() || end != text.data() + text.size()) {
        return "argument couldn't be parsed as an octal number";
      }
      if (octal < row.low || octal > row.high) {
        return fmt::format("argument must be between {:o} and {:o} inclusive", row.low, row.high);
      }
      parsed = octal;
      break;
    }
    default:
      parsed = ParseInteger(text);
      if (!parsed) return "argument couldn't be parsed into an integer";
      break;
  }
  if (!percent && (*parsed < row.low || *parsed > row.high)) {
    return fmt::format("argument must be between {} and {} inclusive", row.low, row.high);
  }
  *number = *parsed;
  return {};
}

std::string ChoiceText(const ConfigRow& row, int64_t number) {
  for (const ConfigChoice& choice : row.choices) {
    if (choice.value == number) return std::string(choice.name);
  }
  std::string names;
  for (const ConfigChoice& choice : row.choices) {
    if (choice.value == 0 || (number & choice.value) != choice.value) continue;
    if (!names.empty()) names += ' ';
    names += choice.name;
  }
  return names;
}

}  // namespace

std::optional<int64_t> ParseInteger(std::string_view text) {
  int64_t number = 0;
  if (!ParseInt64(text, &number)) return std::nullopt;
  return number;
}

std::optional<int64_t> ParseMemory(std::string_view text) {
  static constexpr struct {
    std::string_view name;
    int64_t factor;
  } kUnits[] = {{"", 1},        {"b", 1},    {"k", 1000},       {"kb", kKb},
                {"m", 1000000}, {"mb", kMb}, {"g", 1000000000}, {"gb", kGb}};
  uint64_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc()) return std::nullopt;
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  for (const auto& known : kUnits) {
    if (!EqualsIgnoreCase(known.name, unit)) continue;
    int64_t bytes = 0;
    if (__builtin_mul_overflow(count, known.factor, &bytes)) return std::nullopt;
    return bytes;
  }
  return std::nullopt;
}

std::string FormatMemory(int64_t bytes) {
  if (bytes != 0) {
    if (bytes % kGb == 0) return fmt::format("{}gb", bytes / kGb);
    if (bytes % kMb == 0) return fmt::format("{}mb", bytes / kMb);
    if (bytes % kKb == 0) return fmt::format("{}kb", bytes / kKb);
  }
  return fmt::format("{}", bytes);
}

std::string ParseConfigValue(const ConfigRow& row, std::span<const std::string> args,
                             ConfigValue* value) {
  const bool choices = row.type == ConfigType::kEnum || row.type == ConfigType::kFlags;
  if (!choices && args.size() != 1) return "wrong number of arguments";
  std::string error;
  if (choices) {
    error = ParseChoices(row, args, &value->number);
  } else if (row.type == ConfigType::kText) {
    value->text = args[0];
  } else if (row.type == ConfigType::kBool) {
    if (!EqualsIgnoreCase(args[0], "yes") && !EqualsIgnoreCase(args[0], "no")) {
      return "argument must be 'yes' or 'no'";
    }
    value->number = EqualsIgnoreCase(args[0], "yes") ? 1 : 0;
  } else {
    error = ParseNumber(row, args[0], &value->number);
  }
  if (!error.empty()) return error;
  if (row.check_number != nullptr) return std::string(row.check_number(&value->number));
  if (row.check_text != nullptr) return std::string(row.check_text(value->text));
  return {};
}

std::string ShowConfigValue(const ConfigRow& row, const ConfigValue& value) {
  switch (row.type) {
    case ConfigType::kBool:
      return value.number != 0 ? "yes" : "no";
    case ConfigType::kOctal:
      return fmt::format("{:o}", value.number);
    case ConfigType::kPercent:
      if (value.number < 0) return fmt::format("{}%", -value.number);
      return fmt::format("{}", value.number);
    case ConfigType::kInteger:
    case ConfigType::kMemory:
      return fmt::format("{}", value.number);
    case ConfigType::kEnum:
    case ConfigType::kFlags:
      return ChoiceText(row, value.number);
    case ConfigType::kText:
    case ConfigType::kSpecial:
      return value.text;
  }
  return {};
}

std::string FileConfigValue(const ConfigRow& row, const ConfigValue& value) {
  switch (row.type) {
    case ConfigType::kMemory:
      return FormatMemory(value.number);
    case ConfigType::kPercent:
      return value.number < 0 ? ShowConfigValue(row, value) : FormatMemory(value.number);
    case ConfigType::kText:
      return QuoteArg(value.text);
    default:
      return ShowConfigValue(row, value);
  }
}

}  // namespace spinel
