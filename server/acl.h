// Users, and who is which. See docs/acl.md.
//
// A user's rules are compiled into an AclUser that never changes; a change makes a new one, puts it
// into the user's account and raises the server's acl_generation. A session remembers of which
// generation its copy is, and whether that one may do anything: then a request costs one
// comparison. Otherwise the session looks for its user's present rules first (Refresh).
//
// Owner: the Server. Threads: any, but what takes a Session belongs to that session's loop.
// Lock order: stripes, then the configuration's mutex, then this one's; nothing is called with it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/acl_check.h"
#include "server/acl_log.h"
#include "server/acl_user.h"
#include "storage/mutex.h"

namespace spinel {

class Server;
class Session;
struct LoopState;

// A user through all its changes.
struct AclAccount {
  explicit AclAccount(std::string account_name) : name(std::move(account_name)) {}

  const std::string name;
  // Acl's mutex guards these.
  std::shared_ptr<const AclUser> user;
  bool deleted = false;
};

class Acl {
 public:
  using UserPtr = std::shared_ptr<const AclUser>;
  using AccountPtr = std::shared_ptr<AclAccount>;

  // Both belong to the server, for whom every request reads them.
  Acl(Server* server, std::atomic<uint64_t>* generation, std::atomic<bool>* needs_password);
  ~Acl();
  Acl(const Acl&) = delete;
  Acl& operator=(const Acl&) = delete;

  // -- Start
  // Users of the configuration file or of `aclfile`. An error is a complete text.
  std::string LoadAtStart();

  // -- Sessions
  // The session is one that has just connected.
  void Admit(Session* session);
  // The session is one of the server's own, whom nobody restricts.
  void Trust(Session* session);
  // AUTH and HELLO. A refusal is logged; `command` is what the client called it by.
  bool Authenticate(Session* session, std::string_view user, std::string_view password,
                    std::string_view command, CommandArgs args, int64_t now_ms);
  // Makes the session know its user's present rules.
  void Refresh(Session* session);
  // What the session's user may not do of the request. Expects Refresh to have been called.
  static AclVerdict Check(const Session& session, const Command& command, CommandArgs args);
  // Counts and logs a refusal. `args`: the session's own request.
  void NoteDenied(const Session& session, const AclVerdict& verdict, AclLogContext context,
                  const Command& command, CommandArgs args, int64_t now_ms);

  // -- Users
  UserPtr Find(std::string_view name) const;
  // Whether somebody who is no client of the data ports may do anything: the user is enabled, may
  // do everything, and this is the password.
  bool IsAdministrator(std::string_view name, std::string_view password) const;
  // By name.
  std::vector<UserPtr> Users() const;
  // The changes below take effect on clients too: those that may not go on are closed, the caller
  // (its loop, its session) after its reply. Null: nobody called.
  struct Caller {
    LoopState* loop = nullptr;
    Session* session = nullptr;
  };
  // An error is the text of the reply, without its code.
  std::string SetUser(std::string_view name, std::span<const std::string_view> rules,
                      const Caller& caller);
  // Returns how many there were. Expects `default` not to be among them.
  int64_t DeleteUsers(std::span<const std::string_view> names, const Caller& caller);
  // requirepass; empty: none is needed.
  void SetDefaultPassword(const std::string& password);
  // Replaces all users by those of `aclfile`, or changes nothing and returns why.
  std::string Load(const Caller& caller);
  // Writes them there; returns 0 or errno.
  int Save() const;
  // The `user` lines of a rewritten configuration file: none with an `aclfile`, nor for `default`
  // as requirepass alone makes it.
  std::vector<std::string> ConfigLines() const;

  // -- Statistics
  AclLog& log() { return log_; }
  uint64_t denied(AclDenial reason) const {
    return denied_[static_cast<size_t>(reason)].load(std::memory_order_relaxed);
  }
  void ResetStatistics();

 private:
  using Accounts = std::map<std::string, AccountPtr, std::less<>>;
  using Named = std::map<std::string, AclUser, std::less<>>;
  // Whose subscriptions have to be looked at, and what these may be from now on.
  struct Revocation {
    AccountPtr account;
    std::vector<std::string> channels;
  };
  using Revocations = std::vector<Revocation>;

  AclContext Context() const;
  std::string ApplyDirective(std::span<const std::string> words, Named* users) const;
  void Publish(const AccountPtr& account, AclUser user, Revocations* revoked)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReplaceAll(Named users, Revocations* revoked, std::vector<AccountPtr>* deleted)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Announce() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string ReadFile(const std::string& path, Named* users) const;
  void Add(AclLog::Entry entry, int64_t now_ms);

  // acl_effects.cc
  void CloseClientsOf(const std::vector<AccountPtr>& accounts, const Caller& caller);
  void Enforce(Revocations revoked, const Caller& caller);
  void EnforceOnLoop(const Revocations& revoked, int loop, Session* caller);
  void RefuseWaiting(int64_t now_ms);

  Server* const server_;
  std::atomic<uint64_t>* const generation_;
  std::atomic<bool>* const needs_password_;
  mutable Mutex mutex_;
  Accounts accounts_ ABSL_GUARDED_BY(mutex_);
  AccountPtr default_ ABSL_GUARDED_BY(mutex_);
  const AccountPtr own_;  // the server's own sessions'
  AclLog log_;
  std::array<std::atomic<uint64_t>, 5> denied_{};  // by AclDenial
};

}  // namespace spinel
