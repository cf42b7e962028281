// Up to which size values of every type are kept small, as the configuration and DEBUG say: what
// RESTORE and loading make values by.
#pragma once

#include "storage/entry_builder.h"

namespace spinel {

class Server;

// Threads: any.
ValueLimits ValueLimitsOf(const Server& server);

}  // namespace spinel
