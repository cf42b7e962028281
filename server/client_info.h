// A client as CLIENT LIST and CLIENT INFO describe it.
//
// Threads: any, while the session is kept alive (by ClientRegistry's visit, or by being one's own).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/command.h"

namespace spinel {

class Session;

enum class ClientType : uint8_t { kNormal, kPubSub, kReplica, kPrimary };

// "normal", "pubsub", "replica" or "slave", "primary" or "master", in any letter case. False: none
// of them.
bool ParseClientType(std::string_view name, ClientType* type);
ClientType TypeOf(const Session& session);

// The letters after "flags=": "N" where no other applies.
std::string ClientFlags(const Session& session);

// Appends the session's line, without a line break. `request`: the arguments of the request that
// the session is executing, if it is the caller's own, else empty.
void AppendClientLine(const Session& session, int64_t now_ms, CommandArgs request,
                      std::string* line);

}  // namespace spinel
