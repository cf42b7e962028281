#include "server/library_restore.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "server/script_engine.h"

namespace spinel {
namespace {

void Flush(FunctionLibraries* libraries) {
  libraries->by_name.clear();
  libraries->functions.clear();
}

}  // namespace

std::string RestoreLibraries(Scripts* scripts, std::span<const std::string> codes,
                             LibraryPolicy policy) {
  ScriptEngine engine(scripts);
  FunctionLibraries restored;
  std::vector<std::shared_ptr<FunctionLibrary>> loaded;
  for (const std::string& code : codes) {
    std::shared_ptr<FunctionLibrary> library;
    std::string error = engine.LoadLibrary(code, &library);
    if (error.empty()) error = restored.Add(library, /*replace=*/false);
    if (!error.empty()) return error;
    loaded.push_back(std::move(library));
  }
  return ChangeLibraries(scripts, [&](FunctionLibraries* libraries) -> std::string {
    if (policy == LibraryPolicy::kFlush) Flush(libraries);
    // What is replaced goes first, so that functions may move between libraries.
    for (const auto& library : loaded) {
      if (policy == LibraryPolicy::kReplace) libraries->Remove(library->name);
    }
    for (const auto& library : loaded) {
      if (libraries->by_name.contains(library->name)) {
        return fmt::format("ERR Library {} already exists", library->name);
      }
      std::string refusal = libraries->Add(library, /*replace=*/false);
      if (!refusal.empty()) return refusal;
    }
    return {};
  });
}

}  // namespace spinel
