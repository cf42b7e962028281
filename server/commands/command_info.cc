// The entries of COMMAND and COMMAND INFO.

#include <bit>
#include <string>

#include "protocol/reply_writer.h"
#include "server/acl_categories.h"
#include "server/commands/command_reply.h"

namespace spinel {
namespace {

struct Name {
  uint32_t bit;
  std::string_view name;
};

constexpr Name kCommandFlags[] = {
    {kWrite, "write"},
    {kReadOnly, "readonly"},
    {kDenyOom, "denyoom"},
    {kAdmin, "admin"},
    {kPubSub, "pubsub"},
    {kNoScript, "noscript"},
    {kBlocking, "blocking"},
    {kLoading, "loading"},
    {kStale, "stale"},
    {kSkipMonitor, "skip_monitor"},
    {kSkipSlowlog, "skip_slowlog"},
    {kFast, "fast"},
    {kNoAuth, "no_auth"},
    {kMayReplicate, "may_replicate"},
    {kNoAsyncLoading, "no_async_loading"},
    {kNoMulti, "no_multi"},
    {kMovableKeys, "movablekeys"},
    {kAllowBusy, "allow_busy"},
    {kNoMandatoryKeys, "no_mandatory_keys"},
};

constexpr Name kKeyFlags[] = {
    {kKeyRO, "RO"},
    {kKeyRW, "RW"},
    {kKeyOW, "OW"},
    {kKeyRM, "RM"},
    {kKeyAccess, "access"},
    {kKeyUpdate, "update"},
    {kKeyInsert, "insert"},
    {kKeyDelete, "delete"},
    {kKeyNotKey, "not_key"},
    {kKeyIncomplete, "incomplete"},
    {kKeyVariableFlags, "variable_flags"},
};

// The names of the bits that are set; bits without a name are not shown.
template <typename Names>
void ReplyNames(const Names& names, uint32_t bits, ReplyWriter& reply) {
  int64_t count = 0;
  for (const auto& name : names) count += (bits & name.bit) != 0 ? 1 : 0;
  reply.Set(count);
  for (const auto& name : names) {
    if ((bits & name.bit) != 0) reply.Simple(name.name);
  }
}

void ReplyUnknownPart(std::string_view part, ReplyWriter& reply) {
  reply.Bulk(part);
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk("unknown");
  reply.Bulk("spec");
  reply.Map(0);
}

// Where to find keys that only an extractor finds.
void ReplyMovableKeys(const CommandSpec& spec, ReplyWriter& reply) {
  reply.Map(3);
  reply.Bulk("flags");
  ReplyKeyFlags(spec.keys.flags | kKeyIncomplete, reply);
  ReplyUnknownPart("begin_search", reply);
  ReplyUnknownPart("find_keys", reply);
}

void ReplyKeyRange(const KeySpec& keys, ReplyWriter& reply) {
  reply.Map(3);
  reply.Bulk("flags");
  ReplyKeyFlags(keys.flags, reply);
  reply.Bulk("begin_search");
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk("index");
  reply.Bulk("spec");
  reply.Map(1);
  reply.Bulk("index");
  reply.Integer(keys.first);
  reply.Bulk("find_keys");
  reply.Map(2);
  reply.Bulk("type");
  reply.Bulk("range");
  reply.Bulk("spec");
  reply.Map(3);
  reply.Bulk("lastkey");  // counted from the first one, or from the end
  reply.Integer(keys.last >= 0 ? keys.last - keys.first : keys.last);
  reply.Bulk("keystep");
  reply.Integer(keys.step);
  reply.Bulk("limit");
  reply.Integer(0);
}

}  // namespace

void ReplyKeyFlags(uint16_t flags, ReplyWriter& reply) { ReplyNames(kKeyFlags, flags, reply); }

void ReplyCommandInfo(const Command& command, ReplyWriter& reply) {
  const CommandSpec& spec = *command.spec;
  reply.Array(10);
  reply.Bulk(command.name);
  reply.Integer(spec.arity);
  ReplyNames(kCommandFlags, spec.flags, reply);
  reply.Integer(spec.keys.first);
  reply.Integer(spec.keys.last);
  reply.Integer(spec.keys.step);
  ReplyNames(AclCategoryNames(), command.acl, reply);
  reply.Set(0);  // tips for proxies
  const bool range = spec.keys.first != 0;
  const bool movable = spec.extractor != nullptr;
  reply.Set((range ? 1 : 0) + (movable ? 1 : 0));
  if (range) ReplyKeyRange(spec.keys, reply);
  if (movable) ReplyMovableKeys(spec, reply);
  reply.Array(static_cast<int64_t>(command.subcommands.size()));
  for (const Command* sub : command.subcommands) ReplyCommandInfo(*sub, reply);
}

}  // namespace spinel
