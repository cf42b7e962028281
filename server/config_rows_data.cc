// Rows: memory, defragmentation, encodings, scripting, observation.
#include "server/config_special.h"
#include "server/config_table.h"

namespace spinel {
namespace {

constexpr ConfigChoice kPolicies[] = {
    {"volatile-lru", static_cast<int64_t>(MaxmemoryPolicy::kVolatileLru)},
    {"volatile-lfu", static_cast<int64_t>(MaxmemoryPolicy::kVolatileLfu)},
    {"volatile-random", static_cast<int64_t>(MaxmemoryPolicy::kVolatileRandom)},
    {"volatile-ttl", static_cast<int64_t>(MaxmemoryPolicy::kVolatileTtl)},
    {"allkeys-lru", static_cast<int64_t>(MaxmemoryPolicy::kAllkeysLru)},
    {"allkeys-lfu", static_cast<int64_t>(MaxmemoryPolicy::kAllkeysLfu)},
    {"allkeys-random", static_cast<int64_t>(MaxmemoryPolicy::kAllkeysRandom)},
    {"volatile-s3", static_cast<int64_t>(MaxmemoryPolicy::kVolatileS3)},
    {"allkeys-s3", static_cast<int64_t>(MaxmemoryPolicy::kAllkeysS3)},
    {"noeviction", static_cast<int64_t>(MaxmemoryPolicy::kNoEviction)},
};

constexpr std::string_view kNoDefrag = "memory is not defragmented";
constexpr std::string_view kAlwaysLazy = "big values are always freed in the background";
constexpr std::string_view kNoInsecure = "scripts never get them";

constexpr ConfigRow kMemory[] = {
    Special(
        "maxmemory", "0", &kMaxmemoryOption,
        "Memory for data, as bytes with an optional unit or as a percentage of what the machine "
        "or the container allows. 0: no limit."),
    Enum<&Config::maxmemory_policy>(
        "maxmemory-policy", MaxmemoryPolicy::kNoEviction, kPolicies,
        "Which keys make room when the limit is reached; `noeviction` refuses writes instead."),
    Integer<&Config::maxmemory_samples>("maxmemory-samples", 5, 1, 64,
                                        "Keys looked at to find one that may go."),
    Integer<&Config::maxmemory_eviction_tenacity>(
        "maxmemory-eviction-tenacity", 10, 0, 100,
        "How long one command may be kept waiting by eviction: 0 hardly, 100 as long as it takes."),
    Integer<&Config::lfu_log_factor>("lfu-log-factor", 10, 0, kIntMax,
                                     "How slowly the access counter of the LFU policies grows."),
    Integer<&Config::lfu_decay_time>("lfu-decay-time", 1, 0, kIntMax,
                                     "Minutes after which that counter is lowered by one."),
    Integer<&Config::active_expire_effort>("active-expire-effort", 1, 1, 10,
                                           "CPU that Redis spends on looking for expired keys.")
        .NoEffect("keys are removed when their time comes, not searched for"),
    Bool<&Config::lazyfree_lazy_eviction>("lazyfree-lazy-eviction", true,
                                          "Free evicted values in the background.")
        .NoEffect(kAlwaysLazy),
    Bool<&Config::lazyfree_lazy_expire>("lazyfree-lazy-expire", true,
                                        "Free expired values in the background.")
        .NoEffect(kAlwaysLazy),
    Bool<&Config::lazyfree_lazy_server_del>("lazyfree-lazy-server-del", true,
                                            "Free overwritten values in the background.")
        .NoEffect(kAlwaysLazy),
    Bool<&Config::lazyfree_lazy_user_del>("lazyfree-lazy-user-del", true,
                                          "Let DEL free in the background, as UNLINK does.")
        .NoEffect(kAlwaysLazy),
    Bool<&Config::lazyfree_lazy_user_flush>(
        "lazyfree-lazy-user-flush", true,
        "Let FLUSHALL and FLUSHDB work in the background unless they say SYNC."),
    Bool("activerehashing", true, "Spend idle time on growing Redis' hash table.")
        .NoEffect("the table grows one bucket at a time, with the writes"),
    Text("hash-seed", "", "Seed of the hash function, to make iteration repeatable.")
        .Secret()
        .NoEffect("the seed is random at every start"),
    Bool("jemalloc-bg-thread", true, "Let a thread of the allocator return unused memory.")
        .NoEffect("the allocator's own setting is used"),
};

constexpr ConfigRow kDefrag[] = {
    Bool("activedefrag", false, "Move values to free fragmented memory.").NoEffect(kNoDefrag),
    Memory("active-defrag-ignore-bytes", 100 * kMb, 1, kLongMax, "Waste that is not worth it.")
        .NoEffect(kNoDefrag),
    Integer("active-defrag-threshold-lower", 10, 0, 1000, "Percentage of waste to begin at.")
        .NoEffect(kNoDefrag),
    Integer("active-defrag-threshold-upper", 100, 0, 1000, "Percentage of waste for full effort.")
        .NoEffect(kNoDefrag),
    Integer("active-defrag-cycle-min", 1, 1, 99, "Least effort, percent of a CPU.")
        .NoEffect(kNoDefrag),
    Integer("active-defrag-cycle-max", 25, 1, 99, "Full effort, percent of a CPU.")
        .NoEffect(kNoDefrag),
    Integer("active-defrag-cycle-us", 500, 0, 100000, "Length of one step, in microseconds.")
        .NoEffect(kNoDefrag),
    Integer("active-defrag-max-scan-fields", 1000, 1, kLongMax,
            "Elements of a value that one step may visit.")
        .NoEffect(kNoDefrag),
};

constexpr ConfigRow kEncodings[] = {
    Integer<&Config::hash_max_listpack_entries>("hash-max-listpack-entries", 512, 0, kLongMax,
                                                "Fields up to which a hash is one packed block.")
        .Alias("hash-max-ziplist-entries"),
    Memory<&Config::hash_max_listpack_value>("hash-max-listpack-value", 64, 0, kLongMax,
                                             "Longest field or value in such a block, in bytes.")
        .Alias("hash-max-ziplist-value"),
    Integer<&Config::list_max_listpack_size>(
        "list-max-listpack-size", -2, kIntMin, kIntMax,
        "Elements up to which a list is one packed block, and per chunk of a longer one; below 0 "
        "their size: -1 is 4 kB, -2 8 kB, up to -5, 64 kB.")
        .Alias("list-max-ziplist-size"),
    Integer<&Config::list_compress_depth>(
        "list-compress-depth", 0, 0, kIntMax,
        "Chunks at each end of a list that are not compressed. 0: none is.")
        .NoEffect("chunks of lists are never compressed"),
    Integer<&Config::set_max_intset_entries>("set-max-intset-entries", 512, 0, kLongMax,
                                             "Members up to which a set of integers is an array."),
    Integer<&Config::set_max_listpack_entries>("set-max-listpack-entries", 128, 0, kLongMax,
                                               "Members up to which a set is one packed block."),
    Integer<&Config::set_max_listpack_value>("set-max-listpack-value", 64, 0, kLongMax,
                                             "Longest member in such a block, in bytes."),
    Integer<&Config::zset_max_listpack_entries>(
        "zset-max-listpack-entries", 128, 0, kLongMax,
        "Members up to which a sorted set is one packed block.")
        .Alias("zset-max-ziplist-entries"),
    Memory<&Config::zset_max_listpack_value>("zset-max-listpack-value", 64, 0, kLongMax,
                                             "Longest member in such a block, in bytes.")
        .Alias("zset-max-ziplist-value"),
    Memory<&Config::hll_sparse_max_bytes>("hll-sparse-max-bytes", 3000, 0, kLongMax,
                                          "Size up to which a HyperLogLog is kept sparse."),
    Memory<&Config::stream_node_max_bytes>("stream-node-max-bytes", 4096, 0, kLongMax,
                                           "Bytes per node of a stream. 0: no limit."),
    Integer<&Config::stream_node_max_entries>("stream-node-max-entries", 100, 0, kLongMax,
                                              "Entries per node of a stream. 0: no limit."),
};

constexpr ConfigRow kScripting[] = {
    Integer<&Config::busy_reply_threshold>(
        "busy-reply-threshold", 5000, 0, kLongMax,
        "Milliseconds that a script may run before other clients get BUSY.")
        .Alias("lua-time-limit"),
    Bool("lua-enable-insecure-api", false, "Functions that Valkey took away from scripts.")
        .NoEffect(kNoInsecure),
};

constexpr ConfigRow kObservation[] = {
    Integer<&Config::slowlog_log_slower_than>(
        "slowlog-log-slower-than", 10000, -1, kLongMax,
        "Microseconds that put a command into the slow log. 0: every command, -1: none.")
        .Alias("commandlog-execution-slower-than"),
    Integer<&Config::slowlog_max_len>("slowlog-max-len", 128, 0, kLongMax,
                                      "Commands kept in the slow log.")
        .Alias("commandlog-slow-execution-max-len"),
    Integer<&Config::commandlog_request_larger_than>(
        "commandlog-request-larger-than", 1048576, -1, kLongMax,
        "Bytes that put a command into the log of large requests. -1: none."),
    Integer<&Config::commandlog_large_request_max_len>("commandlog-large-request-max-len", 128, 0,
                                                       kLongMax, "Commands kept in that log."),
    Integer<&Config::commandlog_reply_larger_than>(
        "commandlog-reply-larger-than", 1048576, -1, kLongMax,
        "Bytes that put a command into the log of large replies. -1: none."),
    Integer<&Config::commandlog_large_reply_max_len>("commandlog-large-reply-max-len", 128, 0,
                                                     kLongMax, "Commands kept in that log."),
    Integer<&Config::latency_monitor_threshold>(
        "latency-monitor-threshold", 0, 0, kLongMax,
        "Milliseconds from which LATENCY records an event. 0: off."),
    Bool<&Config::latency_tracking>("latency-tracking", true,
                                    "Keep a histogram of every command's execution time."),
    Special("latency-tracking-info-percentiles", "50 99 99.9", &kPercentilesOption,
            "Percentiles that INFO latencystats shows.")
        .MultiArg(),
    Special(
        "notify-keyspace-events", "", &kNotifyOption,
        "Classes of events to publish: K keyspace, E keyevent, g generic, $ strings, l lists, "
        "s sets, h hashes, z sorted sets, t streams, x expired, e evicted, d modules, m misses, "
        "n new keys, A for `g$lshzxetd`. Empty: none."),
    Integer<&Config::metrics_port>(
        "metrics-port", 0, 0, 65535,
        "Port for HTTP: metrics for Prometheus, health, and the console. 0: none."),
    Text<&Config::metrics_bind>(
        "metrics-bind", "", "Addresses of that port, separated by blanks. Empty: those of `bind`."),
    Bool<&Config::console>(
        "console", false, "Serve the console, a page that shows the server live, on metrics-port."),
};

}  // namespace

std::span<const ConfigRow> MemoryRows() { return kMemory; }
std::span<const ConfigRow> DefragRows() { return kDefrag; }
std::span<const ConfigRow> EncodingRows() { return kEncodings; }
std::span<const ConfigRow> ScriptingRows() { return kScripting; }
std::span<const ConfigRow> ObservationRows() { return kObservation; }

}  // namespace spinel
