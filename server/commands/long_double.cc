#include "server/commands/long_double.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace spinel {

bool ParseLongDouble(std::string_view text, long double* value) {
  char terminated[5 * 1024];  // as long as numbers may be in Redis, its own results included
  if (text.empty() || text.size() >= sizeof(terminated)) return false;
  if (text.front() == ' ' || (text.front() >= '\t' && text.front() <= '\r')) return false;
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  char* end = nullptr;
  errno = 0;
  *value = std::strtold(terminated, &end);
  if (end != terminated + text.size() || std::isnan(*value)) return false;
  return errno != ERANGE || (!std::isinf(*value) && *value != 0);
}

LongDoubleText::LongDoubleText(long double value) {
  const int written = std::snprintf(digits_, sizeof(digits_), "%.17Lf", value);
  size_ = static_cast<size_t>(written);
  while (digits_[size_ - 1] == '0') --size_;
  if (digits_[size_ - 1] == '.') --size_;
  if (view() == "-0") {
    digits_[0] = '0';
    size_ = 1;
  }
}

}  // namespace spinel
