#include "protocol/arg_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/reply_writer.h"

namespace spinel {
namespace {

constexpr std::string_view kNotAnInteger = "ERR value is not an integer or out of range";
constexpr std::string_view kNotAFloat = "ERR value is not a valid float";

// Letter case does not tell codes from sentences: there are texts that begin with an option's name
// ("NX and XX options at the same time are not compatible").
constexpr std::string_view kErrorCodes[] = {
    "ASK",     "BUSY",      "BUSYGROUP",  "BUSYKEY",     "CLUSTERDOWN", "CROSSSLOT", "DENIED",
    "ERR",     "EXECABORT", "INPROG",     "INVALIDOBJ",  "IOERR",       "LOADING",   "MASTERDOWN",
    "MISCONF", "MOVED",     "NOAUTH",     "NOGOODSLAVE", "NOGROUP",     "NOKEY",     "NOMASTERLINK",
    "NOPERM",  "NOPROTO",   "NOREPLICAS", "NOSCRIPT",    "NOSUB",       "NOTBUSY",   "NOTREADY",
    "OOM",     "READONLY",  "TRYAGAIN",   "UNBLOCKED",   "UNKILLABLE",  "WRONGPASS", "WRONGTYPE",
};

bool HasCode(std::string_view text) {
  const std::string_view word = text.substr(0, text.find(' '));
  return word.size() < text.size() &&
         std::find(std::begin(kErrorCodes), std::end(kErrorCodes), word) != std::end(kErrorCodes);
}

}  // namespace

int64_t ArgReader::Int() {
  const std::string_view text = String();
  int64_t value = 0;
  if (ok() && !ParseInt64(text, &value)) Fail(kNotAnInteger);
  return value;
}

int64_t ArgReader::IntInRange(int64_t low, int64_t high, std::string_view error) {
  const std::string_view text = String();
  int64_t value = 0;
  if (!ok()) return 0;
  if (!ParseInt64(text, &value)) {
    Fail(error.empty() ? kNotAnInteger : error);
    return 0;
  }
  if (value >= low && value <= high) return value;
  if (!error.empty()) {
    Fail(error);
  } else if (low == 0 && high == std::numeric_limits<int64_t>::max()) {
    Fail("ERR value is out of range, must be positive");
  } else {
    Fail(fmt::format("ERR value is out of range, value must between {} and {}", low, high));
  }
  return 0;
}

double ArgReader::Double(std::string_view error) {
  const std::string_view text = String();
  double value = 0;
  if (ok() && !ParseDouble(text, &value)) Fail(error.empty() ? kNotAFloat : error);
  return value;
}

void ArgReader::Fail(std::string_view text) {
  if (!ok()) return;
  std::string error(HasCode(text) ? "" : "ERR ");
  error += text;
  error_ = std::make_unique<const std::string>(std::move(error));
}

bool ArgReader::WriteError(ReplyWriter& reply) const {
  reply.Error(*error_);
  return false;
}

}  // namespace spinel
