// Which clients CLIENT LIST and CLIENT KILL mean: "TYPE normal NOT-NAME worker MAXAGE 60".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/client_info.h"

namespace spinel {

class ArgReader;
class Server;
class Session;

class ClientFilter {
 public:
  // Error texts differ a little.
  enum class For : uint8_t { kList, kKill };

  ClientFilter(For purpose, const Server& server) : purpose_(purpose), server_(server) {}

  // Reads all arguments that are left; errors are latched there.
  void Read(ArgReader& args);
  // The form that has an address only.
  void MatchAddress(std::string_view address);

  // Any thread that may look at the session.
  bool Matches(const Session& session, int64_t now_ms) const;
  // SKIPME; `otherwise` where that was not given.
  bool skip_me(bool otherwise) const { return skip_me_ == -1 ? otherwise : skip_me_ == 1; }

  enum class Field : uint8_t {
    kId,
    kType,
    kUser,
    kAddress,
    kLocalAddress,
    kIp,
    kName,
    kLibName,
    kLibVersion,
    kFlags,
    kCapabilities,
    kDatabase,
    kMaxAge,
    kIdle,
    kSkipMe,
  };

 private:
  struct Condition {
    Field field;
    bool negated;
    std::string text;
    int64_t number = 0;
    std::vector<uint64_t> ids;
  };

  Condition* Add(Field field, bool negated);
  void ReadIds(ArgReader& args, Condition* condition);
  void ReadValue(ArgReader& args, Condition* condition);
  void ReadSeconds(ArgReader& args, std::string_view name, Condition* condition);
  void ReadSkipMe(ArgReader& args);
  static bool Holds(const Condition& condition, const Session& session, int64_t now_ms);

  const For purpose_;
  const Server& server_;
  std::vector<Condition> conditions_;
  int skip_me_ = -1;
};

}  // namespace spinel
