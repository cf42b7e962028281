#include "server/session.h"

namespace spinel {

void Session::Reset(bool needs_password) {
  set_db(0);
  set_resp(RespVersion::kResp2);
  authenticated = !needs_password;
  no_touch.store(false, std::memory_order_relaxed);
  no_evict.store(false, std::memory_order_relaxed);
  reply_mode = ReplyMode::kOn;
  SpinLockHolder lock(&names_lock_);
  if (names_ != nullptr) names_->name.clear();
}

}  // namespace spinel
