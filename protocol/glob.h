// Glob patterns as KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET and ACL rules know them.
//
// Pure function; any thread.
#pragma once

#include <string_view>

namespace spinel {

// Does the whole `text` match `pattern`? `*` any bytes, `?` one byte, `[a-z]` and `[^a-z]` classes
// (a range may be reversed, a class that is not closed ends with the pattern), `\` takes the next
// byte literally. `nocase` ignores the case of ASCII letters. As in Redis `*` does not match an
// empty text.
//
// Hostile patterns end early: after a number of steps (a million, more for longer texts) the answer
// is "no match".
bool GlobMatch(std::string_view pattern, std::string_view text, bool nocase);

}  // namespace spinel
