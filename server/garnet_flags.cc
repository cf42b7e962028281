#include "server/garnet_flags.h"

#include <fmt/format.h>

#include <optional>

#include "server/config_file.h"
#include "server/config_table.h"
#include "server/config_value.h"
#include "server/version.h"

namespace spinel {
namespace {

enum class Kind {
  kValue,  // takes a word
  kFlag,   // takes none, or `true` / `false`
};

// What becomes of a flag's value ("true" or "false" for a kFlag).
enum class Meaning {
  kOption,         // the option of ours, the same value
  kYesNo,          // the option of ours, as yes or no
  kMemory,         // as kOption; Garnet's 1k is 1024 bytes
  kAuth,           // an authentication mode
  kLogLevel,       // .NET's levels
  kCheckpointDir,  // `dir`; Garnet creates a missing one
  kNothing,        // no option of ours
};

struct Flag {
  std::string_view name;
  char letter;
  Kind kind;
  Meaning meaning;
  std::string_view option;  // of ours, where there is one
  std::string_view notice;  // what to tell; empty: it does the same here
};

constexpr Flag SameAs(std::string_view name, std::string_view option) {
  return {name, 0, Kind::kValue, Meaning::kOption, option, ""};
}

constexpr Flag IgnoredValue(std::string_view name, std::string_view reason) {
  return {name, 0, Kind::kValue, Meaning::kNothing, "", reason};
}

constexpr Flag IgnoredFlag(std::string_view name, std::string_view reason) {
  return {name, 0, Kind::kFlag, Meaning::kNothing, "", reason};
}

constexpr std::string_view kInMemory = "all data is in memory, in one store";
constexpr std::string_view kNoLog = "there is no append-only file";
constexpr std::string_view kOwnThreads = "see io-threads";
constexpr std::string_view kGarnetNoCluster = "there is no cluster mode";
constexpr std::string_view kNoTls =
    "PKCS #12 certificates are not read: give --tls-port, --tls-cert-file and --tls-key-file";
constexpr std::string_view kNoAad = "there is no authentication with Microsoft Entra ID";
constexpr std::string_view kAlwaysOn = "it is always on";

constexpr Flag kGarnetFlags[] = {
    // The same here.
    SameAs("port", "port"),
    SameAs("bind", "bind"),
    SameAs("password", "requirepass"),
    SameAs("protected-mode", "protected-mode"),
    SameAs("unixsocket", "unixsocket"),
    SameAs("unixsocketperm", "unixsocketperm"),
    SameAs("acl-file", "aclfile"),
    SameAs("max-databases", "databases"),
    SameAs("network-connection-limit", "maxclients"),
    SameAs("slowlog-log-slower-than", "slowlog-log-slower-than"),
    SameAs("slowlog-max-len", "slowlog-max-len"),
    SameAs("lua-script-timeout", "busy-reply-threshold"),
    SameAs("enable-debug-command", "enable-debug-command"),
    SameAs("enable-module-command", "enable-module-command"),
    // Something like it here.
    {"auth", 0, Kind::kValue, Meaning::kAuth, "", ""},
    {"memory", 'm', Kind::kValue, Meaning::kMemory, "maxmemory", "sets maxmemory"},
    {"checkpointdir", 'c', Kind::kValue, Meaning::kCheckpointDir, "dir",
     "sets dir, the folder for snapshots"},
    {"recover", 'r', Kind::kFlag, Meaning::kNothing, "",
     "the snapshot in dir is loaded at every start"},
    {"aof", 0, Kind::kFlag, Meaning::kYesNo, "appendonly", "sets appendonly"},
    IgnoredValue("aof-commit-freq", kNoLog),
    {"logger-level", 0, Kind::kValue, Meaning::kLogLevel, "loglevel", "sets loglevel"},
    {"file-logger", 0, Kind::kValue, Meaning::kOption, "logfile", "sets logfile"},
    {"latency-monitor", 0, Kind::kFlag, Meaning::kYesNo, "latency-tracking",
     "sets latency-tracking"},
    {"cluster", 0, Kind::kFlag, Meaning::kYesNo, "cluster-enabled", "sets cluster-enabled"},
    IgnoredValue("minthreads", kOwnThreads),
    IgnoredValue("maxthreads", kOwnThreads),
    IgnoredValue("miniothreads", kOwnThreads),
    IgnoredValue("maxiothreads", kOwnThreads),
    // Nothing here.
    {"page", 'p', Kind::kValue, Meaning::kNothing, "", kInMemory},
    {"segment", 's', Kind::kValue, Meaning::kNothing, "", kInMemory},
    {"index", 'i', Kind::kValue, Meaning::kNothing, "", "the index grows as needed"},
    IgnoredValue("index-max-size", "the index grows as needed"),
    IgnoredValue("index-resize-freq", "the index grows as needed"),
    IgnoredValue("index-resize-threshold", "the index grows as needed"),
    IgnoredValue("mutable-percent", kInMemory),
    IgnoredValue("page-count", kInMemory),
    IgnoredFlag("readcache", kInMemory),
    IgnoredValue("readcache-memory", kInMemory),
    IgnoredValue("readcache-page", kInMemory),
    IgnoredValue("obj-total-memory", kInMemory),
    IgnoredValue("obj-heap-memory", kInMemory),
    IgnoredValue("obj-memory", kInMemory),
    IgnoredValue("obj-log-memory", kInMemory),
    IgnoredValue("obj-page", kInMemory),
    IgnoredValue("obj-segment", kInMemory),
    IgnoredValue("obj-index", kInMemory),
    IgnoredValue("obj-index-max-size", kInMemory),
    IgnoredValue("obj-mutable-percent", kInMemory),
    IgnoredFlag("storage-tier", kInMemory),
    IgnoredFlag("copy-reads-to-tail", kInMemory),
    IgnoredFlag("obj-copy-reads-to-tail", kInMemory),
    {"logdir", 'l', Kind::kValue, Meaning::kNothing, "", kInMemory},
    IgnoredFlag("sg-get", kInMemory),
    IgnoredFlag("use-azure-storage", "files are local"),
    IgnoredValue("storage-string", "files are local"),
    IgnoredFlag("use-native-device-linux", kInMemory),
    IgnoredValue("device-type", kInMemory),
    IgnoredFlag("incsnap", "snapshots are whole"),
    IgnoredValue("checkpoint-throttle-delay", "snapshots are throttled by themselves"),
    IgnoredValue("compaction-freq", kInMemory),
    IgnoredValue("compaction-type", kInMemory),
    IgnoredFlag("compaction-force-delete", kInMemory),
    IgnoredValue("compaction-max-segments", kInMemory),
    IgnoredValue("obj-compaction-max-segments", kInMemory),
    IgnoredValue("aof-memory", kNoLog),
    IgnoredValue("aof-page-size", kNoLog),
    IgnoredFlag("aof-commit-wait", kNoLog),
    IgnoredValue("aof-size-limit", kNoLog),
    IgnoredValue("aof-refresh-freq", kNoLog),
    IgnoredFlag("aof-null-device", kNoLog),
    IgnoredFlag("fast-aof-truncate", kNoLog),
    IgnoredFlag("fast-commit", kNoLog),
    IgnoredValue("fast-commit-throttle", kNoLog),
    IgnoredFlag("no-pubsub", kAlwaysOn),
    IgnoredValue("pubsub-pagesize", kInMemory),
    IgnoredFlag("no-obj", kAlwaysOn),
    IgnoredFlag("lua", "scripting is not a matter of configuration"),
    IgnoredFlag("lua-transaction-mode", "scripts are atomic"),
    IgnoredValue("lua-memory-management-mode", "its limit is fixed"),
    IgnoredValue("lua-script-memory-limit", "its limit is fixed"),
    IgnoredFlag("clean-cluster-config", kGarnetNoCluster),
    IgnoredValue("cluster-username", kGarnetNoCluster),
    IgnoredValue("cluster-password", kGarnetNoCluster),
    IgnoredValue("cluster-timeout", kGarnetNoCluster),
    IgnoredValue("cluster-announce-ip", kGarnetNoCluster),
    IgnoredValue("cluster-announce-port", kGarnetNoCluster),
    IgnoredValue("cluster-tls-client-target-host", kGarnetNoCluster),
    IgnoredFlag("validate-cluster-certificate", kGarnetNoCluster),
    IgnoredValue("gossip-sp", kGarnetNoCluster),
    IgnoredValue("gossip-delay", kGarnetNoCluster),
    IgnoredValue("replica-sync-delay", kGarnetNoCluster),
    IgnoredFlag("main-memory-replication", kGarnetNoCluster),
    IgnoredFlag("on-demand-checkpoint", kGarnetNoCluster),
    IgnoredFlag("repl-diskless-sync", kGarnetNoCluster),
    IgnoredFlag("tls", kNoTls),
    IgnoredValue("cert-file-name", kNoTls),
    IgnoredValue("cert-password", kNoTls),
    IgnoredValue("cert-subject-name", kNoTls),
    IgnoredValue("cert-refresh-freq", kNoTls),
    IgnoredFlag("client-certificate-required", kNoTls),
    IgnoredValue("certificate-revocation-check-mode", kNoTls),
    IgnoredValue("issuer-certificate-path", kNoTls),
    IgnoredValue("aad-authority", kNoAad),
    IgnoredValue("aad-audiences", kNoAad),
    IgnoredValue("aad-issuers", kNoAad),
    IgnoredValue("aad-authorized-app-ids", kNoAad),
    IgnoredFlag("aad-validate-acl-username", kNoAad),
    IgnoredValue("metrics-sampling-freq", "INFO is always up to date"),
    {"quiet", 'q', Kind::kFlag, Meaning::kNothing, "", "see always-show-logo and loglevel"},
    IgnoredValue("logger-freq", "log lines are written at once"),
    IgnoredFlag("disable-console-logger", "see logfile"),
    IgnoredValue("network-send-throttle", "see client-output-buffer-limit"),
    IgnoredValue("object-scan-count-limit", "COUNT decides"),
    IgnoredValue("expired-object-collection-freq", "keys are removed when their time comes"),
    IgnoredValue("expired-key-deletion-scan-freq", "keys are removed when their time comes"),
    IgnoredValue("extension-bin-paths", "there are no extensions"),
    IgnoredFlag("extension-allow-unsigned", "there are no extensions"),
    IgnoredValue("loadmodulecs", "there are no extensions"),
    IgnoredFlag("reviv", kInMemory),
    IgnoredValue("reviv-fraction", kInMemory),
    IgnoredFlag("reviv-in-chain-only", kInMemory),
    IgnoredValue("reviv-bin-record-sizes", kInMemory),
    IgnoredValue("reviv-bin-record-counts", kInMemory),
    IgnoredValue("reviv-search-next-higher-bins", kInMemory),
    IgnoredValue("reviv-bin-best-fit-scan-limit", kInMemory),
    IgnoredValue("reviv-obj-bin-record-count", kInMemory),
};

const Flag* FindFlag(std::string_view word) {
  for (const Flag& flag : kGarnetFlags) {
    if (word.size() == 2 && word[0] == '-' && word[1] == flag.letter) return &flag;
    if (word.starts_with("--") && EqualsIgnoreCase(word.substr(2), flag.name)) return &flag;
  }
  return nullptr;
}

ConfigStatus RefuseFlag(std::string_view word, std::string_view reason) {
  return ConfigStatus::Error(
      fmt::format("\n*** FATAL CONFIG FILE ERROR (Spinel {}) ***\nReading Garnet's flags from the "
                  "command line\n"
                  ">>> '{}'\n{}\n",
                  kSpinelVersion, word, reason));
}

bool IsTruth(std::string_view word) {
  return EqualsIgnoreCase(word, "true") || EqualsIgnoreCase(word, "false");
}

// Names of .NET's levels, from the most to the least talkative.
std::optional<std::string_view> OurLogLevel(std::string_view level) {
  static constexpr struct {
    std::string_view name;
    std::string_view ours;
  } kLevels[] = {{"trace", "debug"},    {"debug", "debug"},   {"information", "verbose"},
                 {"warning", "notice"}, {"error", "warning"}, {"critical", "warning"},
                 {"none", "nothing"}};
  for (const auto& known : kLevels) {
    if (EqualsIgnoreCase(known.name, level)) return known.ours;
  }
  return std::nullopt;
}

// Garnet's units are powers of 1024 with or without the b, as in 16g.
std::string OurMemory(std::string_view text) {
  std::string memory(text);
  if (!memory.empty() && std::string_view("kKmMgG").find(memory.back()) != std::string_view::npos) {
    memory += 'b';
  }
  return memory;
}

void AddOption(CommandLine* line, std::string_view option, std::string_view value) {
  line->options.push_back(fmt::format("{} {}", option, QuoteArg(value)));
}

void AddNotice(CommandLine* line, std::string_view flag, std::string_view value,
               std::string_view notice, bool warning = false) {
  line->notices.push_back(
      {warning, value.empty() ? fmt::format("Garnet's --{}: {}", flag, notice)
                              : fmt::format("Garnet's --{} {}: {}", flag, value, notice)});
}

ConfigStatus TranslateAuth(std::string_view mode, CommandLine* line) {
  if (EqualsIgnoreCase(mode, "Password") || EqualsIgnoreCase(mode, "NoAuth"))
    return ConfigStatus::Ok();
  if (EqualsIgnoreCase(mode, "ACL")) {
    AddNotice(line, "auth", mode, "users come from --acl-file; --password is that of `default`");
    return ConfigStatus::Ok();
  }
  // Starting without the authentication that was asked for would leave the data open.
  return RefuseFlag(fmt::format("--auth {}", mode),
                    "Spinel authenticates with NoAuth, Password or ACL only");
}

ConfigStatus Translate(const Flag& flag, std::string_view value, CommandLine* line) {
  const bool on = !EqualsIgnoreCase(value, "false");
  switch (flag.meaning) {
    case Meaning::kAuth:
      return TranslateAuth(value, line);
    case Meaning::kCheckpointDir:
      line->folders.emplace_back(value);
      AddOption(line, flag.option, value);
      break;
    case Meaning::kOption:
      AddOption(line, flag.option, value);
      break;
    case Meaning::kMemory:
      AddOption(line, flag.option, OurMemory(value));
      break;
    case Meaning::kYesNo:
      AddOption(line, flag.option, on ? "yes" : "no");
      break;
    case Meaning::kLogLevel: {
      auto level = OurLogLevel(value);
      if (!level)
        return RefuseFlag(fmt::format("--{} {}", flag.name, value), "Unknown logging level");
      AddOption(line, flag.option, *level);
      break;
    }
    case Meaning::kNothing:
      // A password of a certificate is no business of the log.
      AddNotice(line, flag.name, "", fmt::format("no effect, {}", flag.notice),
                on && flag.name == "tls");
      return ConfigStatus::Ok();
  }
  if (!flag.notice.empty()) AddNotice(line, flag.name, value, flag.notice);
  return ConfigStatus::Ok();
}

// A flag that only we know, as in `--io-threads 4`: everything up to the next flag.
size_t TakeOwnOption(std::span<const char* const> args, size_t at, CommandLine* line) {
  std::string option(std::string_view(args[at]).substr(2));
  size_t next = at + 1;
  for (; next < args.size() && !std::string_view(args[next]).starts_with("--"); ++next) {
    option += ' ';
    option += QuoteArg(args[next]);
  }
  line->options.push_back(std::move(option));
  return next;
}

}  // namespace

bool IsGarnetName(std::string_view program) { return EqualsIgnoreCase(program, "GarnetServer"); }

ConfigStatus TranslateGarnetFlags(std::span<const char* const> args, CommandLine* line) {
  for (size_t at = 0; at < args.size();) {
    std::string_view word = args[at];
    std::optional<std::string_view> value;
    if (size_t equals = word.find('='); word.starts_with("--") && equals != word.npos) {
      value = word.substr(equals + 1);
      word = word.substr(0, equals);
    }
    const Flag* flag = FindFlag(word);
    if (flag == nullptr) {
      if (!value && word.starts_with("--") && FindConfigRow(word.substr(2)) != nullptr) {
        at = TakeOwnOption(args, at, line);
        continue;
      }
      return RefuseFlag(word, "Neither a flag of Garnet nor an option of Spinel");
    }
    ++at;
    if (!value && at < args.size() && (flag->kind == Kind::kValue || IsTruth(args[at]))) {
      value = args[at++];
    }
    if (!value && flag->kind == Kind::kValue) return RefuseFlag(word, "The flag needs a value");
    ConfigStatus status = Translate(*flag, value.value_or("true"), line);
    if (!status.ok()) return status;
  }
  return ConfigStatus::Ok();
}

}  // namespace spinel
