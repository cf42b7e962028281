// INFO's text taken apart again: what metrics and the console show is what INFO says.
//
// Pure; any thread. The views point into the text.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace spinel {

class InfoFields {
 public:
  explicit InfoFields(std::string_view text);

  // Empty: there is no such field.
  std::string_view Get(std::string_view name) const;
  // As a number; "ok" is 1. `*number` is left alone if it is none.
  bool GetNumber(std::string_view name, double* number) const;
  const std::vector<std::pair<std::string_view, std::string_view>>& all() const { return fields_; }

  // The value of `name` in "name=value,name=value"; empty: none.
  static std::string_view Part(std::string_view list, std::string_view name);

 private:
  std::vector<std::pair<std::string_view, std::string_view>> fields_;
};

}  // namespace spinel
