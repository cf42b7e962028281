#include "server/config_docs.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "server/config_table.h"
#include "server/config_value.h"

namespace spinel {
namespace {

constexpr std::string_view kIntroduction =
    R"(# Configuration

<!-- Generated from the table in server/config_rows_*.cc by `spinel --dump-config-reference`. -->

Every option can stand in a configuration file in the format of redis.conf, on the command line
(`--maxmemory 2gb`), in the environment (`SPINEL_MAXMEMORY=2gb`, see [deployment.md](deployment.md)) and in
`CONFIG GET`. Later settings override earlier ones; the command line overrides the environment, and that the
file. `CONFIG SET` changes those that are marked *at run time*, `CONFIG REWRITE` puts
the present values into the file the server was started with.

All options of Redis 7.2 and Valkey 8 are known, under their old names too. An option that does nothing
here says so below, and the server says so when it starts with a value other than the default. A name
that is not known stops the start.

- Sizes are bytes; units are `k` (1000), `kb` (1024), `m`, `mb`, `g`, `gb`, in any case.
- Words with blanks or special characters go in `"double quotes"` (with `\n`, `\t`, `\"`, `\\`, `\xHH`) or
  in `'single quotes'`. A line that begins with `#` is a comment.
- *protected* options can be changed at run time only if `enable-protected-configs` allows it.
- `include FILE` reads another file at that place; FILE may have wildcards. `rename-command OLD NEW`
  renames a command, and takes it away if NEW is `""`. `loadmodule` is refused: there are no modules.
)";

// For a table cell: a bar would end it.
std::string Cell(std::string_view text) {
  std::string cell;
  for (char c : text) {
    if (c == '|') cell += '\\';
    cell += c;
  }
  return cell;
}

std::string TypeText(const ConfigRow& row) {
  std::string names;
  switch (row.type) {
    case ConfigType::kBool:
      return "`yes`, `no`";
    case ConfigType::kInteger:
      if (row.high >= kIntMax) {
        return row.low <= kIntMin ? "number" : fmt::format("number, {} or more", row.low);
      }
      return fmt::format("number, {} to {}", row.low, row.high);
    case ConfigType::kOctal:
      return fmt::format("octal, {:o} to {:o}", row.low, row.high);
    case ConfigType::kMemory:
      return row.low > 1 ? fmt::format("size, {} or more", FormatMemory(row.low)) : "size";
    case ConfigType::kPercent:
      return fmt::format("size, or 0% to {}%", -row.low);
    case ConfigType::kEnum:
    case ConfigType::kFlags:
      for (const ConfigChoice& choice : row.choices) {
        names += fmt::format("{}`{}`", names.empty() ? "" : ", ", choice.name);
      }
      return names;
    case ConfigType::kText:
      return "text";
    case ConfigType::kSpecial:
      return row.multi_arg ? "words" : "see there";
  }
  return {};
}

std::string DefaultText(const ConfigRow& row) {
  std::string text;
  if (row.type == ConfigType::kText || row.type == ConfigType::kSpecial) {
    text = row.default_text;
  } else if (row.type == ConfigType::kMemory) {
    text = FormatMemory(row.default_number);
  } else {
    text = ShowConfigValue(row, {row.default_number, ""});
  }
  return text.empty() ? "empty" : fmt::format("`{}`", text);
}

std::string ChangeText(const ConfigRow& row) {
  if (row.immutable) return "at start";
  return row.is_protected ? "at run time, protected" : "at run time";
}

std::string RowText(const ConfigRow& row) {
  std::string name = fmt::format("`{}`", row.name);
  if (!row.alias.empty()) name += fmt::format("<br>`{}`", row.alias);
  std::string help(row.help);
  if (!row.no_effect.empty()) {
    help += fmt::format(" **{}:** {}.", row.warn ? "No effect, and a warning" : "No effect",
                        row.no_effect);
  }
  return fmt::format("| {} | {} | {} | {} | {} |\n", name, Cell(DefaultText(row)),
                     Cell(TypeText(row)), ChangeText(row), Cell(help));
}

}  // namespace

std::string ConfigReference() {
  std::string page(kIntroduction);
  for (const ConfigSection& section : ConfigSections()) {
    page += fmt::format("\n## {}\n\n{}\n\n", section.title, section.intro);
    page += "| option | default | values | changes | what it does |\n|---|---|---|---|---|\n";
    for (const ConfigRow& row : section.rows) {
      if (!row.hidden) page += RowText(row);
    }
  }
  return page;
}

}  // namespace spinel
