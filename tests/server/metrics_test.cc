#include "server/metrics.h"

#include <catch2/catch.hpp>
#include <string>

#include "server/exposition.h"
#include "server/info.h"
#include "server/info_fields.h"
#include "tests/support/command_fixture.h"
#include "tests/support/exposition_parser.h"

namespace spinel {
namespace {

class MetricsFixture : public CommandFixture {
 public:
  ExpositionParser Metrics() {
    const std::string info = MakeInfo(server(), now_ms(), kMetricsInfoSections);
    return ExpositionParser(RenderMetrics(server(), info, /*info_age_ms=*/0, now_ms()));
  }
};

TEST_CASE("Exposition: labels are escaped, and what is no UTF-8 is not let through", "[metrics]") {
  Exposition out;
  out.Family("spinel_x", "gauge", "Help.");
  out.Sample(1.5, {{"a", "quote\" backslash\\ line\n"}, {"b", "bad\xff"}});
  CHECK(out.Take() ==
        "# HELP spinel_x Help.\n# TYPE spinel_x gauge\n"
        "spinel_x{a=\"quote\\\" backslash\\\\ line\\n\",b=\"bad?\"} 1.5\n");
}

TEST_CASE("InfoFields: fields, numbers and parts of lists", "[metrics]") {
  const InfoFields info("# Title\r\na:1\r\nb:ok\r\ndb0:keys=3,expires=1\r\n\r\nno colon\r\n");
  double number = 0;
  CHECK(info.Get("a") == "1");
  CHECK(info.Get("none").empty());
  CHECK((info.GetNumber("b", &number) && number == 1));
  CHECK_FALSE(info.GetNumber("db0", &number));
  CHECK(InfoFields::Part(info.Get("db0"), "expires") == "1");
  CHECK(InfoFields::Part(info.Get("db0"), "none").empty());
  CHECK(info.all().size() == 3);
}

TEST_CASE_METHOD(MetricsFixture, "metrics: names, types and help are as Prometheus wants them",
                 "[metrics]") {
  Run("SET", "k", "v");
  const ExpositionParser metrics = Metrics();
  CHECK(metrics.families().size() > 60);
  for (const auto& [name, family] : metrics.families()) {
    INFO(name);
    CHECK(name.starts_with("spinel_"));
    CHECK_FALSE(family.help.empty());
    const bool counts = family.type == "counter";
    CHECK((counts || family.type == "gauge" || family.type == "histogram"));
    CHECK(counts == name.ends_with("_total"));
  }
}

TEST_CASE_METHOD(MetricsFixture, "metrics: commands, errors, hits and keys are counted",
                 "[metrics]") {
  Run("SET", "k", "v", "EX", "100");
  Run("GET", "k");
  Run("GET", "none");
  Run("LPUSH", "k", "x");
  Run("GET");
  Run("CLIENT", "ID");
  const ExpositionParser metrics = Metrics();
  CHECK(metrics.Value("spinel_commands_total", {{"command", "get"}}) == 2);
  CHECK(metrics.Value("spinel_commands_total", {{"command", "client|id"}}) == 1);
  CHECK_FALSE(metrics.Value("spinel_commands_total", {{"command", "zadd"}}));
  CHECK(metrics.Value("spinel_command_errors_total", {{"command", "lpush"}, {"kind", "failed"}}) ==
        1);
  CHECK(metrics.Value("spinel_command_errors_total", {{"command", "get"}, {"kind", "rejected"}}) ==
        1);
  CHECK(metrics.Value("spinel_errors_total", {{"code", "WRONGTYPE"}}) == 1);
  CHECK(metrics.Value("spinel_keyspace_hits_total") == 1);
  CHECK(metrics.Value("spinel_keyspace_misses_total") == 1);
  CHECK(metrics.Value("spinel_database_keys", {{"db", "0"}}) == 1);
  CHECK(metrics.Value("spinel_database_expiring_keys", {{"db", "0"}}) == 1);
  CHECK(metrics.Value("spinel_database_ttl_seconds", {{"db", "0"}}) == 100);
  CHECK(metrics.Value("spinel_connections") == 1);
  CHECK(metrics.Value("spinel_ready") == 1);
  CHECK(metrics.Value("spinel_snapshot_last_success") == 1);
  CHECK(metrics.Value("spinel_loop_commands_total", {{"loop", "0"}}) ==
        metrics.Value("spinel_commands_processed_total"));
  Advance(101'000);
  CHECK(Metrics().Value("spinel_expired_keys_total") == 1);
  CHECK_FALSE(Metrics().Value("spinel_database_keys", {{"db", "0"}}));
}

TEST_CASE_METHOD(MetricsFixture, "metrics: histograms are cumulative and end with the count",
                 "[metrics]") {
  for (int i = 0; i < 50; ++i) Run("SET", i, "v");
  Run("GET", "1");
  const ExpositionParser metrics = Metrics();
  const ExpositionFamily& family = metrics.families().at("spinel_command_duration_seconds");
  double last = -1;
  double last_bound = 0;
  for (const ExpositionSample& sample : family.samples) {
    if (sample.labels.at("command") != "set" || !sample.name.ends_with("_bucket")) continue;
    double bound = 0;
    REQUIRE(ParseDouble(sample.labels.at("le"), &bound));
    CHECK(bound > last_bound);
    CHECK(sample.value >= last);
    last = sample.value;
    last_bound = bound;
  }
  CHECK(last == 50);
  CHECK(metrics.Value("spinel_command_duration_seconds_count", {{"command", "set"}}) == 50);
  const auto sum = metrics.Value("spinel_command_duration_seconds_sum", {{"command", "set"}});
  const auto exact = metrics.Value("spinel_command_seconds_total", {{"command", "set"}});
  REQUIRE((sum && exact));
  CHECK(*sum == Approx(*exact).epsilon(0.1));
}

TEST_CASE_METHOD(MetricsFixture, "metrics: an error code that a script invents does no harm",
                 "[metrics]") {
  Run("EVAL", "return redis.error_reply('A\"B\\n\\255 text')", "0");
  CHECK_NOTHROW(Metrics());
}

TEST_CASE_METHOD(MetricsFixture, "metrics: without a loop's INFO the rest is still there",
                 "[metrics]") {
  Run("PING");
  const ExpositionParser metrics(RenderMetrics(server(), "", 5000, now_ms()));
  CHECK(metrics.Value("spinel_commands_total", {{"command", "ping"}}) == 1);
  CHECK(metrics.Value("spinel_info_age_seconds") == 5);
  CHECK_FALSE(metrics.Value("spinel_connections"));
}

}  // namespace
}  // namespace spinel
