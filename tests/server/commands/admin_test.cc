#include <catch2/catch.hpp>
#include <ctime>

#include "server/info.h"
#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

// The text of an INFO reply in either protocol.
std::string InfoOf(const RespValue& reply) {
  if (reply.type != RespValue::Type::kVerbatim) return reply.text;
  REQUIRE(reply.text.starts_with("txt:"));
  return reply.text.substr(4);
}

// The value of a field; "none" if it is missing.
std::string FieldOf(const std::string& info, const std::string& name) {
  const std::string line = "\n" + name + ":";
  const size_t at = ("\n" + info).find(line);
  if (at == std::string::npos) return "none";
  const size_t begin = at + line.size() - 1;
  return info.substr(begin, info.find('\r', begin) - begin);
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

size_t Count(const std::string& text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE_METHOD(CommandFixture, "INFO: which sections") {
  BothProtocols([this] {
    Run("GET", "k");
    const std::string standard = InfoOf(Run("INFO"));
    for (const std::string_view title :
         {"# Server", "# Clients", "# Memory", "# Persistence", "# Stats", "# Replication", "# CPU",
          "# Modules", "# Errorstats", "# Cluster", "# Keyspace"}) {
      CAPTURE(title);
      CHECK(Count(standard, title) == 1);
    }
    CHECK_FALSE(Has(standard, "# Commandstats"));
    for (const std::string_view all : {"all", "everything", "ALL"}) {
      const std::string text = InfoOf(Run("INFO", all));
      CHECK(Has(text, "# Commandstats"));
      CHECK(Has(text, "# Latencystats"));
    }
    CHECK(InfoOf(Run("INFO", "CLUSTER")) == "# Cluster\r\ncluster_enabled:0\r\n");
    CHECK(InfoOf(Run("INFO", "modules", "cluster", "none")) ==
          "# Modules\r\n\r\n# Cluster\r\ncluster_enabled:0\r\n");
    CHECK(InfoOf(Run("INFO", "none")).empty());
    CHECK(Count(InfoOf(Run("INFO", "cpu", "default", "cpu")), "used_cpu_user:") == 1);
    CHECK(Count(InfoOf(Run("INFO", "cpu", "all")), "used_cpu_user:") == 1);
  });
}

TEST_CASE_METHOD(CommandFixture, "INFO: every line is a title, empty, or name:value") {
  Run("SET", "k", "v");
  Run("GET");
  const std::string text = InfoOf(Run("INFO", "everything"));
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find("\r\n", begin);
    REQUIRE(end != std::string::npos);
    const std::string line = text.substr(begin, end - begin);
    CAPTURE(line);
    CHECK((line.empty() || line.starts_with("# ") || line.find(':') != std::string::npos));
    begin = end + 2;
  }
}

TEST_CASE_METHOD(CommandFixture, "INFO: what clients read when they connect") {
  const std::string text = InfoOf(Run("INFO"));
  CHECK(FieldOf(text, "redis_version") == "7.2.4");
  CHECK(FieldOf(text, "redis_mode") == "standalone");
  CHECK(FieldOf(text, "spinel_version") == "0.1.0");
  CHECK(FieldOf(text, "role") == "master");
  CHECK(FieldOf(text, "connected_slaves") == "0");
  CHECK(FieldOf(text, "loading") == "0");
  CHECK(FieldOf(text, "maxmemory_policy") == "noeviction");
  CHECK(FieldOf(text, "run_id") == server().run_id());
  CHECK(FieldOf(text, "run_id").size() == 40);
  CHECK(FieldOf(text, "master_replid") == server().replication_id());
  CHECK(FieldOf(text, "master_replid").size() == 40);
}

TEST_CASE_METHOD(CommandFixture, "INFO: counters count") {
  Run("SET", "a", "1");
  Run("SET", "b", "1", "PX", "5000");
  Run("GET", "a");
  Run("GET", "none");
  Run("GET");
  Run("nonsense");
  const auto second = NewClient();
  std::string text = InfoOf(Run("INFO", "everything"));
  CHECK(FieldOf(text, "keyspace_hits") == "1");
  CHECK(FieldOf(text, "keyspace_misses") == "1");
  CHECK(FieldOf(text, "total_commands_processed") == "4");
  CHECK(FieldOf(text, "connected_clients") == "2");
  CHECK(FieldOf(text, "total_error_replies") == "2");
  CHECK(FieldOf(text, "errorstat_ERR") == "count=2");
  CHECK(FieldOf(text, "rdb_changes_since_last_save") == "2");
  CHECK(FieldOf(text, "cmdstat_get").starts_with("calls=2,usec="));
  CHECK(FieldOf(text, "cmdstat_get").ends_with(",rejected_calls=1,failed_calls=0"));
  CHECK(FieldOf(text, "latency_percentiles_usec_get").starts_with("p50="));
  CHECK(Has(FieldOf(text, "latency_percentiles_usec_get"), ",p99.9="));
  CHECK(FieldOf(text, "db0").starts_with("keys=2,expires=1,avg_ttl="));
  CHECK(FieldOf(text, "db1") == "none");
  Advance(6000);
  Run("CONFIG", "SET", "latency-tracking", "no");
  text = InfoOf(Run("INFO", "everything"));
  CHECK(FieldOf(text, "expired_keys") == "1");
  CHECK(FieldOf(text, "latency_percentiles_usec_get") == "none");
  CHECK(FieldOf(text, "cmdstat_config|set").starts_with("calls=1,"));
  Run("CONFIG", "RESETSTAT");
  text = InfoOf(Run("INFO", "everything"));
  CHECK(FieldOf(text, "total_error_replies") == "0");
  CHECK(FieldOf(text, "errorstat_ERR") == "none");
  CHECK(FieldOf(text, "cmdstat_get") == "none");
  CHECK(FieldOf(text, "db0") == "keys=1,expires=0,avg_ttl=0,keys_with_volatile_items=0");
}

TEST_CASE_METHOD(CommandFixture,
                 "INFO: codes of errors that scripts invent are not kept for ever") {
  constexpr int kCodes = 130;
  for (int i = 0; i < kCodes; ++i) {
    Run("EVAL", "return redis.error_reply(ARGV[1] .. ' text')", "0", i);
  }
  Run("SET", "k");
  Run("EVAL", "return redis.error_reply('1 text')", "0");
  const std::string text = InfoOf(Run("INFO", "errorstats"));
  CHECK(FieldOf(text, "errorstat_1") == "count=2");
  CHECK(FieldOf(text, "errorstat_127") == "count=1");
  CHECK(FieldOf(text, "errorstat_128") == "none");
  CHECK(FieldOf(text, "errorstat_ERRORSTATS_OVERFLOW") == "count=2");
  CHECK(FieldOf(text, "errorstat_ERR") == "count=1");
}

TEST_CASE_METHOD(CommandFixture, "INFO: the percentiles that are asked for") {
  CHECK(Run("CONFIG", "SET", "latency-tracking-info-percentiles", "50.0 100.0 0") == Ok());
  Run("GET", "k");
  const std::string text =
      FieldOf(InfoOf(Run("INFO", "latencystats")), "latency_percentiles_usec_get");
  CHECK(text.starts_with("p50="));
  CHECK(Has(text, ",p100="));
  CHECK(Has(text, ",p0="));
}

TEST_CASE("INFO: bytes for people") {
  CHECK(HumanBytes(0) == "0B");
  CHECK(HumanBytes(1023) == "1023B");
  CHECK(HumanBytes(1024) == "1.00K");
  CHECK(HumanBytes(916312) == "894.84K");
  CHECK(HumanBytes(25276518400) == "23.54G");
}

TEST_CASE("RecentPeak: forgets after eight seconds") {
  RecentPeak peak;
  CHECK(peak.Get(1'700'000'000'000) == 0);
  peak.Note(1'700'000'000'000, 5);
  peak.Note(1'700'000'000'900, 3);
  peak.Note(1'700'000'001'000, 4);
  CHECK(peak.Get(1'700'000'007'999) == 5);
  CHECK(peak.Get(1'700'000'008'000) == 4);
  CHECK(peak.Get(1'700'000'009'000) == 0);
  peak.Note(1'700'000'008'500, 1);
  CHECK(peak.Get(1'700'000'008'500) == 4);
}

TEST_CASE_METHOD(CommandFixture, "TIME, ROLE, MODULE LIST") {
  BothProtocols([this] {
    const RespValue time = Run("TIME");
    REQUIRE(time.elements.size() == 2);
    CHECK(std::abs(std::stoll(time.elements[0].text) - std::time(nullptr)) <= 2);
    CHECK(std::stoll(time.elements[1].text) < 1'000'000);
    CHECK(Run("TIME", "x") == WrongArity("time"));
    CHECK(Run("ROLE") == Array({Bulk("master"), Int(0), Array({})}));
    CHECK(Run("MODULE", "LIST") == Array({}));
    CHECK(Run("MODULE", "HELP").elements.size() == 5);
  });
}

TEST_CASE_METHOD(CommandFixture, "SHUTDOWN: what stops the server and what does not") {
  BothProtocols([this] {
    CHECK(Run("SHUTDOWN", "ABORT") == Error("ERR No shutdown in progress."));
    CHECK(Run("SHUTDOWN", "ABORT", "NOW") == SyntaxError());
    CHECK(Run("SHUTDOWN", "SAVE", "NOSAVE") == SyntaxError());
    CHECK(Run("SHUTDOWN", "LATER") == SyntaxError());
    CHECK_FALSE(shutdown_requested());
    CHECK(Run("SHUTDOWN", "nosave", "now").text == "no reply");
    CHECK(shutdown_requested());
    CHECK(client().session().close_after_reply);
  });
}

TEST_CASE_METHOD(CommandFixture, "LOLWUT: draws what fits, names the versions") {
  BothProtocols([this] {
    const std::string text = InfoOf(Run("LOLWUT"));
    CHECK(Has(text, "Redis ver. 7.2.4"));
    CHECK(Has(text, "Spinel ver. 0.1.0"));
    CHECK(Count(text, "\n") == 26);
    CHECK(Count(InfoOf(Run("LOLWUT", "VERSION", "6", "1000000", "1000000")), "\n") == 82);
    CHECK(Count(InfoOf(Run("LOLWUT", "VERSION", "5", "-1", "0")), "\n") == 3);
    CHECK(Run("LOLWUT", "VERSION", "x") == Error("ERR value is not an integer or out of range"));
  });
}

TEST_CASE_METHOD(CommandFixture, "CLUSTER and SENTINEL: this server runs alone") {
  BothProtocols([this] {
    const RespValue disabled = Error("ERR This instance has cluster support disabled");
    for (const std::string_view sub : {"NODES", "INFO", "SLOTS", "SHARDS", "MYID", "HELP"}) {
      CHECK(Run("CLUSTER", sub) == disabled);
    }
    CHECK(Run("CLUSTER", "KEYSLOT") == WrongArity("cluster|keyslot"));
    CHECK(Run("CLUSTER", "FOO") == Error("ERR unknown subcommand 'FOO'. Try CLUSTER HELP."));
    CHECK(Run("ASKING") == disabled);
    CHECK(Run("READONLY") == disabled);
    CHECK(Run("READWRITE") == disabled);
    CHECK(Run("SENTINEL", "MASTERS") ==
          Error("ERR unknown command 'SENTINEL', with args beginning with: 'MASTERS' "));
  });
}

}  // namespace spinel
