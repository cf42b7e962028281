// What a change of users does to clients that are connected.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/acl.h"
#include "server/blocking.h"
#include "server/client_info.h"
#include "server/client_kill.h"
#include "server/loop_state.h"
#include "server/server.h"
#include "server/session.h"

namespace spinel {
namespace {

// Whether the client listens to something that is not allowed any more. On its loop.
bool ListensBeyond(const Session& session, const std::vector<std::string>& allowed) {
  if (session.listens_to == nullptr) return false;
  for (const SubscriptionKind kind :
       {SubscriptionKind::kChannel, SubscriptionKind::kPattern, SubscriptionKind::kShard}) {
    const bool patterns = kind == SubscriptionKind::kPattern;
    for (const std::string& name : session.listens_to->of(kind)) {
      if (!AclChannelsAdmit(allowed, name, patterns)) return true;
    }
  }
  return false;
}

// A client that waits, as the thread sees it that changes a user.
struct Waiting {
  uint64_t id;
  std::shared_ptr<AclAccount> account;
  const Command* command;
  std::string line;  // of CLIENT LIST
};

// What a user may not do of a command that has begun to wait: there is no request any more, but the
// keys are known. All of these commands take elements out of some and put them into another.
AclVerdict CheckWaiting(const AclUser& user, const Command& command, const BlockedClient& client,
                        std::string* object) {
  AclVerdict worst{AclDenial::kCommand, 0};
  *object = command.name;
  for (const AclSelector& selector : user.selectors()) {
    if (!selector.MayRun(command, {})) continue;
    const std::string* refused = nullptr;
    for (const BlockedClient::Key& key : client.keys()) {
      if (!selector.MayUseKey(key.name, kAclAnyAccess)) refused = &key.name;
    }
    const std::string* const destination = client.destination();
    if (destination != nullptr && !selector.MayUseKey(*destination, kAclWriteKey)) {
      refused = destination;
    }
    if (refused == nullptr) return {};
    worst.denial = AclDenial::kKey;
    *object = *refused;
  }
  return worst;
}

}  // namespace

void Acl::CloseClientsOf(const std::vector<AccountPtr>& accounts, const Caller& caller) {
  if (accounts.empty()) return;
  CloseClients(server_, caller.session, [&](Session& session) {
    return std::find(accounts.begin(), accounts.end(), session.account()) != accounts.end();
  });
}

void Acl::Enforce(Revocations revoked, const Caller& caller) {
  if (caller.loop == nullptr) return;
  RefuseWaiting(caller.loop->op.now_ms);
  if (revoked.empty()) return;
  // Only its own loop knows what a client listens to.
  const auto shared = std::make_shared<const Revocations>(std::move(revoked));
  Runtime& runtime = server_->runtime();
  for (int i = 0; i < runtime.loops(); ++i) {
    if (i == caller.loop->index) continue;
    runtime.Post(i, [this, shared, i] { EnforceOnLoop(*shared, i, nullptr); });
  }
  EnforceOnLoop(*shared, caller.loop->index, caller.session);
}

void Acl::EnforceOnLoop(const Revocations& revoked, int loop, Session* caller) {
  CloseClients(server_, caller, [&](Session& session) {
    if (session.origin.loop != loop || !session.subscribed()) return false;
    const AccountPtr account = session.account();
    return std::any_of(revoked.begin(), revoked.end(), [&](const Revocation& revocation) {
      return revocation.account == account && ListensBeyond(session, revocation.channels);
    });
  });
}

void Acl::RefuseWaiting(int64_t now_ms) {
  std::vector<Waiting> waiting;
  server_->clients().ForEach([&](Session& session) {
    const Command* const command = session.last_command.load(std::memory_order_relaxed);
    if (!session.waiting.load(std::memory_order_relaxed) || command == nullptr) return;
    waiting.push_back({session.id, session.account(), command, {}});
    AppendClientLine(session, now_ms, {}, &waiting.back().line);
  });
  for (Waiting& client : waiting) {
    const UserPtr user = [&] {
      MutexLock lock(&mutex_);
      return client.account->user;
    }();
    const std::shared_ptr<BlockedClient> blocked = server_->blocked().Find(client.id);
    if (user->unrestricted() || blocked == nullptr) continue;
    AclLog::Entry entry;
    const AclVerdict verdict = CheckWaiting(*user, *client.command, *blocked, &entry.object);
    if (verdict.ok() || !blocked->Claim()) continue;
    entry.reason = verdict.denial;
    entry.username = user->name();
    entry.client = std::move(client.line);
    Add(std::move(entry), now_ms);
    server_->CountError("NOPERM");
    blocked->Answer(
        "-NOPERM " +
            AclDenialText(verdict, user->name(), *client.command, {}, AclTextFor::kClient) + "\r\n",
        BlockedClient::Result::kRefused);
  }
}

}  // namespace spinel
