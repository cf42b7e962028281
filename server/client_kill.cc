#include "server/client_kill.h"

#include <memory>
#include <vector>

#include "server/blocking.h"
#include "server/server.h"
#include "server/session.h"

namespace spinel {

int64_t CloseClients(Server* server, Session* caller, absl::FunctionRef<bool(Session&)> wanted) {
  struct Victim {
    int loop;
    uint64_t id;
  };
  std::vector<Victim> victims;
  int64_t closed = 0;
  server->clients().ForEach([&](Session& session) {
    if (!wanted(session)) return;
    if (&session == caller) {
      session.close_after_reply = true;
    } else if (session.closing.exchange(true, std::memory_order_relaxed)) {
      return;
    } else {
      victims.push_back({session.origin.loop, session.id});
    }
    ++closed;
  });
  for (const Victim& victim : victims) {
    // Nothing is given to one who is as good as gone.
    if (const auto blocked = server->blocked().Find(victim.id)) blocked->Claim();
  }
  for (const Victim& victim : victims) server->runtime().CloseClient(victim.loop, victim.id);
  return closed;
}

}  // namespace spinel
