#include "server/info_fields.h"

#include "protocol/numbers.h"

namespace spinel {
namespace {

// Takes the part up to the separator off the front.
std::string_view CutAt(std::string_view* text, std::string_view separator) {
  const size_t end = text->find(separator);
  const std::string_view part = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + separator.size());
  return part;
}

}  // namespace

InfoFields::InfoFields(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = CutAt(&text, "\r\n");
    const size_t colon = line.find(':');
    if (line.starts_with('#') || colon == std::string_view::npos) continue;
    fields_.emplace_back(line.substr(0, colon), line.substr(colon + 1));
  }
}

std::string_view InfoFields::Get(std::string_view name) const {
  for (const auto& [field, value] : fields_) {
    if (field == name) return value;
  }
  return {};
}

bool InfoFields::GetNumber(std::string_view name, double* number) const {
  const std::string_view value = Get(name);
  if (value == "ok" || value == "err") {
    *number = value == "ok" ? 1 : 0;
    return true;
  }
  return ParseDouble(value, number);
}

std::string_view InfoFields::Part(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    std::string_view part = CutAt(&list, ",");
    if (CutAt(&part, "=") == name) return part;
  }
  return {};
}

}  // namespace spinel
