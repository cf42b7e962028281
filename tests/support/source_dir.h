// Where the sources are that the tests were built from: for tests that read files of the project.
#pragma once

#include <string>

namespace spinel {

std::string SourceDir();

}  // namespace spinel
