#include "server/exposition.h"

#include <fmt/format.h>

#include <cmath>

#include "server/json.h"

namespace spinel {
namespace {

// The format wants UTF-8, with three characters escaped.
void AppendLabelValue(std::string_view value, std::string* text) {
  while (!value.empty()) {
    const size_t length = Utf8Length(value);
    const char c = value[0];
    if (length == 0) {
      text->push_back('?');
    } else if (c == '\n') {
      text->append("\\n");
    } else if (c == '"' || c == '\\') {
      text->append({'\\', c});
    } else {
      text->append(value.substr(0, length));
    }
    value.remove_prefix(length == 0 ? 1 : length);
  }
}

void AppendNumber(double value, std::string* text) {
  if (std::isnan(value)) {
    text->append("NaN");
  } else if (std::isinf(value)) {
    text->append(value > 0 ? "+Inf" : "-Inf");
  } else if (value == std::floor(value) && std::abs(value) < 1e15) {
    *text += fmt::format("{:.0f}", value);
  } else {
    *text += fmt::format("{}", value);
  }
}

}  // namespace

void Exposition::Family(std::string_view name, std::string_view type, std::string_view help) {
  family_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void Exposition::Sample(std::string_view suffix, double value, Labels labels) {
  text_.append(family_).append(suffix);
  char separator = '{';
  for (const auto& [name, label] : labels) {
    text_.push_back(separator);
    text_.append(name).append("=\"");
    AppendLabelValue(label, &text_);
    text_.push_back('"');
    separator = ',';
  }
  if (labels.size() > 0) text_.push_back('}');
  text_.push_back(' ');
  AppendNumber(value, &text_);
  text_.push_back('\n');
}

}  // namespace spinel
