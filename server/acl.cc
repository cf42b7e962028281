#include "server/acl.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "protocol/ascii.h"
#include "server/acl_file.h"
#include "server/client_info.h"
#include "server/config_file.h"
#include "server/config_rewrite.h"
#include "server/log.h"
#include "server/server.h"
#include "server/session.h"

namespace spinel {

Acl::Acl(Server* server, std::atomic<uint64_t>* generation, std::atomic<bool>* needs_password)
    : server_(server),
      generation_(generation),
      needs_password_(needs_password),
      own_(std::make_shared<AclAccount>("default")) {
  MutexLock lock(&mutex_);
  own_->user = std::make_shared<const AclUser>(AclUser::Default(Context()));
  default_ = std::make_shared<AclAccount>("default");
  default_->user = std::make_shared<const AclUser>(AclUser::Default(Context()));
  accounts_.emplace(default_->name, default_);
  Announce();
}

Acl::~Acl() = default;

AclContext Acl::Context() const {
  return {&server_->commands(), server_->config().acl_pubsub_default_allchannels()};
}

// From here on every session looks for its rules again.
void Acl::Announce() {
  const AclUser& user = *default_->user;
  needs_password_->store(!user.nopass() || !user.enabled(), std::memory_order_relaxed);
  generation_->fetch_add(1, std::memory_order_release);
}

// -- Start
// -----------------------------------------------------------------------------------------

std::string Acl::ApplyDirective(std::span<const std::string> words, Named* users) const {
  const AclContext context = Context();
  const std::string& name = words[0];
  if (HasAclSeparator(name)) return "Spaces not allowed in ACL usernames";
  const auto [user, added] = users->try_emplace(name, context, name);
  if (!added) {
    return fmt::format(
        "Error in user declaration '{}': Duplicate user found. A user can only be defined once in "
        "config files",
        name);
  }
  const std::vector<std::string_view> views(words.begin() + 1, words.end());
  std::vector<std::string> rules;
  std::string unclosed;
  if (!MergeAclSelectors(views, &rules, &unclosed)) {
    return fmt::format("Error in user declaration '{}': Unmatched parenthesis in acl selector",
                       unclosed);
  }
  for (const std::string& rule : rules) {
    const AclRuleError error = user->second.Apply(context, rule);
    if (error == AclRuleError::kNone) continue;
    return fmt::format("Error loading ACL rule '{}' for the user named '{}': {}", rule, name,
                       AclRuleErrorText(error));
  }
  if (!user->second.enabled()) {
    LogNotice(
        "The user '{}' is disabled (there is no 'on' modifier in the user description). Make sure "
        "this is not a configuration error.",
        name);
  }
  return {};
}

std::string Acl::LoadAtStart() {
  const Config& config = server_->config();
  const std::string path = config.aclfile();
  Named users;
  if (!path.empty()) {
    if (!config.user_directives.empty()) {
      return "Users are defined in the configuration file and in an ACL file (aclfile), which is "
             "likely to lead to errors and security holes. Define them in one of the two only.";
    }
    if (const std::string errors = ReadFile(path, &users); !errors.empty()) {
      return "Aborting Spinel startup because of ACL errors: " + errors;
    }
    if (!config.requirepass.empty()) {
      LogWarning("requirepass is ignored: what the user 'default' may do is said by the aclfile.");
    }
    MutexLock lock(&mutex_);
    Revocations revoked;
    std::vector<AccountPtr> deleted;
    ReplaceAll(std::move(users), &revoked, &deleted);
    return {};
  }
  for (const std::vector<std::string>& words : config.user_directives) {
    if (std::string error = ApplyDirective(words, &users); !error.empty()) return error;
  }
  MutexLock lock(&mutex_);
  for (auto& [name, user] : users) {
    AccountPtr& account = accounts_[name];
    if (account == nullptr) account = std::make_shared<AclAccount>(name);
    Publish(account, std::move(user), nullptr);
  }
  if (!users.empty()) Announce();
  return {};
}

// -- Sessions
// --------------------------------------------------------------------------------------

void Acl::Admit(Session* session) {
  {
    MutexLock lock(&mutex_);
    session->set_account(default_);
    session->authenticated = default_->user->nopass() && default_->user->enabled();
  }
  session->acl_generation = 0;
  Refresh(session);
}

void Acl::Trust(Session* session) {
  session->set_account(own_);
  session->authenticated = true;
  session->acl_generation = 0;
  Refresh(session);
}

bool Acl::Authenticate(Session* session, std::string_view user, std::string_view password,
                       std::string_view command, CommandArgs args, int64_t now_ms) {
  AccountPtr account;
  UserPtr rules;
  {
    MutexLock lock(&mutex_);
    const auto found = accounts_.find(user);
    account = found == accounts_.end() ? default_ : found->second;
    rules = account->user;
    if (found == accounts_.end()) account = nullptr;
  }
  // Compared even if there is no such user: the time taken says nothing about names.
  const bool matches = rules->PasswordMatches(password);
  if (account == nullptr || !rules->enabled() || !matches) {
    AclLog::Entry entry;
    entry.reason = AclDenial::kAuth;
    entry.context = session->in_multi() ? AclLogContext::kMulti : AclLogContext::kTopLevel;
    entry.object = command;
    entry.username = user;
    AppendClientLine(*session, now_ms, args, &entry.client);
    Add(std::move(entry), now_ms);
    return false;
  }
  session->authenticated = true;
  session->set_account(std::move(account));
  session->acl_generation = 0;
  Refresh(session);
  return true;
}

void Acl::Refresh(Session* session) {
  if (session->acl_generation == server_->acl_generation()) return;
  MutexLock lock(&mutex_);
  AccountPtr account = session->account();
  if (account->deleted) {
    // Whoever deleted the user has this client closed; until then it is nobody.
    account = default_;
    session->set_account(account);
    session->authenticated = false;
    session->close_after_reply = true;
  }
  session->acl_user = account->user;
  session->acl_generation = server_->acl_generation();
  const bool admitted = session->authenticated || !server_->needs_password();
  session->unrestricted_at =
      admitted && session->acl_user->unrestricted() ? session->acl_generation : 0;
}

AclVerdict Acl::Check(const Session& session, const Command& command, CommandArgs args) {
  if (session.acl_user->unrestricted()) return {};
  return CheckAcl(*session.acl_user, command, args);
}

void Acl::NoteDenied(const Session& session, const AclVerdict& verdict, AclLogContext context,
                     const Command& command, CommandArgs args, int64_t now_ms) {
  AclLog::Entry entry;
  entry.reason = verdict.denial;
  entry.context = context;
  entry.object =
      verdict.denial == AclDenial::kCommand ? command.name : args[verdict.position].substr(0, 4096);
  entry.username = session.acl_user->name();
  AppendClientLine(session, now_ms, args, &entry.client);
  Add(std::move(entry), now_ms);
}

void Acl::Add(AclLog::Entry entry, int64_t now_ms) {
  denied_[static_cast<size_t>(entry.reason)].fetch_add(1, std::memory_order_relaxed);
  entry.created_ms = now_ms;
  entry.updated_ms = now_ms;
  log_.Add(std::move(entry), static_cast<size_t>(server_->config().acllog_max_len()));
}

void Acl::ResetStatistics() {
  for (std::atomic<uint64_t>& count : denied_) count.store(0, std::memory_order_relaxed);
}

// -- Users
// -----------------------------------------------------------------------------------------

Acl::UserPtr Acl::Find(std::string_view name) const {
  MutexLock lock(&mutex_);
  const auto found = accounts_.find(name);
  return found == accounts_.end() ? nullptr : found->second->user;
}

bool Acl::IsAdministrator(std::string_view name, std::string_view password) const {
  const UserPtr found = Find(name);
  // Compared even if there is no such user: the time taken says nothing about names.
  const UserPtr user = found != nullptr ? found : own_->user;
  const bool matches = user->PasswordMatches(password);
  return found != nullptr && matches && user->enabled() && user->unrestricted();
}

std::vector<Acl::UserPtr> Acl::Users() const {
  MutexLock lock(&mutex_);
  std::vector<UserPtr> users;
  users.reserve(accounts_.size());
  for (const auto& [name, account] : accounts_) users.push_back(account->user);
  return users;
}

std::string Acl::SetUser(std::string_view name, std::span<const std::string_view> words,
                         const Caller& caller) {
  std::vector<std::string> rules;
  std::string unclosed;
  if (!MergeAclSelectors(words, &rules, &unclosed)) {
    return fmt::format("Unmatched parenthesis in acl selector starting at '{}'.",
                       UntilNul(unclosed));
  }
  const AclContext context = Context();
  Revocations revoked;
  {
    MutexLock lock(&mutex_);
    const auto found = accounts_.find(name);
    AclUser user = found == accounts_.end() ? AclUser(context, std::string(name))
                                            : AclUser(*found->second->user);
    for (const std::string& rule : rules) {
      const AclRuleError error = user.Apply(context, rule);
      if (error == AclRuleError::kNone) continue;
      return fmt::format("Error in ACL SETUSER modifier '{}': {}", UntilNul(rule),
                         AclRuleErrorText(error));
    }
    AccountPtr account =
        found == accounts_.end() ? std::make_shared<AclAccount>(std::string(name)) : found->second;
    accounts_.insert_or_assign(account->name, account);
    Publish(account, std::move(user), &revoked);
    Announce();
  }
  Enforce(std::move(revoked), caller);
  return {};
}

// Notes what subscribers lose by it, if they lose anything.
void Acl::Publish(const AccountPtr& account, AclUser user, Revocations* revoked) {
  const UserPtr before =
      std::exchange(account->user, std::make_shared<const AclUser>(std::move(user)));
  if (before == nullptr || revoked == nullptr) return;
  std::vector<std::string> channels;
  for (const AclSelector& selector : account->user->selectors()) {
    if (selector.all_channels()) return;
    channels.insert(channels.end(), selector.channels().begin(), selector.channels().end());
  }
  const auto kept = [&](const std::string& channel) {
    return std::find(channels.begin(), channels.end(), channel) != channels.end();
  };
  const bool loses = std::any_of(
      before->selectors().begin(), before->selectors().end(), [&](const AclSelector& selector) {
        return selector.all_channels() ||
               !std::all_of(selector.channels().begin(), selector.channels().end(), kept);
      });
  if (loses) revoked->push_back({account, std::move(channels)});
}

int64_t Acl::DeleteUsers(std::span<const std::string_view> names, const Caller& caller) {
  std::vector<AccountPtr> deleted;
  {
    MutexLock lock(&mutex_);
    for (const std::string_view name : names) {
      const auto found = accounts_.find(name);
      if (found == accounts_.end()) continue;
      found->second->deleted = true;
      deleted.push_back(found->second);
      accounts_.erase(found);
    }
    if (!deleted.empty()) Announce();
  }
  CloseClientsOf(deleted, caller);
  return static_cast<int64_t>(deleted.size());
}

void Acl::SetDefaultPassword(const std::string& password) {
  const AclContext context = Context();
  MutexLock lock(&mutex_);
  AclUser user = *default_->user;
  user.Apply(context, "resetpass");
  user.Apply(context, password.empty() ? "nopass" : ">" + password);
  Publish(default_, std::move(user), nullptr);
  Announce();
}

// -- Files
// -----------------------------------------------------------------------------------------

std::string Acl::ReadFile(const std::string& path, Named* users) const {
  const auto failed = [&path](int error) {
    return fmt::format("Error loading ACLs, opening file '{}': {}", path, std::strerror(error));
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed(errno);
  std::string text;
  const int error = ReadConfigText(fd, &text);
  ::close(fd);
  if (error != 0) return failed(error);
  return ParseAclFile(text, path, Context(), users);
}

// A file that does not mention `default` leaves it as it is at first.
void Acl::ReplaceAll(Named users, Revocations* revoked, std::vector<AccountPtr>* deleted) {
  if (users.find("default") == users.end()) {
    users.emplace("default", AclUser::Default(Context()));
  }
  for (auto account = accounts_.begin(); account != accounts_.end();) {
    if (users.find(account->first) != users.end()) {
      ++account;
      continue;
    }
    account->second->deleted = true;
    deleted->push_back(account->second);
    account = accounts_.erase(account);
  }
  for (auto& [name, user] : users) {
    AccountPtr& account = accounts_[name];
    if (account == nullptr) account = std::make_shared<AclAccount>(name);
    Publish(account, std::move(user), revoked);
  }
  Announce();
}

std::string Acl::Load(const Caller& caller) {
  Named users;
  if (std::string errors = ReadFile(server_->config().aclfile(), &users); !errors.empty()) {
    return errors;
  }
  Revocations revoked;
  std::vector<AccountPtr> deleted;
  {
    MutexLock lock(&mutex_);
    ReplaceAll(std::move(users), &revoked, &deleted);
  }
  CloseClientsOf(deleted, caller);
  Enforce(std::move(revoked), caller);
  return {};
}

int Acl::Save() const {
  std::string text;
  for (const UserPtr& user : Users()) {
    text += fmt::format("user {} {}\n", user->name(), user->Describe());
  }
  return ReplaceFile(server_->config().aclfile(), text);
}

std::vector<std::string> Acl::ConfigLines() const {
  std::vector<std::string> lines;
  if (!server_->config().aclfile.empty()) return lines;
  AclUser plain = AclUser::Default(Context());
  if (const std::string password = server_->config().requirepass(); !password.empty()) {
    plain.Apply(Context(), ">" + password);
  }
  for (const UserPtr& user : Users()) {
    const std::string rules = user->Describe();
    if (user->name() == plain.name() && rules == plain.Describe()) continue;
    lines.push_back(fmt::format("user {} {}", user->name(), rules));
  }
  return lines;
}

}  // namespace spinel
