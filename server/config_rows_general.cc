// Rows: the process, logging, security.
#include <syslog.h>

#include <clocale>

#include "server/config_special.h"
#include "server/config_table.h"

namespace spinel {
namespace {

constexpr ConfigChoice kSupervisedModes[] = {
    {"upstart", static_cast<int64_t>(Supervised::kUpstart)},
    {"systemd", static_cast<int64_t>(Supervised::kSystemd)},
    {"auto", static_cast<int64_t>(Supervised::kAuto)},
    {"no", static_cast<int64_t>(Supervised::kNo)},
};
constexpr ConfigChoice kShutdownFlags[] = {
    {"default", 0},        {"save", kShutdownSave},   {"nosave", kShutdownNosave},
    {"now", kShutdownNow}, {"force", kShutdownForce},
};
constexpr ConfigChoice kLogLevels[] = {
    {"debug", static_cast<int64_t>(LogLevel::kDebug)},
    {"verbose", static_cast<int64_t>(LogLevel::kVerbose)},
    {"notice", static_cast<int64_t>(LogLevel::kNotice)},
    {"warning", static_cast<int64_t>(LogLevel::kWarning)},
    {"nothing", static_cast<int64_t>(LogLevel::kNothing)},
};
constexpr ConfigChoice kLogFormats[] = {
    {"legacy", static_cast<int64_t>(LogFormat::kLegacy)},
    {"logfmt", static_cast<int64_t>(LogFormat::kLogfmt)},
    {"json", static_cast<int64_t>(LogFormat::kJson)},
    {"text", static_cast<int64_t>(LogFormat::kLegacy)},
};
constexpr ConfigChoice kLogTimestamps[] = {
    {"legacy", static_cast<int64_t>(LogTimestamp::kLegacy)},
    {"iso8601", static_cast<int64_t>(LogTimestamp::kIso8601)},
    {"milliseconds", static_cast<int64_t>(LogTimestamp::kMilliseconds)},
};
constexpr ConfigChoice kSyslogFacilities[] = {
    {"user", LOG_USER},     {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},
    {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},
    {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
};
constexpr ConfigChoice kProtectedActions[] = {
    {"no", static_cast<int64_t>(ProtectedAction::kNo)},
    {"yes", static_cast<int64_t>(ProtectedAction::kYes)},
    {"local", static_cast<int64_t>(ProtectedAction::kLocal)},
};
constexpr ConfigChoice kAclPubsubDefaults[] = {{"allchannels", 1}, {"resetchannels", 0}};
constexpr ConfigChoice kOomScoreModes[] = {{"no", 0}, {"yes", 1}, {"relative", 1}, {"absolute", 2}};

constexpr int64_t kMinHz = 1;
constexpr int64_t kMaxHz = 500;
constexpr std::string_view kNoCopyChoice = "the size from which values are sent uncopied is fixed";
constexpr std::string_view kNoCpuList = "use taskset or systemd's CPUAffinity";
constexpr std::string_view kNoOomScore = "use systemd's OOMScoreAdjust or /proc/PID/oom_score_adj";

std::string_view ClampHz(int64_t* hz) {
  *hz = *hz < kMinHz ? kMinHz : *hz > kMaxHz ? kMaxHz : *hz;
  return {};
}

std::string_view CheckShutdownFlags(int64_t* flags) {
  if ((*flags & kShutdownSave) != 0 && (*flags & kShutdownNosave) != 0) {
    return "shutdown options SAVE and NOSAVE can't be used simultaneously";
  }
  return {};
}

std::string_view CheckTitleTemplate(const std::string& value) {
  constexpr std::string_view kWrong = "template format is invalid or contains unknown variables";
  constexpr std::string_view kVariables[] = {"title",    "listen-addr", "server-mode", "port",
                                             "tls-port", "unixsocket",  "config-file"};
  for (size_t at = 0; (at = value.find('{', at)) != std::string::npos;) {
    size_t end = value.find('}', at);
    if (end == std::string::npos) return kWrong;
    bool known = false;
    for (std::string_view variable : kVariables) {
      known = known || std::string_view(value).substr(at + 1, end - at - 1) == variable;
    }
    if (!known) return kWrong;
    at = end + 1;
  }
  return {};
}

std::string_view CheckLocale(const std::string& value) {
  locale_t locale = ::newlocale(LC_COLLATE_MASK, value.c_str(), nullptr);
  if (locale == nullptr) return "Invalid locale name";
  ::freelocale(locale);
  return {};
}

constexpr ConfigRow kGeneral[] = {
    Integer<&Config::io_threads>(
        "io-threads", 0, 0, 128,
        "Threads that serve clients, each with an event loop of its own. 0: as many as the CPUs "
        "that the process may use (affinity and cgroup quota).")
        .Immutable(),
    Bool("io-threads-do-reads", false, "Let Redis' I/O threads parse requests too.")
        .NoEffect("every thread reads, executes and answers"),
    Integer("events-per-io-thread", 2, 0, kIntMax,
            "Events that wake one more I/O thread in Valkey.")
        .NoEffect("all threads are always at work"),
    Integer("prefetch-batch-max-size", 16, 0, 128, "Keys that Valkey prefetches at a time.")
        .NoEffect("the depth of prefetching is fixed"),
    Bool("io-threads-always-active", false, "Never send Valkey's I/O threads to sleep.")
        .Hidden()
        .NoEffect("all threads are always at work"),
    Integer("min-io-threads-avoid-copy-reply", 7, 0, kIntMax,
            "I/O threads from which Valkey sends values without a copy.")
        .Hidden()
        .NoEffect(kNoCopyChoice),
    Integer("min-string-size-avoid-copy-reply", 16384, 0, kIntMax,
            "Bytes from which Valkey sends values without a copy.")
        .Hidden()
        .NoEffect(kNoCopyChoice),
    Integer("min-string-size-avoid-copy-reply-threaded", 65536, 0, kIntMax,
            "The same with I/O threads.")
        .Hidden()
        .NoEffect(kNoCopyChoice),
    Integer<&Config::databases>("databases", 16, 1, kIntMax, "Databases that SELECT chooses from.")
        .Immutable(),
    Integer<&Config::hz>("hz", 10, 0, kIntMax,
                         "Turns per second of background housekeeping; kept between 1 and 500.")
        .Check(ClampHz),
    Bool<&Config::dynamic_hz>("dynamic-hz", true, "More turns of housekeeping with more clients.")
        .NoEffect("housekeeping does not grow with the number of clients"),
    Bool<&Config::daemonize>("daemonize", false, "Run in the background.").Immutable(),
    Enum<&Config::supervised>("supervised", Supervised::kNo, kSupervisedModes,
                              "Tell a service manager when the server is ready.")
        .Immutable(),
    Text<&Config::pidfile>("pidfile", "", "File to write the process id to.").Immutable(),
    Bool<&Config::always_show_logo>("always-show-logo", false,
                                    "Show the start-up screen even where output is not a terminal.")
        .Immutable(),
    Bool<&Config::set_proc_title>("set-proc-title", true, "Show address and mode in `ps`.")
        .Immutable(),
    Text<&Config::proc_title_template>("proc-title-template", "{title} {listen-addr} {server-mode}",
                                       "What to show there.")
        .Check(CheckTitleTemplate),
    Integer<&Config::shutdown_timeout>("shutdown-timeout", 10, 0, kIntMax,
                                       "Seconds to wait for lagging replicas before the end.")
        .NoEffect("there are no replicas to wait for"),
    Flags<&Config::shutdown_on_sigint>("shutdown-on-sigint", 0, kShutdownFlags,
                                       "What SIGINT does: any of `save`, `nosave`, `now`, `force`.")
        .Check(CheckShutdownFlags),
    Flags<&Config::shutdown_on_sigterm>(
        "shutdown-on-sigterm", 0, kShutdownFlags,
        "What SIGTERM does: any of `save`, `nosave`, `now`, `force`.")
        .Check(CheckShutdownFlags),
    Text("locale-collate", "", "Locale that SORT ... ALPHA compares by.").Check(CheckLocale),
    Text("ignore-warnings", "", "Start-up warnings of Redis to keep quiet about.")
        .NoEffect("those warnings do not exist here"),
    Text("server-cpulist", "", "CPUs for the main threads.")
        .Alias("server_cpulist")
        .Immutable()
        .NoEffect(kNoCpuList),
    Text("bio-cpulist", "", "CPUs for background threads.")
        .Alias("bio_cpulist")
        .Immutable()
        .NoEffect(kNoCpuList),
    Text("aof-rewrite-cpulist", "", "CPUs for append-only file rewriting.")
        .Alias("aof_rewrite_cpulist")
        .Immutable()
        .NoEffect("there is no such process"),
    Text("bgsave-cpulist", "", "CPUs for the snapshot process.")
        .Alias("bgsave_cpulist")
        .Immutable()
        .NoEffect("snapshots need no process of their own"),
    Enum("oom-score-adj", 0, kOomScoreModes, "Let the kernel's OOM killer prefer some processes.")
        .NoEffect(kNoOomScore),
    Special("oom-score-adj-values", "0 200 800", &kOomScoreOption,
            "Scores of primary, replica and background process.")
        .MultiArg()
        .NoEffect(kNoOomScore),
    Bool("disable-thp", true, "Switch transparent huge pages off for this process.")
        .Immutable()
        .NoEffect("without fork, huge pages do no harm"),
    Text("availability-zone", "", "Where this server runs, for clients that prefer a near one."),
    Bool("extended-redis-compatibility", false, "Let Valkey name itself Redis where scripts look.")
        .NoEffect("compatibility with Redis is always on"),
    Bool("use-exit-on-panic", false, "Exit instead of abort on a failed assertion.")
        .Hidden()
        .NoEffect("a debugging aid of Valkey"),
    Bool("enable-debug-assert", false, "Costly assertions.")
        .Immutable()
        .Hidden()
        .NoEffect("a debugging aid of Valkey"),
    Text("debug-context", "", "Text to put into crash reports.")
        .Hidden()
        .NoEffect("a debugging aid of Valkey"),
    Integer("watchdog-period", 0, 0, kIntMax,
            "Log a stack trace when the loop hangs that long, ms.")
        .Hidden()
        .NoEffect("a debugging aid of Redis"),
    Bool("import-mode", false, "Take data from a tool that copies another server; nothing expires.")
        .NoEffect("keys expire always"),
};

constexpr ConfigRow kLogging[] = {
    Enum<&Config::loglevel>("loglevel", LogLevel::kNotice, kLogLevels, "How much is logged."),
    Text<&Config::logfile>("logfile", "", "File to log to. Empty: standard output.").Immutable(),
    Enum<&Config::log_format>(
        "log-format", LogFormat::kLegacy, kLogFormats,
        "Lines as Redis writes them (`legacy`, or `text`), logfmt, or a JSON object a line."),
    Enum<&Config::log_timestamp_format>("log-timestamp-format", LogTimestamp::kLegacy,
                                        kLogTimestamps, "How log lines show the time."),
    Bool<&Config::syslog_enabled>("syslog-enabled", false, "Log to syslog too.").Immutable(),
    Text<&Config::syslog_ident>("syslog-ident", "redis", "Name to use there.").Immutable(),
    Enum<&Config::syslog_facility>("syslog-facility", LOG_LOCAL0, kSyslogFacilities,
                                   "Facility to use there.")
        .Immutable(),
    Bool<&Config::hide_user_data_from_log>("hide-user-data-from-log", true,
                                           "Keep keys and values out of the log."),
    Bool<&Config::crash_log_enabled>("crash-log-enabled", true,
                                     "Log a report with a stack trace when the process crashes."),
    Bool("crash-memcheck-enabled", true, "Test the memory when the process crashes.")
        .NoEffect("the report of a crash does not test the memory"),
    Text("req-res-logfile", "", "File for all requests and replies.")
        .Immutable()
        .Hidden()
        .NoEffect("a debugging aid of Valkey"),
};

constexpr ConfigRow kSecurity[] = {
    Text<&Config::requirepass>("requirepass", "",
                               "Password of the user `default`. Empty: none is needed.")
        .Secret(),
    Enum<&Config::enable_protected_configs>(
        "enable-protected-configs", ProtectedAction::kNo, kProtectedActions,
        "May CONFIG SET change protected options? `local`: only from this machine.")
        .Immutable(),
    Enum<&Config::enable_debug_command>("enable-debug-command", ProtectedAction::kNo,
                                        kProtectedActions,
                                        "May DEBUG be used? `local`: only from this machine.")
        .Immutable(),
    Enum<&Config::enable_module_command>("enable-module-command", ProtectedAction::kNo,
                                         kProtectedActions,
                                         "May MODULE be used? `local`: only from this machine.")
        .Immutable(),
    Text<&Config::aclfile>("aclfile", "", "File with users and what they may do.").Immutable(),
    Enum<&Config::acl_pubsub_default_allchannels>("acl-pubsub-default", 0, kAclPubsubDefaults,
                                                  "Channels of new users: all of them, or none."),
    Integer<&Config::acllog_max_len>("acllog-max-len", 128, 0, kLongMax, "Length of ACL LOG."),
};

}  // namespace

std::span<const ConfigRow> GeneralRows() { return kGeneral; }
std::span<const ConfigRow> LoggingRows() { return kLogging; }
std::span<const ConfigRow> SecurityRows() { return kSecurity; }

}  // namespace spinel
