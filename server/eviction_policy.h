// What each maxmemory-policy means: by what keys are chosen, which of them, and what has to be kept
// of their use. The one place that takes policies apart. Pure functions; any thread.
#pragma once

#include "server/config_types.h"
#include "storage/access_clock.h"
#include "storage/evictor.h"

namespace spinel {

// What is evicted, and of how many keys at a time the choice is made.
EvictionRules RulesOf(MaxmemoryPolicy policy, int samples);

// What entries keep of their use. Policies that do not ask for it leave it at recency, which
// OBJECT IDLETIME tells of.
AccessTracking::Kind AccessKindOf(MaxmemoryPolicy policy);

// Whether the policy goes by what can be carried into a snapshot and back: the time of the last use
// or how often there was one, which Redis's files have a place for.
bool GoesByUse(MaxmemoryPolicy policy);

}  // namespace spinel
