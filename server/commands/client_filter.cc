#include "server/commands/client_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "protocol/arg_reader.h"
#include "protocol/ascii.h"
#include "server/acl.h"
#include "server/server.h"
#include "server/session.h"

namespace spinel {
namespace {

using Field = ClientFilter::Field;

struct FieldName {
  std::string_view name;
  Field field;
  bool negatable;
};

constexpr FieldName kFields[] = {
    {"ID", Field::kId, true},
    {"TYPE", Field::kType, true},
    {"USER", Field::kUser, true},
    {"ADDR", Field::kAddress, true},
    {"LADDR", Field::kLocalAddress, true},
    {"IP", Field::kIp, true},
    {"NAME", Field::kName, true},
    {"LIB-NAME", Field::kLibName, true},
    {"LIB-VER", Field::kLibVersion, true},
    {"FLAGS", Field::kFlags, true},
    {"CAPA", Field::kCapabilities, true},
    {"DB", Field::kDatabase, true},
    {"MAXAGE", Field::kMaxAge, false},
    {"IDLE", Field::kIdle, false},
    {"SKIPME", Field::kSkipMe, false},
};

// Every letter that a flags field of CLIENT LIST may have.
constexpr std::string_view kFlagLetters = "OSMPxbtRBdcuAUreTIiEN";
constexpr std::string_view kCapabilityLetters = "r";

const FieldName* FindField(std::string_view option, bool* negated) {
  constexpr std::string_view kNot = "NOT-";
  *negated = option.size() > kNot.size() && EqualsIgnoreCase(option.substr(0, kNot.size()), kNot);
  if (*negated) option.remove_prefix(kNot.size());
  for (const FieldName& row : kFields) {
    if (EqualsIgnoreCase(row.name, option)) return *negated && !row.negatable ? nullptr : &row;
  }
  return nullptr;
}

bool HasAll(std::string_view letters, std::string_view wanted) {
  return wanted.find_first_not_of(letters) == std::string_view::npos;
}

// "127.0.0.1:1234" and "[::1]:1234" without the port and brackets.
std::string_view IpOf(std::string_view address) {
  address = address.substr(0, address.rfind(':'));
  if (address.size() >= 2 && address.front() == '[')
    address = address.substr(1, address.size() - 2);
  return address;
}

}  // namespace

void ClientFilter::Read(ArgReader& args) {
  while (args.HasNext()) {
    bool negated = false;
    const FieldName* row = FindField(args.String(), &negated);
    if (row == nullptr || !args.HasNext()) return args.SyntaxError();
    if (row->field == Field::kSkipMe) {
      ReadSkipMe(args);
      continue;
    }
    Condition* condition = Add(row->field, negated);
    switch (row->field) {
      case Field::kId:
        ReadIds(args, condition);
        break;
      case Field::kMaxAge:
        ReadSeconds(args, "maxage", condition);
        break;
      case Field::kIdle:
        ReadSeconds(args, "idle", condition);
        break;
      default:
        ReadValue(args, condition);
    }
  }
}

void ClientFilter::MatchAddress(std::string_view address) {
  Add(Field::kAddress, false)->text = address;
}

// An option that comes again replaces what it said before; ids add up.
ClientFilter::Condition* ClientFilter::Add(Field field, bool negated) {
  for (Condition& condition : conditions_) {
    if (condition.field == field && condition.negated == negated) return &condition;
  }
  Condition& added = conditions_.emplace_back();
  added.field = field;
  added.negated = negated;
  return &added;
}

// At least one; they end at the next option, which for KILL is whatever is no number.
void ClientFilter::ReadIds(ArgReader& args, Condition* condition) {
  const bool killing = purpose_ == For::kKill;
  const std::string_view error =
      killing ? "ERR client-id should be greater than 0" : "ERR Invalid client ID";
  const auto ended = [&] {
    bool negated = false;
    int64_t number = 0;
    return killing ? !ParseInt64(args.Peek(), &number)
                   : FindField(args.Peek(), &negated) != nullptr;
  };
  do {
    const int64_t id = args.IntInRange(1, std::numeric_limits<int64_t>::max(), error);
    condition->ids.push_back(static_cast<uint64_t>(id));
  } while (args.HasNext() && !ended());
}

void ClientFilter::ReadSeconds(ArgReader& args, std::string_view name, Condition* condition) {
  int64_t seconds = 0;
  if (!ParseInt64(args.String(), &seconds)) {
    return args.Fail(fmt::format("ERR {} is not an integer or out of range", name));
  }
  if (seconds <= 0) return args.Fail(fmt::format("ERR {} should be greater than 0", name));
  condition->number = seconds;
}

void ClientFilter::ReadSkipMe(ArgReader& args) {
  if (args.Tag("YES")) {
    skip_me_ = 1;
  } else if (args.Tag("NO")) {
    skip_me_ = 0;
  } else {
    args.SyntaxError();
  }
}

void ClientFilter::ReadValue(ArgReader& args, Condition* condition) {
  const std::string_view where = condition->negated ? "NOT-" : "";
  const std::string_view text = args.String();
  condition->text = text;
  ClientType type{};
  switch (condition->field) {
    case Field::kType:
      if (!ParseClientType(text, &type)) {
        return args.Fail(fmt::format("ERR Unknown client type '{}'", text));
      }
      condition->number = static_cast<int64_t>(type);
      return;
    case Field::kUser:
      if (server_.acl().Find(text) == nullptr) {
        args.Fail(fmt::format("ERR No such user '{}'", text));
      }
      return;
    case Field::kFlags:
    case Field::kCapabilities: {
      const bool flags = condition->field == Field::kFlags;
      if (HasAll(flags ? kFlagLetters : kCapabilityLetters, text)) return;
      const std::string_view name = flags ? "flags" : "capa";
      if (condition->negated) {
        return args.Fail(fmt::format("ERR Unknown {} found in the {}{} filter: {}", name, where,
                                     flags ? "FLAGS" : "CAPA", text));
      }
      return args.Fail(fmt::format("ERR Unknown {} found in the provided filter: {}", name, text));
    }
    case Field::kDatabase: {
      const int64_t databases = server_.config().databases();
      if (!ParseInt64(text, &condition->number)) {
        return args.Fail(fmt::format("ERR {}DB is not an integer or out of range", where));
      }
      if (condition->number < 0 || condition->number >= databases) {
        args.Fail(fmt::format("ERR {}DB number should be between 0 and {}", where, databases - 1));
      }
      return;
    }
    default:
      return;
  }
}

bool ClientFilter::Matches(const Session& session, int64_t now_ms) const {
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
    return Holds(condition, session, now_ms) != condition.negated;
  });
}

bool ClientFilter::Holds(const Condition& condition, const Session& session, int64_t now_ms) {
  const std::string& text = condition.text;
  switch (condition.field) {
    case Field::kId:
      return std::find(condition.ids.begin(), condition.ids.end(), session.id) !=
             condition.ids.end();
    case Field::kType:
      return static_cast<int64_t>(TypeOf(session)) == condition.number;
    case Field::kUser:
      return session.account()->name == text;
    case Field::kAddress:
      return session.origin.address == text;
    case Field::kLocalAddress:
      return session.origin.local_address == text;
    case Field::kIp:
      return IpOf(session.origin.address) == text;
    case Field::kName:
      return session.names().name == text;
    case Field::kLibName:
      return session.names().lib_name == text;
    case Field::kLibVersion:
      return session.names().lib_version == text;
    case Field::kFlags:
      return HasAll(ClientFlags(session), text);
    case Field::kCapabilities:
      return text.empty() || session.can_redirect.load(std::memory_order_relaxed);
    case Field::kDatabase:
      return session.db() == condition.number;
    case Field::kMaxAge:
      return (now_ms - session.created_ms) / 1000 >= condition.number;
    case Field::kIdle:
      return (now_ms - session.last_active_ms.load(std::memory_order_relaxed)) / 1000 >=
             condition.number;
    case Field::kSkipMe:
      break;
  }
  return true;
}

}  // namespace spinel
