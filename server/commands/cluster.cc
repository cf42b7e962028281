// CLUSTER and what belongs to it: this server runs alone, and every one of these says so, as Redis
// does with cluster-enabled no. Clients ask CLUSTER NODES or SLOTS to find out.

#include "protocol/arg_reader.h"
#include "protocol/reply_writer.h"
#include "server/command_context.h"
#include "server/commands/families.h"

namespace spinel {
namespace {

void ClusterDisabled(CommandContext&, ArgReader&, ReplyWriter& reply) {
  reply.Error("ERR This instance has cluster support disabled");
}

struct Docs {
  std::string_view since;
  std::string_view complexity;
  std::string_view summary;
  std::string_view syntax = {};
};

constexpr CommandSpec Row(std::string_view name, int arity, uint32_t flags, const Docs& docs,
                          uint32_t acl = 0) {
  return {.name = name,
          .arity = arity,
          .flags = flags,
          .acl = acl,
          .handler = ClusterDisabled,
          .group = "cluster",
          .since = docs.since,
          .complexity = docs.complexity,
          .summary = docs.summary,
          .syntax = docs.syntax};
}

constexpr uint32_t kChanging = kAdmin | kStale | kNoAsyncLoading;

constexpr CommandSpec kClusterSubcommands[] = {
    Row("ADDSLOTS", -3, kChanging,
        {"3.0.0", "O(N) with N the slots", "Takes over hash slots.", "slot [slot ...]"}),
    Row("ADDSLOTSRANGE", -4, kChanging,
        {"7.0.0", "O(N) with N the slots", "Takes over ranges of hash slots.",
         "start-slot end-slot [start-slot end-slot ...]"}),
    Row("BUMPEPOCH", 2, kChanging, {"3.0.0", "O(1)", "Advances the node's configuration epoch."}),
    Row("CANCELSLOTMIGRATIONS", 2, kChanging,
        {"9.0.0", "O(N) with N the migrations", "Stops slot migrations that this node began."}),
    Row("COUNT-FAILURE-REPORTS", 3, kAdmin | kStale,
        {"3.0.0", "O(N) with N the reports", "Counts the reports that a node has failed.",
         "node-id"}),
    Row("COUNTKEYSINSLOT", 3, kStale, {"3.0.0", "O(1)", "Counts the keys in a hash slot.", "slot"}),
    Row("DELSLOTS", -3, kChanging,
        {"3.0.0", "O(N) with N the slots", "Gives up hash slots.", "slot [slot ...]"}),
    Row("DELSLOTSRANGE", -4, kChanging,
        {"7.0.0", "O(N) with N the slots", "Gives up ranges of hash slots.",
         "start-slot end-slot [start-slot end-slot ...]"}),
    Row("FAILOVER", -2, kChanging,
        {"3.0.0", "O(1)", "Makes a replica take its master's place.", "[FORCE | TAKEOVER]"}),
    Row("FLUSHSLOT", -3, kWrite | kAdmin | kNoAsyncLoading,
        {"9.0.0", "O(N) with N the keys", "Removes all keys of a hash slot.",
         "slot [ASYNC | SYNC]"},
        kAclKeyspace),
    Row("FLUSHSLOTS", 2, kChanging, {"3.0.0", "O(1)", "Gives up all hash slots."}),
    Row("FORGET", 3, kChanging,
        {"3.0.0", "O(1)", "Removes a node from the list of known nodes.", "node-id"}),
    Row("GETKEYSINSLOT", 4, kStale,
        {"3.0.0", "O(N) with N the keys asked for", "Answers keys of a hash slot.", "slot count"}),
    Row("GETSLOTMIGRATIONS", 2, kChanging,
        {"9.0.0", "O(N) with N the migrations", "Answers slot migrations that run or have ended."}),
    Row("HELP", 2, kLoading | kStale, {"5.0.0", "O(1)", "Print this help."}),
    Row("INFO", 2, kLoading | kStale, {"3.0.0", "O(1)", "Answers the state of the cluster."}),
    Row("KEYSLOT", 3, kStale,
        {"3.0.0", "O(N) with N the bytes of the key", "Answers the hash slot of a key.", "key"}),
    Row("LINKS", 2, kStale,
        {"7.0.0", "O(N) with N the nodes",
         "Answers the connections between this node and the others."}),
    Row("MEET", -4, kChanging,
        {"3.0.0", "O(1)", "Makes two nodes know each other.", "ip port [cluster-bus-port]"}),
    Row("MIGRATESLOTS", -4, kChanging,
        {"9.0.0", "O(N) with N the slots", "Begins to migrate ranges of hash slots to other nodes.",
         "SLOTSRANGE <start-slot end-slot [start-slot end-slot ...]> NODE node-id [SLOTSRANGE "
         "<start-slot end-slot [start-slot end-slot ...]> NODE node-id ...]"}),
    Row("MYID", 2, kLoading | kStale, {"3.0.0", "O(1)", "Answers the node's id."}),
    Row("MYSHARDID", 2, kLoading | kStale,
        {"7.2.0", "O(1)", "Answers the id of the node's shard."}),
    Row("NODES", 2, kLoading | kStale,
        {"3.0.0", "O(N) with N the nodes", "Answers the nodes of the cluster, a line each."}),
    Row("REPLICAS", 3, kAdmin | kStale,
        {"5.0.0", "O(N) with N the replicas", "Answers the replicas of a master.", "node-id"}),
    Row("REPLICATE", 3, kChanging,
        {"3.0.0", "O(1)", "Makes the node a replica of a master.", "node-id"}),
    Row("RESET", -2, kAdmin | kNoScript | kStale,
        {"3.0.0", "O(N) with N the known nodes", "Makes the node forget the cluster.",
         "[HARD | SOFT]"}),
    Row("SAVECONFIG", 2, kChanging, {"3.0.0", "O(1)", "Saves the state of the cluster to disk."}),
    Row("SET-CONFIG-EPOCH", 3, kChanging,
        {"3.0.0", "O(1)", "Sets the configuration epoch of a new node.", "config-epoch"}),
    Row("SETSLOT", -4, kChanging,
        {"3.0.0", "O(1)", "Binds a hash slot to a node, or marks it as migrating.",
         "slot <IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE> [TIMEOUT timeout]"}),
    Row("SHARDS", 2, kLoading | kStale,
        {"7.0.0", "O(N) with N the nodes", "Answers the cluster's shards: their slots and nodes."}),
    Row("SLAVES", 3, kAdmin | kStale,
        {"3.0.0", "O(N) with N the replicas",
         "Answers the replicas of a master; an older name of REPLICAS.", "node-id"}),
    Row("SLOT-STATS", -4, kLoading | kStale,
        {"8.0.0", "O(N) with N the slots", "Answers statistics of hash slots.",
         "<SLOTSRANGE start-slot end-slot | ORDERBY metric [LIMIT limit] [ASC | DESC]>"}),
    Row("SLOTS", 2, kLoading | kStale,
        {"3.0.0", "O(N) with N the nodes", "Answers which nodes serve which hash slots."}),
    Row("SYNCSLOTS", -2, kChanging,
        {"9.0.0", "Depends on the subcommand.", "Part of the protocol between nodes.",
         "[arg [arg ...]]"}),
};

constexpr CommandSpec kClusterCommands[] = {
    {.name = "CLUSTER",
     .arity = -2,
     .subcommands = kClusterSubcommands,
     .group = "cluster",
     .since = "3.0.0",
     .complexity = "Depends on the subcommand.",
     .summary = "Container of the commands about the cluster."},
    Row("ASKING", 1, kFast,
        {"3.0.0", "O(1)", "Lets the next command use a hash slot that is being imported."},
        kAclConnection),
    Row("READONLY", 1, kLoading | kStale | kFast,
        {"3.0.0", "O(1)", "Lets the connection read from a replica."}, kAclConnection),
    Row("READWRITE", 1, kLoading | kStale | kFast, {"3.0.0", "O(1)", "Ends what READONLY began."},
        kAclConnection),
};

}  // namespace

std::span<const CommandSpec> ClusterCommands() { return kClusterCommands; }

}  // namespace spinel
