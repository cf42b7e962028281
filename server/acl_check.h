// Whether a user may send a request: its command, each of its keys by what is done with it, each of
// its channels.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/acl_user.h"
#include "server/command.h"

namespace spinel {

// What was refused. Of several selectors the one counts that came furthest, hence the order.
enum class AclDenial : uint8_t { kNone, kCommand, kKey, kChannel, kAuth };

struct AclVerdict {
  AclDenial denial = AclDenial::kNone;
  size_t position = 0;  // the argument that is the key or channel

  bool ok() const { return denial == AclDenial::kNone; }
};

AclVerdict CheckAcl(const AclUser& user, const Command& command, CommandArgs args);

// Whether the user may send the request and, besides, read any key: what SORT's patterns need.
bool MayReadEveryKey(const AclUser& user, const Command& command, CommandArgs args);

// Whom to tell: a client learns less than who asks for another user.
enum class AclTextFor : uint8_t { kClient, kDryRun };
// Why, as a sentence. Expects a denial other than kAuth.
std::string AclDenialText(const AclVerdict& verdict, std::string_view user, const Command& command,
                          CommandArgs args, AclTextFor reader);

}  // namespace spinel
