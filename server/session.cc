#include "server/session.h"

#include <utility>

#include "server/transaction.h"

namespace spinel {

Session::Session(uint64_t session_id, Origin session_origin, int64_t now_ms)
    : id(session_id), origin(std::move(session_origin)), created_ms(now_ms) {
  last_active_ms.store(now_ms, std::memory_order_relaxed);
}

// While everything that it writes to is still there.
Session::~Session() { transaction.reset(); }

void Session::Reset() {
  set_db(0);
  set_resp(RespVersion::kResp2);
  no_touch.store(false, std::memory_order_relaxed);
  no_evict.store(false, std::memory_order_relaxed);
  reply_mode = ReplyMode::kOn;
  transaction.reset();
  SpinLockHolder lock(&names_lock_);
  if (names_ != nullptr) names_->name.clear();
}

}  // namespace spinel
