// The console's key browser: pages of keys and of values, in JSON. See console_api.h.
//
// Threads: the functions that make JSON run on the loop; each does a bounded number of commands
// with bounded replies.
#pragma once

#include <string>
#include <string_view>

#include "server/server.h"

namespace spinel {

struct KeyQuestion {
  int database = 0;
  std::string cursor = "0";  // of SCAN and its like; of lists and strings where the page begins
  std::string match;         // a pattern; empty: all
  std::string type;          // empty: all
  std::string key;           // the bytes
};

// False: something is no number, no database, no hexadecimal text or too long.
bool ParseKeyQuestion(std::string_view query, int databases, KeyQuestion* question);

std::string KeysAsJson(Server* server, LoopState* loop, const KeyQuestion& question);
std::string ValueAsJson(Server* server, LoopState* loop, const KeyQuestion& question);

}  // namespace spinel
