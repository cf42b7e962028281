#include "server/config.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "server/config_docs.h"
#include "server/config_rewrite.h"
#include "server/config_table.h"
#include "server/config_value.h"
#include "tests/server/config_test_support.h"
#include "tests/support/source_dir.h"

namespace spinel {
namespace {

std::string Failed(std::string_view name, std::string_view reason) {
  return fmt::format("ERR CONFIG SET failed (possibly related to argument '{}') - {}", name,
                     reason);
}

// A value other than the default, as CONFIG SET takes it; empty if the row has a grammar of its
// own.
std::string OtherValue(const ConfigRow& row) {
  switch (row.type) {
    case ConfigType::kBool:
      return row.default_number != 0 ? "no" : "yes";
    case ConfigType::kEnum:
    case ConfigType::kFlags:
      for (const ConfigChoice& choice : row.choices) {
        if (choice.value != row.default_number) return std::string(choice.name);
      }
      return "";
    case ConfigType::kText:
      return row.check_text != nullptr ? "" : "with blank, \"quote\", \\ and \x01";
    case ConfigType::kSpecial:
      return "";
    case ConfigType::kOctal:
      return "700";
    case ConfigType::kPercent:
      return "5%";
    case ConfigType::kInteger:
    case ConfigType::kMemory:
      return fmt::format(
          "{}", row.default_number < row.high ? row.default_number + 1 : row.default_number - 1);
  }
  return "";
}

std::vector<std::string> Names(const Config& config,
                               std::initializer_list<std::string_view> patterns) {
  std::vector<std::string> names;
  for (const auto& [name, value] : config.Get(std::vector<std::string_view>(patterns))) {
    names.push_back(name);
  }
  return names;
}

}  // namespace

TEST_CASE("Config table: names are unique, lower case, and every row says what it is for") {
  std::set<std::string_view> names;
  for (const ConfigRow* row : ConfigRows()) {
    INFO(row->name);
    CHECK(names.insert(row->name).second);
    if (!row->alias.empty()) CHECK(names.insert(row->alias).second);
    for (char c : row->name) CHECK(((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'));
    CHECK(row->help.size() > 5);
    CHECK((row->help.ends_with('.') || row->help.ends_with('?')));
    CHECK((row->type == ConfigType::kSpecial) == (row->special != nullptr));
    CHECK(row->name.size() <= 64);
    CHECK(FindConfigRow(row->name) == row);
    if (row->type == ConfigType::kInteger || row->type == ConfigType::kMemory) {
      CHECK(row->low <= row->default_number);
      CHECK(row->default_number <= row->high);
    }
  }
  CHECK(names.size() > 250);
}

TEST_CASE("Config table: no two rows share a field") {
  Config config;
  std::set<const void*> fields;
  for (const ConfigRow* row : ConfigRows()) {
    INFO(row->name);
    if (row->number != nullptr) CHECK(fields.insert(&row->number(config)).second);
    if (row->text != nullptr) CHECK(fields.insert(&row->text(config)).second);
  }
}

TEST_CASE("Config: every default goes through get, set and get again") {
  Config config(TestMemoryLimit);
  for (const ConfigRow* row : ConfigRows()) {
    INFO(row->name);
    CHECK(config.IsDefault(*row));
    std::string value = GetConfig(config, row->name);
    if (row->name == "io-threads" || (!row->immutable && !row->is_protected)) {
      std::string answer = SetConfig(config, {row->name, value});
      CHECK(answer == (row->immutable ? Failed(row->name, "can't set immutable config") : "OK"));
    }
    CHECK(GetConfig(config, row->name) == value);
    CHECK(config.IsDefault(*row));
  }
}

TEST_CASE("Config: every option, at its default or not, survives a rewrite and a restart") {
  TemporaryFolder folder;
  KeepWorkingFolder keep;
  for (bool changed : {false, true}) {
    INFO("changed: " << changed);
    Config config(TestMemoryLimit);
    config.config_file = folder.Write("spinel.conf", "");
    for (const ConfigRow* row : ConfigRows()) {
      std::string other = OtherValue(*row);
      if (!changed || other.empty()) continue;
      INFO(row->name << " = " << other);
      REQUIRE(config.LoadRow(*row, std::vector{other}, false).ok());
      CHECK_FALSE(config.IsDefault(*row));
    }
    REQUIRE(config.Rewrite(/*force_all=*/true).ok());

    Config again(TestMemoryLimit);
    REQUIRE(Start(again, {folder.Path("spinel.conf").c_str()}) == "OK");
    for (const ConfigRow* row : ConfigRows()) {
      INFO(row->name);
      CHECK(GetConfig(again, row->name) == GetConfig(config, row->name));
    }
  }
}

TEST_CASE("Config: defaults that others rely on") {
  Config config;
  CHECK(config.port() == 6379);
  CHECK(config.bind_addresses() == std::vector<std::string>{"127.0.0.1", "-::1"});
  CHECK(config.protected_mode());
  CHECK(config.databases() == 16);
  CHECK(config.io_threads() == 0);
  CHECK(config.maxclients() == 10000);
  CHECK(config.maxmemory() == 0);
  CHECK(config.maxmemory_policy() == MaxmemoryPolicy::kNoEviction);
  CHECK(config.requirepass().empty());
  CHECK(config.loglevel() == LogLevel::kNotice);
  CHECK(config.save_points() == std::vector<SavePoint>{{3600, 1}, {300, 100}, {60, 10000}});
  CHECK(config.latency_percentiles() == std::vector<double>{50, 99, 99.9});
  CHECK(config.output_limit(OutputClass::kNormal).hard_bytes() == 0);
  CHECK(config.output_limit(OutputClass::kReplica).soft_bytes() == 64 * kMb);
  CHECK(config.output_limit(OutputClass::kPubsub).hard_bytes() == 32 * kMb);
  CHECK(config.output_limit(OutputClass::kPubsub).soft_seconds() == 60);
  CHECK(GetConfig(config, "timeout") == "0");
  CHECK(GetConfig(config, "replica-read-only") == "yes");
}

TEST_CASE("CONFIG GET: patterns, aliases, case, hidden options") {
  Config config;
  CHECK(Names(config, {"maxmemory"}) == std::vector<std::string>{"maxmemory"});
  CHECK(Names(config, {"MaxMemory"}) == std::vector<std::string>{"MaxMemory"});
  CHECK(Names(config, {"nothing-like-it"}).empty());
  CHECK(Names(config, {"*of"}) == std::vector<std::string>{"replicaof", "slaveof"});
  CHECK(Names(config, {"slaveof"}) == std::vector<std::string>{"slaveof"});
  CHECK(Names(config, {"PORT", "port", "por?"}) == std::vector<std::string>{"PORT"});

  auto several = Names(config, {"maxmemory", "maxmemory*", "bind", "*of"});
  CHECK(std::set<std::string>(several.begin(), several.end()).size() == several.size());
  for (const char* name :
       {"maxmemory", "maxmemory-samples", "maxmemory-clients", "bind", "slaveof"}) {
    CHECK(std::find(several.begin(), several.end(), name) != several.end());
  }

  auto all = Names(config, {"*"});
  CHECK(std::find(all.begin(), all.end(), "key-load-delay") == all.end());
  CHECK(Names(config, {"key-load-delay"}).size() == 1);
  CHECK(Names(config, {std::string(100000, 'x')}).empty());
}

TEST_CASE("CONFIG SET: numbers, sizes and words are checked as Valkey does") {
  Config config(TestMemoryLimit);
  CHECK(SetConfig(config, {"maxclients", "4000"}) == "OK");
  CHECK(config.maxclients() == 4000);
  CHECK(SetConfig(config, {"MAXCLIENTS", "x"}) ==
        Failed("maxclients", "argument couldn't be parsed into an integer"));
  for (const char* wrong : {"", " 1", "1 ", "+1", "01", "1.0", "99999999999999999999", "-"}) {
    INFO(wrong);
    CHECK(SetConfig(config, {"timeout", wrong}) ==
          Failed("timeout", "argument couldn't be parsed into an integer"));
  }
  CHECK(SetConfig(config, {"port", "65536"}) ==
        Failed("port", "argument must be between 0 and 65535 inclusive"));
  CHECK(SetConfig(config, {"timeout", "-1"}) ==
        Failed("timeout", "argument must be between 0 and 2147483647 inclusive"));
  CHECK(SetConfig(config, {"maxmemory", "lots"}) ==
        Failed("maxmemory", "argument must be a memory value"));
  CHECK(SetConfig(config, {"client-query-buffer-limit", "1x"}) ==
        Failed("client-query-buffer-limit", "argument must be a memory value"));
  CHECK(SetConfig(config, {"maxmemory-clients", "200%"}) ==
        Failed("maxmemory-clients", "percentage argument must be less or equal to 100"));
  CHECK(SetConfig(config, {"maxmemory-clients", "x"}) ==
        Failed("maxmemory-clients", "argument must be a memory or percent value"));
  CHECK(SetConfig(config, {"protected-mode", "maybe"}) ==
        Failed("protected-mode", "argument must be 'yes' or 'no'"));
  CHECK(
      SetConfig(config, {"loglevel", "loud"}) ==
      Failed("loglevel",
             "argument(s) must be one of the following: debug, verbose, notice, warning, nothing"));
  CHECK(SetConfig(config, {"loglevel", "DEBUG"}) == "OK");
  CHECK(config.loglevel() == LogLevel::kDebug);
  CHECK(SetConfig(config, {"hz", "1000"}) == "OK");
  CHECK(GetConfig(config, "hz") == "500");
  CHECK(config.maxclients() == 4000);
}

TEST_CASE("CONFIG SET: units of memory") {
  Config config(TestMemoryLimit);
  const std::pair<const char*, int64_t> sizes[] = {
      {"1048577", 1048577}, {"2000k", 2000000}, {"2048kb", 2097152}, {"3m", 3000000},
      {"3MB", 3 * kMb},     {"1g", 1000000000}, {"1Gb", kGb},        {"1048578b", 1048578},
  };
  for (const auto& [text, bytes] : sizes) {
    INFO(text);
    CHECK(SetConfig(config, {"client-query-buffer-limit", text}) == "OK");
    CHECK(config.client_query_buffer_limit() == bytes);
  }
  for (const char* wrong :
       {"", "k", "-1mb", "1tb", "1 mb", "9223372036854775808", "9999999999gb"}) {
    INFO(wrong);
    CHECK(SetConfig(config, {"maxmemory", wrong}) != "OK");
  }
  CHECK(FormatMemory(64 * kMb) == "64mb");
  CHECK(FormatMemory(3 * kGb) == "3gb");
  CHECK(FormatMemory(1000) == "1000");
  CHECK(FormatMemory(0) == "0");
}

TEST_CASE("CONFIG SET: maxmemory as a percentage of what was detected") {
  Config config(TestMemoryLimit);
  CHECK(SetConfig(config, {"maxmemory", "75%"}) == "OK");
  CHECK(config.maxmemory() == kTestMemoryLimit / 4 * 3);
  CHECK(GetConfig(config, "maxmemory") == fmt::format("{}", kTestMemoryLimit / 4 * 3));
  CHECK(SetConfig(config, {"maxmemory", "101%"}) ==
        Failed("maxmemory", "percentage argument must be between 1 and 100"));
  CHECK(SetConfig(config, {"maxmemory", "0%"}) != "OK");
  CHECK(SetConfig(config, {"maxmemory", "%"}) ==
        Failed("maxmemory", "percentage argument must be between 1 and 100"));
  Config unknown;
  CHECK(SetConfig(unknown, {"maxmemory", "50%"}) ==
        Failed("maxmemory", "a percentage needs a known memory limit, and none was found"));
}

TEST_CASE("CONFIG SET: names that are unknown, twice there, immutable or protected") {
  Config config;
  CHECK(SetConfig(config, {"xyz", "1"}) ==
        "ERR Unknown option or number of arguments for CONFIG SET - 'xyz'");
  CHECK(SetConfig(config, {"maxclients", "1", "timeout"}) == "ERR syntax error");
  CHECK(SetConfig(config, {"maxmemory", "1", "MAXMEMORY", "2"}) ==
        Failed("MAXMEMORY", "duplicate parameter"));
  CHECK(SetConfig(config, {"lua-time-limit", "1", "busy-reply-threshold", "2"}) ==
        Failed("busy-reply-threshold", "duplicate parameter"));
  CHECK(SetConfig(config, {"daemonize", "yes"}) ==
        Failed("daemonize", "can't set immutable config"));
  CHECK(SetConfig(config, {"dir", "/"}) == Failed("dir", "can't set protected config"));
  CHECK(SetConfig(config, {"dbfilename", "x"}) ==
        Failed("dbfilename", "can't set protected config"));
  CHECK(SetConfig(config, {"appendonly", "yes"}, {.loading = true}) ==
        "LOADING Redis is loading the dataset in memory");
  CHECK(SetConfig(config, {"loglevel", "debug"}, {.loading = true}) == "OK");
  CHECK(SetConfig(config, {"slave-read-only", "no"}) == "OK");
  CHECK(GetConfig(config, "replica-read-only") == "no");
}

TEST_CASE("CONFIG SET: enable-protected-configs opens protected options, `local` to this machine") {
  Config local;
  REQUIRE(Start(local, {"--enable-protected-configs", "local"}) == "OK");
  CHECK(SetConfig(local, {"dbfilename", "x.rdb"}) ==
        Failed("dbfilename", "can't set protected config"));
  CHECK(SetConfig(local, {"dbfilename", "x.rdb"}, {.local_client = true}) == "OK");
  CHECK(local.dbfilename() == "x.rdb");

  Config open;
  REQUIRE(Start(open, {"--enable-protected-configs", "yes"}) == "OK");
  CHECK(SetConfig(open, {"dbfilename", "y.rdb"}) == "OK");
  CHECK(SetConfig(open, {"dbfilename", "a/b"}) ==
        Failed("dbfilename", "dbfilename can't be a path, just a filename"));
  CHECK(SetConfig(open, {"dbfilename", ""}) == Failed("dbfilename", "dbfilename can't be empty"));
}

TEST_CASE("CONFIG SET: dir moves the process, or says why not") {
  TemporaryFolder folder;
  KeepWorkingFolder keep;
  Config config;
  REQUIRE(Start(config, {"--enable-protected-configs", "yes"}) == "OK");
  std::string before = config.dir();
  CHECK(SetConfig(config, {"dir", folder.path()}) == "OK");
  CHECK(GetConfig(config, "dir") == folder.path());
  CHECK(std::filesystem::current_path() == folder.path());
  CHECK(SetConfig(config, {"dir", folder.Path("missing")}) ==
        Failed("dir", "No such file or directory"));
  CHECK(SetConfig(config, {"dir", folder.Write("file", "")}) == Failed("dir", "Not a directory"));
  CHECK(SetConfig(config, {"dir", ""}) == Failed("dir", "dir can't be empty"));
  CHECK(std::filesystem::current_path() == folder.path());
  CHECK(SetConfig(config, {"dir", before, "port", "x"}) != "OK");
  CHECK(std::filesystem::current_path() == folder.path());
}

TEST_CASE("CONFIG SET: several options are set all or none") {
  Config config;
  CHECK(SetConfig(config, {"maxmemory", "10000001", "repl-backlog-size", "10000002", "save",
                           "3000 5"}) == "OK");
  CHECK(GetConfig(config, "repl-backlog-size") == "10000002");
  CHECK(config.save_points() == std::vector<SavePoint>{{3000, 5}});
  CHECK(SetConfig(config, {"maxmemory", "10000003", "maxmemory-clients", "200%",
                           "client-query-buffer-limit", "invalid"}) ==
        Failed("maxmemory-clients", "percentage argument must be less or equal to 100"));
  CHECK(config.maxmemory() == 10000001);
}

TEST_CASE("CONFIG SET: a hook sees the new values, runs once, and may refuse") {
  Config config;
  int listen_calls = 0;
  int64_t listening_on = config.port();
  std::vector<int64_t> limits;
  config.OnChange({"port", "bind"}, [&](const Config& now) -> std::string {
    ++listen_calls;
    if (now.port() == 1) return "Unable to listen on this port. Check server logs.";
    listening_on = now.port();
    return "";
  });
  config.OnChange("maxmemory", [&](const Config& now) {
    limits.push_back(now.maxmemory());
    return std::string();
  });

  CHECK(SetConfig(config, {"port", "7000", "bind", "127.0.0.1"}) == "OK");
  CHECK(listen_calls == 1);
  CHECK(listening_on == 7000);
  CHECK(SetConfig(config, {"port", "7000"}) == "OK");  // nothing changes
  CHECK(listen_calls == 1);

  CHECK(SetConfig(config, {"maxmemory", "5mb", "port", "1", "timeout", "9"}) ==
        Failed("port", "Unable to listen on this port. Check server logs."));
  CHECK(config.port() == 7000);
  CHECK(listening_on == 7000);
  CHECK(config.maxmemory() == 0);
  CHECK(config.timeout() == 0);
  CHECK(limits == std::vector<int64_t>{5 * kMb, 0});  // done and undone
  CHECK(listen_calls == 3);
}

TEST_CASE("CONFIG SET: certificate files trigger their hook even under the same name") {
  Config config;
  int calls = 0;
  config.OnChange("tls-cert-file", [&](const Config&) {
    ++calls;
    return std::string();
  });
  CHECK(SetConfig(config, {"tls-cert-file", "a.pem"}) == "OK");
  CHECK(SetConfig(config, {"tls-cert-file", "a.pem"}) == "OK");
  CHECK(calls == 2);
}

TEST_CASE("CONFIG SET: options with a grammar of their own") {
  Config config;
  SECTION("save") {
    CHECK(SetConfig(config, {"save", ""}) == "OK");
    CHECK(config.save_points().empty());
    CHECK(GetConfig(config, "save").empty());
    CHECK(SetConfig(config, {"save", "900 1 300 10"}) == "OK");
    CHECK(GetConfig(config, "save") == "900 1 300 10");
    for (const char* wrong : {"900", "0 1", "900 -1", "900 x", "900  1", "900 99999999999"}) {
      CHECK(SetConfig(config, {"save", wrong}) == Failed("save", "Invalid save parameters"));
    }
  }
  SECTION("bind") {
    CHECK(SetConfig(config, {"bind", "* -::*"}) == "OK");
    CHECK(config.bind_addresses() == std::vector<std::string>{"*", "-::*"});
    CHECK(SetConfig(config, {"bind", ""}) == "OK");
    CHECK(config.bind_addresses().empty());
    CHECK(SetConfig(config, {"bind", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"}) ==
          Failed("bind", "Too many bind addresses specified."));
  }
  SECTION("client-output-buffer-limit") {
    CHECK(SetConfig(config, {"client-output-buffer-limit", "pubsub 1mb 512kb 10"}) == "OK");
    CHECK(config.output_limit(OutputClass::kPubsub).hard_bytes() == kMb);
    CHECK(config.output_limit(OutputClass::kReplica).hard_bytes() == 256 * kMb);
    CHECK(GetConfig(config, "client-output-buffer-limit") ==
          "normal 0 0 0 slave 268435456 67108864 60 pubsub 1048576 524288 10");
    CHECK(SetConfig(config, {"client-output-buffer-limit", "replica 1 1 1 normal 2 2 2"}) == "OK");
    CHECK(config.output_limit(OutputClass::kReplica).soft_seconds() == 1);
    CHECK(config.output_limit(OutputClass::kNormal).soft_bytes() == 2);
    CHECK(SetConfig(config, {"client-output-buffer-limit", "normal 1 1"}) ==
          Failed("client-output-buffer-limit",
                 "Wrong number of arguments in buffer limit configuration."));
    CHECK(SetConfig(config, {"client-output-buffer-limit", "master 1 1 1"}) ==
          Failed("client-output-buffer-limit",
                 "Invalid client class specified in buffer limit configuration."));
    CHECK(SetConfig(config, {"client-output-buffer-limit", "normal 1 1 -1"}) ==
          Failed("client-output-buffer-limit",
                 "Error in hard, soft or soft_seconds setting in buffer limit configuration."));
  }
  SECTION("notify-keyspace-events") {
    CHECK(SetConfig(config, {"notify-keyspace-events", "KEA"}) == "OK");
    CHECK(GetConfig(config, "notify-keyspace-events") == "AKE");
    CHECK(config.notify_keyspace_events() == (kNotifyAll | kNotifyKeyspace | kNotifyKeyevent));
    CHECK(SetConfig(config, {"notify-keyspace-events", "xKlm"}) == "OK");
    CHECK(GetConfig(config, "notify-keyspace-events") == "lxKm");
    CHECK(SetConfig(config, {"notify-keyspace-events", ""}) == "OK");
    CHECK(config.notify_keyspace_events() == 0);
    CHECK(
        SetConfig(config, {"notify-keyspace-events", "Q"}) ==
        Failed("notify-keyspace-events", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."));
  }
  SECTION("shutdown-on-sigterm") {
    CHECK(SetConfig(config, {"shutdown-on-sigterm", "force nosave now"}) == "OK");
    CHECK(config.shutdown_on_sigterm() == (kShutdownNosave | kShutdownNow | kShutdownForce));
    CHECK(GetConfig(config, "shutdown-on-sigterm") == "nosave now force");
    CHECK(SetConfig(config, {"shutdown-on-sigterm", "save nosave"}) ==
          Failed("shutdown-on-sigterm",
                 "shutdown options SAVE and NOSAVE can't be used simultaneously"));
    CHECK(SetConfig(config, {"shutdown-on-sigterm", ""}) ==
          Failed("shutdown-on-sigterm",
                 "argument(s) must be one of the following: default, save, nosave, now, force"));
    CHECK(SetConfig(config, {"shutdown-on-sigterm", "default"}) == "OK");
    CHECK(GetConfig(config, "shutdown-on-sigterm") == "default");
  }
  SECTION("latency-tracking-info-percentiles") {
    CHECK(SetConfig(config, {"latency-tracking-info-percentiles", "0 50.5 100"}) == "OK");
    CHECK(GetConfig(config, "latency-tracking-info-percentiles") == "0 50.5 100");
    CHECK(SetConfig(config, {"latency-tracking-info-percentiles", ""}) == "OK");
    CHECK(config.latency_percentiles().empty());
    CHECK(SetConfig(config, {"latency-tracking-info-percentiles", "x"}) ==
          Failed("latency-tracking-info-percentiles",
                 "Invalid latency-tracking-info-percentiles parameters"));
    CHECK(SetConfig(config, {"latency-tracking-info-percentiles", "101"}) ==
          Failed("latency-tracking-info-percentiles",
                 "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"));
  }
  SECTION("oom-score-adj-values and proc-title-template") {
    CHECK(SetConfig(config, {"oom-score-adj-values", "1 1 1"}) == "OK");
    CHECK(SetConfig(config, {"oom-score-adj-values", "1 1"}) ==
          Failed("oom-score-adj-values", "wrong number of arguments"));
    CHECK(SetConfig(config, {"oom-score-adj-values", "1 1 9999"}) ==
          Failed("oom-score-adj-values",
                 "Invalid oom-score-adj-values, elements must be between -2000 and 2000."));
    CHECK(
        SetConfig(config, {"proc-title-template", "{title} {port"}) ==
        Failed("proc-title-template", "template format is invalid or contains unknown variables"));
    CHECK(SetConfig(config, {"proc-title-template", "{title} on {port}"}) == "OK");
  }
}

TEST_CASE("Config: passwords are marked as secrets") {
  CHECK(Config::IsSecret("requirepass"));
  CHECK(Config::IsSecret("MASTERAUTH"));
  CHECK(Config::IsSecret("primaryauth"));
  CHECK_FALSE(Config::IsSecret("port"));
  CHECK_FALSE(Config::IsSecret("xyz"));
}

TEST_CASE("Config: setters on several threads, readers on others") {
  Config config;
  std::atomic<int> hook_runs{0};
  config.OnChange({"maxclients", "timeout"}, [&](const Config& now) -> std::string {
    ++hook_runs;
    return now.maxclients() == now.timeout() ? "" : "torn";
  });
  std::atomic<int> failures{0};  // Catch's assertions belong to one thread
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    const std::string_view everything[] = {"*"};
    while (!stop) {
      if (config.maxclients() <= 0 || config.Get(everything).size() < 200) ++failures;
    }
  });
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 3; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 1; i <= 200; ++i) {
        std::string value = fmt::format("{}", writer * 1000 + i);
        const std::string_view args[] = {"maxclients", value,         "timeout",
                                         value,        "requirepass", value};
        if (!config.Set(args).ok()) ++failures;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  stop = true;
  reader.join();
  CHECK(failures == 0);
  CHECK(hook_runs == 600);
  CHECK(config.maxclients() == config.timeout());
}

TEST_CASE("docs/configuration.md is what the table says") {
  std::ostringstream page;
  page << std::ifstream(SourceDir() + "/docs/configuration.md").rdbuf();
  // If this fails: build/debug/spinel --dump-config-reference > docs/configuration.md
  CHECK(page.str() == ConfigReference());
}

TEST_CASE("Config: the nearest name to a misspelled one") {
  CHECK(NearestConfigName("maxmemroy") == "maxmemory");
  CHECK(NearestConfigName("Max-Memory") == "maxmemory");
  CHECK(NearestConfigName("max_memory_policy") == "maxmemory-policy");
  CHECK(NearestConfigName("bnid") == "bind");
  CHECK(NearestConfigName("inclued") == "include");
  CHECK(NearestConfigName("zzzzzzzzzzzz").empty());
  CHECK(NearestConfigName("").empty());
  CHECK(NearestConfigName(std::string(100000, 'a')).empty());
}

}  // namespace spinel
