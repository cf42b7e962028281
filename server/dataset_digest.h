// A number for the content of a key or of the whole data set, the same whenever the content is the
// same, whatever the encodings and the order: DEBUG DIGEST and DIGEST-VALUE. Equal to Redis's for
// equal content.
//
// Threads: any; ValueDigest expects the entry's stripe to be locked, DatasetDigest locks one stripe
// after the other and so is exact only while nothing is written.
#pragma once

#include <string>

#include "storage/entry.h"
#include "storage/store.h"

namespace spinel {

// 40 hexadecimal digits. Fields of hashes that are over do not count.
std::string ValueDigest(const Entry& entry, int64_t now_ms);
std::string DatasetDigest(Store* store, const OpContext& context);
// That of a missing key and of an empty data set.
std::string EmptyDigest();

}  // namespace spinel
