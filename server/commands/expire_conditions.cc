#include "server/commands/expire_conditions.h"

#include <fmt/format.h>

#include "protocol/ascii.h"
#include "storage/entry.h"

namespace spinel {

bool ExpireConditions::Hold(int64_t current, int64_t wanted) const {
  const bool has_expiry = current != Entry::kNoExpiry;
  if (missing && has_expiry) return false;
  if (present && !has_expiry) return false;
  if (greater && (!has_expiry || wanted <= current)) return false;
  if (less && has_expiry && wanted >= current) return false;
  return true;
}

ExpireConditions ReadExpireConditions(ArgReader& args) {
  ExpireConditions conditions;
  while (args.HasNext()) {
    if (args.Tag("NX")) {
      conditions.missing = true;
    } else if (args.Tag("XX")) {
      conditions.present = true;
    } else if (args.Tag("GT")) {
      conditions.greater = true;
    } else if (args.Tag("LT")) {
      conditions.less = true;
    } else {
      args.Fail(fmt::format("ERR Unsupported option {}", UntilNul(args.Peek())));
    }
  }
  if (conditions.missing && (conditions.present || conditions.greater || conditions.less)) {
    args.Fail("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (conditions.greater && conditions.less) {
    args.Fail("ERR GT and LT options at the same time are not compatible");
  }
  return conditions;
}

}  // namespace spinel
