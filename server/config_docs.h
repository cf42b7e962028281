// The reference page of all options, docs/configuration.md, rendered from the table.
#pragma once

#include <string>

namespace spinel {

// The whole page, Markdown.
std::string ConfigReference();

}  // namespace spinel
