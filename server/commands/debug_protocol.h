// A sample of each type of reply, for client libraries to test themselves with (DEBUG PROTOCOL).
#pragma once

#include <string_view>

#include "protocol/reply_writer.h"

namespace spinel {

// Writes the sample of the type of that name, or an error if there is none.
void ReplySample(std::string_view type, ReplyWriter& reply);

}  // namespace spinel
