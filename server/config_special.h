// The options whose values have a grammar of their own. See SpecialOption in config_table.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/config_table.h"

namespace spinel {

extern const SpecialOption kBindOption;
extern const SpecialOption kDirOption;
extern const SpecialOption kSaveOption;
extern const SpecialOption kMaxmemoryOption;
extern const SpecialOption kOutputLimitOption;
extern const SpecialOption kOomScoreOption;
extern const SpecialOption kNotifyOption;
extern const SpecialOption kReplicaofOption;
extern const SpecialOption kPercentilesOption;

// The pieces of a canonical value, split at blanks.
std::vector<std::string> SplitWords(std::string_view text);

}  // namespace spinel
