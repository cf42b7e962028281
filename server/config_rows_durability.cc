// Rows: snapshots, append-only file, replication, cluster.
#include <arpa/inet.h>

#include "server/config_special.h"
#include "server/config_table.h"

namespace spinel {
namespace {

constexpr ConfigChoice kFsyncModes[] = {{"everysec", 1}, {"always", 2}, {"no", 0}};
constexpr ConfigChoice kSanitizeModes[] = {{"no", 0}, {"yes", 1}, {"clients", 2}};
constexpr ConfigChoice kRdbVersionChecks[] = {{"strict", 0}, {"relaxed", 1}};
constexpr ConfigChoice kDisklessLoads[] = {
    {"disabled", 0}, {"on-empty-db", 1}, {"swapdb", 2}, {"flush-before-load", 3}};
constexpr ConfigChoice kPropagationErrors[] = {
    {"ignore", 0}, {"panic", 1}, {"panic-on-replicas", 2}};
constexpr ConfigChoice kStateSaveModes[] = {{"sync", 0}, {"best-effort", 1}};
constexpr ConfigChoice kEndpointTypes[] = {{"ip", 0}, {"hostname", 1}, {"unknown-endpoint", 2}};

constexpr std::string_view kNoAof =
    "there is no append-only file; writes since the last snapshot are lost in a crash";
constexpr std::string_view kNoAofDetail = "there is no append-only file";
constexpr std::string_view kNoReplication = "there is no replication";
constexpr std::string_view kNoCluster = "there is no cluster mode";
constexpr size_t kMaxHostName = 256;

std::string_view CheckFileName(const std::string& value, std::string_view if_empty,
                               std::string_view if_path) {
  if (value.empty()) return if_empty;
  if (value.find_first_of("/\\") != std::string::npos) return if_path;
  return {};
}

std::string_view CheckDbFileName(const std::string& value) {
  return CheckFileName(value, "dbfilename can't be empty",
                       "dbfilename can't be a path, just a filename");
}

std::string_view CheckAppendFileName(const std::string& value) {
  return CheckFileName(value, "appendfilename can't be empty",
                       "appendfilename can't be a path, just a filename");
}

std::string_view CheckAppendDirName(const std::string& value) {
  return CheckFileName(value, "appenddirname can't be empty",
                       "appenddirname can't be a path, just a dirname");
}

std::string_view CheckClusterFile(const std::string& value) {
  return value.empty() ? "cluster-config-file can't be empty" : "";
}

std::string_view CheckHostName(const std::string& value) {
  if (value.size() >= kMaxHostName) return "Hostnames must be less than 256 characters";
  for (char c : value) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && (c < '0' || c > '9') && c != '-' && c != '.') {
      return "Hostnames may only contain alphanumeric characters, hyphens or dots";
    }
  }
  return {};
}

std::string_view CheckNodeName(const std::string& value) {
  for (char c : value) {
    if (c < 33 || c > 126 ||
        std::string_view("!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~").find(c) != std::string_view::npos) {
      return "Announced human node name contained invalid character";
    }
  }
  return {};
}

std::string_view CheckIpv4(const std::string& value) {
  in_addr address{};
  if (value.empty() || ::inet_pton(AF_INET, value.c_str(), &address) == 1) return {};
  return "Invalid IPv4 address";
}

std::string_view CheckIpv6(const std::string& value) {
  in6_addr address{};
  if (value.empty() || ::inet_pton(AF_INET6, value.c_str(), &address) == 1) return {};
  return "Invalid IPv6 address";
}

constexpr ConfigRow kSnapshots[] = {
    Special("save", "3600 1 300 100 60 10000", &kSaveOption,
            "Pairs of seconds and changes: snapshot when that many changes have happened and that "
            "much time has passed. `\"\"`: never.")
        .MultiArg(),
    Special<&Config::dir>("dir", ".", &kDirOption,
                          "Folder for snapshots; also becomes the working folder.")
        .Protected()
        .DenyLoading(),
    Text<&Config::dbfilename>("dbfilename", "dump.rdb", "Name of the snapshot in that folder.")
        .Protected()
        .Check(CheckDbFileName),
    Bool<&Config::rdbcompression>("rdbcompression", true, "Compress strings in snapshots."),
    Bool<&Config::rdbchecksum>("rdbchecksum", true, "Put a checksum at the end of snapshots.")
        .Immutable(),
    Bool<&Config::rdb_save_incremental_fsync>("rdb-save-incremental-fsync", true,
                                              "Sync a snapshot every few megabytes."),
    Bool<&Config::stop_writes_on_bgsave_error>("stop-writes-on-bgsave-error", true,
                                               "Refuse writes when the last snapshot failed."),
    Bool("rdb-del-sync-files", false, "Delete snapshots made for replicas.")
        .NoEffect(kNoReplication),
    Enum("rdb-version-check", 0, kRdbVersionChecks,
         "Refuse snapshots of unknown versions, or try them.")
        .NoEffect("unknown versions are always refused"),
    Enum("sanitize-dump-payload", 0, kSanitizeModes,
         "Check the data of RESTORE and of snapshots in full.")
        .NoEffect("such data is always checked in full"),
    Integer("rdb-key-save-delay", 0, kIntMin, kIntMax, "Slow snapshots down, for tests.")
        .Hidden()
        .NoEffect("snapshots are as quick as they can be"),
    Integer("key-load-delay", 0, kIntMin, kIntMax, "Slow loading down, for tests.")
        .Hidden()
        .NoEffect("loading is as quick as it can be"),
    Integer("loading-process-events-interval-bytes", 2 * kMb, 1024, kIntMax,
            "Bytes to load between two looks at clients.")
        .Hidden()
        .NoEffect("clients are looked at all the time"),
};

constexpr ConfigRow kAppendOnly[] = {
    Bool("appendonly", false, "Log every write to a file.").DenyLoading().Warns(kNoAof),
    Text("appendfilename", "appendonly.aof", "Name of that file.")
        .Immutable()
        .Check(CheckAppendFileName)
        .NoEffect(kNoAofDetail),
    Text("appenddirname", "appendonlydir", "Folder of that file.")
        .Immutable()
        .Check(CheckAppendDirName)
        .NoEffect(kNoAofDetail),
    Enum("appendfsync", 1, kFsyncModes, "When to sync that file.").NoEffect(kNoAofDetail),
    Bool("no-appendfsync-on-rewrite", false, "Do not sync it while it is rewritten.")
        .NoEffect(kNoAofDetail),
    Integer("auto-aof-rewrite-percentage", 100, 0, kIntMax, "Growth that makes it be rewritten.")
        .NoEffect(kNoAofDetail),
    Memory("auto-aof-rewrite-min-size", 64 * kMb, 0, kLongMax, "Size below which it is not.")
        .NoEffect(kNoAofDetail),
    Bool("aof-rewrite-incremental-fsync", true, "Sync a rewrite every few megabytes.")
        .NoEffect(kNoAofDetail),
    Bool("aof-load-truncated", true, "Load a file whose end is missing.").NoEffect(kNoAofDetail),
    Bool("aof-use-rdb-preamble", true, "Begin it with a snapshot.").NoEffect(kNoAofDetail),
    Bool("aof-timestamp-enabled", false, "Note times in it.").NoEffect(kNoAofDetail),
    Bool("aof-disable-auto-gc", false, "Keep files that are no longer needed.")
        .Hidden()
        .NoEffect(kNoAofDetail),
};

constexpr ConfigRow kReplication[] = {
    Special("replicaof", "", &kReplicaofOption, "Host and port of a primary to copy.")
        .Alias("slaveof")
        .Immutable()
        .MultiArg()
        .Warns("there is no replication; this server starts as an empty primary of its own and "
               "accepts writes"),
    Text("masteruser", "", "User to authenticate as with the primary.")
        .Alias("primaryuser")
        .Secret()
        .NoEffect(kNoReplication),
    Text("masterauth", "", "Password to authenticate with there.")
        .Alias("primaryauth")
        .Secret()
        .NoEffect(kNoReplication),
    Bool<&Config::replica_read_only>("replica-read-only", true, "Replicas refuse writes.")
        .Alias("slave-read-only")
        .NoEffect(kNoReplication),
    Bool("replica-serve-stale-data", true, "Replicas answer while their primary is away.")
        .Alias("slave-serve-stale-data")
        .NoEffect(kNoReplication),
    Bool("replica-ignore-maxmemory", true, "Replicas leave eviction to the primary.")
        .Alias("slave-ignore-maxmemory")
        .NoEffect(kNoReplication),
    Bool("replica-lazy-flush", true, "Free a replica's old data in the background.")
        .Alias("slave-lazy-flush")
        .NoEffect(kNoReplication),
    Integer("replica-priority", 100, 0, kIntMax, "Preference of Sentinel; 0 is never promoted.")
        .Alias("slave-priority")
        .NoEffect(kNoReplication),
    Bool("replica-announced", true, "Let Sentinel list this replica.").NoEffect(kNoReplication),
    Text("replica-announce-ip", "", "Address to announce to the primary.")
        .Alias("slave-announce-ip")
        .NoEffect(kNoReplication),
    Integer("replica-announce-port", 0, 0, 65535, "Port to announce to the primary.")
        .Alias("slave-announce-port")
        .NoEffect(kNoReplication),
    Bool("replica-ignore-disk-write-errors", false, "Go on when a replica cannot write its files.")
        .NoEffect(kNoReplication),
    Integer("min-replicas-to-write", 0, 0, kIntMax,
            "Refuse writes with fewer replicas than that in reach.")
        .Alias("min-slaves-to-write")
        .Warns("there is no replication; writes are accepted without any replica"),
    Integer("min-replicas-max-lag", 10, 0, kIntMax, "Seconds of silence that count as in reach.")
        .Alias("min-slaves-max-lag")
        .NoEffect(kNoReplication),
    Integer("repl-timeout", 60, 1, kIntMax, "Seconds after which a link is taken for dead.")
        .NoEffect(kNoReplication),
    Integer("repl-ping-replica-period", 10, 1, kIntMax, "Seconds between pings to replicas.")
        .Alias("repl-ping-slave-period")
        .NoEffect(kNoReplication),
    Memory("repl-backlog-size", 10 * kMb, 1, kLongMax, "Writes kept for replicas that come back.")
        .NoEffect(kNoReplication),
    Integer("repl-backlog-ttl", 3600, 0, kLongMax, "Seconds to keep them without any replica.")
        .NoEffect(kNoReplication),
    Bool("repl-disable-tcp-nodelay", false, "Fewer, larger packets to replicas.")
        .NoEffect(kNoReplication),
    Bool("repl-mptcp", false, "Multipath TCP to the primary.").NoEffect(kNoReplication),
    Bool("repl-diskless-sync", true, "Send snapshots to replicas without a file.")
        .NoEffect(kNoReplication),
    Integer("repl-diskless-sync-delay", 5, 0, kIntMax, "Seconds to wait for more replicas.")
        .NoEffect(kNoReplication),
    Integer("repl-diskless-sync-max-replicas", 0, 0, kIntMax, "Replicas that end the waiting.")
        .NoEffect(kNoReplication),
    Enum("repl-diskless-load", 0, kDisklessLoads, "How a replica takes a snapshot in.")
        .DenyLoading()
        .NoEffect(kNoReplication),
    Bool("dual-channel-replication-enabled", false, "Snapshot and writes over two connections.")
        .NoEffect(kNoReplication),
    Enum("propagation-error-behavior", 0, kPropagationErrors,
         "What a failing replicated command does.")
        .NoEffect(kNoReplication),
};

constexpr ConfigRow kCluster[] = {
    Bool("cluster-enabled", false, "Be a node of a cluster.")
        .Immutable()
        .Warns("there is no cluster mode; this server starts on its own and serves every slot"),
    Text("cluster-config-file", "nodes.conf", "File for the cluster's state.")
        .Immutable()
        .Check(CheckClusterFile)
        .NoEffect(kNoCluster),
    Integer("cluster-databases", 1, 1, kIntMax, "Databases of a node.").NoEffect(kNoCluster),
    Integer("cluster-node-timeout", 15000, 0, kLongMax,
            "Milliseconds of silence after which a node is taken for dead.")
        .NoEffect(kNoCluster),
    Integer("cluster-ping-interval", 0, 0, kLongMax, "Milliseconds between pings.")
        .Hidden()
        .NoEffect(kNoCluster),
    Integer("cluster-port", 0, 0, 65535, "Port of the cluster bus. 0: port + 10000.")
        .Immutable()
        .NoEffect(kNoCluster),
    Integer("cluster-replica-validity-factor", 10, 0, kIntMax,
            "How stale a replica may be and still take over.")
        .Alias("cluster-slave-validity-factor")
        .NoEffect(kNoCluster),
    Integer("cluster-migration-barrier", 1, 0, kIntMax, "Replicas that a primary keeps.")
        .NoEffect(kNoCluster),
    Bool("cluster-allow-replica-migration", true, "Let replicas move to primaries without one.")
        .NoEffect(kNoCluster),
    Bool("cluster-require-full-coverage", true, "Stop when a slot has no node.")
        .NoEffect(kNoCluster),
    Bool("cluster-replica-no-failover", false, "This replica never takes over.")
        .Alias("cluster-slave-no-failover")
        .NoEffect(kNoCluster),
    Bool("cluster-allow-reads-when-down", false, "Answer reads while the cluster is down.")
        .NoEffect(kNoCluster),
    Bool("cluster-allow-pubsubshard-when-down", true, "Deliver messages while it is down.")
        .NoEffect(kNoCluster),
    Memory("cluster-link-sendbuf-limit", 0, 0, kLongMax, "Unsent bytes that cut a bus link.")
        .NoEffect(kNoCluster),
    Integer("cluster-blacklist-ttl", 60, 0, kLongMax, "Seconds for which FORGET holds.")
        .NoEffect(kNoCluster),
    Integer("cluster-manual-failover-timeout", 5000, 1, kIntMax,
            "Milliseconds that a manual failover may take.")
        .NoEffect(kNoCluster),
    Bool("cluster-slot-stats-enabled", false, "Count CPU and traffic per slot.")
        .NoEffect(kNoCluster),
    Integer("cluster-slot-migration-log-max-len", 1000, 0, kLongMax, "Slot migrations remembered.")
        .NoEffect(kNoCluster),
    Memory("slot-migration-max-failover-repl-bytes", 0, 0, kLongMax,
           "Bytes behind at which a slot may change hands.")
        .NoEffect(kNoCluster),
    Text("cluster-announce-ip", "", "Address to announce.").NoEffect(kNoCluster),
    Text("cluster-announce-client-ipv4", "", "IPv4 address to give to clients.")
        .Check(CheckIpv4)
        .NoEffect(kNoCluster),
    Text("cluster-announce-client-ipv6", "", "IPv6 address to give to clients.")
        .Check(CheckIpv6)
        .NoEffect(kNoCluster),
    Text("cluster-announce-hostname", "", "Host name to give to clients.")
        .Check(CheckHostName)
        .NoEffect(kNoCluster),
    Text("cluster-announce-human-nodename", "", "Name of this node in logs.")
        .Check(CheckNodeName)
        .NoEffect(kNoCluster),
    Integer("cluster-announce-port", 0, 0, 65535, "Port to announce.").NoEffect(kNoCluster),
    Integer("cluster-announce-tls-port", 0, 0, 65535, "TLS port to announce.").NoEffect(kNoCluster),
    Integer("cluster-announce-bus-port", 0, 0, 65535, "Bus port to announce.").NoEffect(kNoCluster),
    Integer("cluster-announce-client-port", 0, 0, 65535, "Port to give to clients.")
        .NoEffect(kNoCluster),
    Integer("cluster-announce-client-tls-port", 0, 0, 65535, "TLS port to give to clients.")
        .NoEffect(kNoCluster),
    Integer("cluster-message-gossip-perc", 10, 1, 100, "Nodes told about in a ping, in percent.")
        .NoEffect(kNoCluster),
    Enum("cluster-config-save-behavior", 0, kStateSaveModes,
         "Stop when the cluster's state cannot be written, or go on.")
        .NoEffect(kNoCluster),
    Enum("cluster-preferred-endpoint-type", 0, kEndpointTypes, "What clients are redirected to.")
        .NoEffect(kNoCluster),
};

}  // namespace

std::span<const ConfigRow> SnapshotRows() { return kSnapshots; }
std::span<const ConfigRow> AppendOnlyRows() { return kAppendOnly; }
std::span<const ConfigRow> ReplicationRows() { return kReplication; }
std::span<const ConfigRow> ClusterRows() { return kCluster; }

}  // namespace spinel
