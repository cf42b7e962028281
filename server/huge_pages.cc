#include "server/huge_pages.h"

#include <sys/prctl.h>

#include <atomic>

namespace spinel {
namespace {

std::atomic<bool> held_back{false};

bool Disable(bool disable) { return prctl(PR_SET_THP_DISABLE, disable ? 1UL : 0UL, 0, 0, 0) == 0; }

}  // namespace

void HoldBackHugePages() {
  if (prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) != 0) return;
  held_back.store(Disable(true));
}

void AllowHugePages() {
  if (held_back.exchange(false)) Disable(false);
}

}  // namespace spinel
