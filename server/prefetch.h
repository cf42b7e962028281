// Brings into the cache what a batch of parsed requests is about to look up.
//
// A look-up misses the cache at the bucket, at the entry and, in a big collection, at the element's
// bucket and at the element. Interleaved over a batch the misses overlap. These are hints: nothing
// depends on them. Threads: any; stripes are locked on the way.
#pragma once

#include <span>

#include "server/dispatcher.h"

namespace spinel {

class Store;

// Expects that the requests will be executed on `database`.
void PrefetchBatch(Store* store, int database, std::span<const Request> requests);

}  // namespace spinel
