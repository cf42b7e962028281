#include "tests/support/source_dir.h"

namespace spinel {

std::string SourceDir() { return SPINEL_SOURCE_DIR; }

}  // namespace spinel
