// Changes of the libraries of functions as a whole: FUNCTION LOAD, DELETE, RESTORE and snapshots.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "server/scripts.h"

namespace spinel {

// Applies a change to the newest libraries, again if another thread was faster. `change` takes a
// FunctionLibraries* and returns the error, or empty; so does this.
template <typename Change>
std::string ChangeLibraries(Scripts* scripts, Change change) {
  for (;;) {
    const auto current = scripts->libraries();
    auto next = std::make_shared<FunctionLibraries>(*current);
    std::string error = change(next.get());
    if (!error.empty() || scripts->Exchange(current, std::move(next))) return error;
  }
}

// What becomes of the libraries that are there already.
enum class LibraryPolicy : uint8_t {
  kAppend,   // none may have the name of a new one
  kReplace,  // those with the name of a new one go
  kFlush,    // all go
};

// Loads libraries, given by their codes, all of them or none. Runs them in a Lua state of its own.
// The error, or empty.
std::string RestoreLibraries(Scripts* scripts, std::span<const std::string> codes,
                             LibraryPolicy policy);

}  // namespace spinel
