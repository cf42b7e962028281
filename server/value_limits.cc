#include "server/value_limits.h"

#include "server/commands/set_reply.h"
#include "server/commands/zset_reply.h"
#include "server/server.h"

namespace spinel {

ValueLimits ValueLimitsOf(const Server& server) {
  const Config& config = server.config();
  ValueLimits limits;
  limits.hash = {static_cast<size_t>(config.hash_max_listpack_entries()),
                 static_cast<size_t>(config.hash_max_listpack_value())};
  limits.set = SetLimitsOf(config);
  limits.zset = ZsetLimitsOf(config);
  limits.list = ListLimits(config.list_max_listpack_size(),
                           server.list_own_chunk_bytes.load(std::memory_order_relaxed));
  return limits;
}

}  // namespace spinel
