#include "server/prefetch.h"

#include "absl/container/inlined_vector.h"
#include "storage/store.h"

namespace spinel {
namespace {

// The argument that the command looks up in a collection; empty: there is none.
std::string_view ElementOf(const Request& request) {
  if (request.command == nullptr) return {};
  const size_t index = request.command->spec->element;
  return index == 0 || index >= request.args.size() ? std::string_view() : request.args[index];
}

bool SameKey(const Request& a, const Request& b) {
  return a.key.hash == b.key.hash && a.key.name == b.key.name;
}

// Elements of one key that neighbouring requests look up.
struct KeyRun {
  const Key* key;
  size_t first;  // index of its first hash
  size_t count;
  bool big;  // the key holds an object, as far as is known
};

void PrefetchElements(Store* store, int database, std::span<const Request> requests) {
  absl::InlinedVector<uint64_t, 32> hashes;
  absl::InlinedVector<KeyRun, 32> runs;
  const Request* previous = nullptr;
  for (const Request& request : requests) {
    const std::string_view element = ElementOf(request);
    if (element.empty()) continue;
    if (previous == nullptr || !SameKey(*previous, request)) {
      runs.push_back({&request.key, hashes.size(), 0, true});
    }
    hashes.push_back(kKeyHasher(element));
    ++runs.back().count;
    previous = &request;
  }
  for (const ElementHint hint :
       {ElementHint::kPlace, ElementHint::kElement, ElementHint::kFarElement}) {
    for (KeyRun& run : runs) {
      if (!run.big) continue;
      run.big = store->PrefetchElements(database, *run.key,
                                        std::span(hashes).subspan(run.first, run.count), hint);
    }
  }
}

}  // namespace

void PrefetchBatch(Store* store, int database, std::span<const Request> requests) {
  if (requests.size() < 2) return;
  absl::InlinedVector<const Key*, 32> keys;
  bool elements = false;
  for (const Request& request : requests) {
    if (request.key.name.empty()) continue;
    keys.push_back(&request.key);
    elements = elements || request.command->spec->element != 0;
  }
  store->Prefetch(database, keys);
  if (elements) PrefetchElements(store, database, requests);
}

}  // namespace spinel
