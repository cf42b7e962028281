// The console's files, as they are served. They are made part of the program when it is built: see
// server/console/bundle.cmake.
//
// Constants; any thread.
#pragma once

#include <span>
#include <string_view>

namespace spinel {

struct ConsoleAsset {
  std::string_view path;
  std::string_view content_type;
  std::string_view body;
};

std::span<const ConsoleAsset> ConsoleAssets();

}  // namespace spinel
