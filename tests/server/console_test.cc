#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "server/console_assets.h"
#include "server/console_keys.h"
#include "server/http_service.h"
#include "server/loop_client.h"
#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

class ConsoleFixture : public CommandFixture {
 public:
  ConsoleFixture() { Run("CONFIG", "SET", "console", "yes"); }

  HttpReply Get(HttpRequest request) {
    std::optional<HttpReply> reply;
    service_.Handle(request, now_ms(), [&](HttpReply answer) { reply = std::move(answer); });
    while (!reply && io_.run_one() > 0) {
    }
    io_.restart();
    REQUIRE(reply);
    return *reply;
  }
  HttpReply Get(const std::string& path, const std::string& query = "") {
    HttpRequest request;
    request.path = path;
    request.query = query;
    request.host = "127.0.0.1:9121";
    request.loopback = true;
    return Get(request);
  }
  std::string Value(const std::string& key_in_hex, const std::string& cursor = "0") {
    return Get("/api/value", "key=" + key_in_hex + "&cursor=" + cursor).body;
  }

 private:
  boost::asio::io_context io_;
  HttpService service_{&io_, &server()};
};

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE_METHOD(ConsoleFixture, "console: off unless it is asked for", "[console]") {
  Run("CONFIG", "SET", "console", "no");
  CHECK(Get("/").status == 404);
  CHECK(Get("/api/overview").status == 404);
}

TEST_CASE_METHOD(ConsoleFixture, "console: every file is served, and may load nothing else",
                 "[console]") {
  CHECK(ConsoleAssets().size() == 7);
  for (const ConsoleAsset& asset : ConsoleAssets()) {
    const HttpReply reply = Get(std::string(asset.path));
    CHECK(reply.status == 200);
    CHECK(reply.body == asset.body);
    const bool guarded =
        std::any_of(reply.headers.begin(), reply.headers.end(), [](const auto& header) {
          return header.first == "Content-Security-Policy" &&
                 header.second.starts_with("default-src 'none'");
        });
    CHECK(guarded);
  }
  CHECK(Get("/console.cc").status == 404);
}

TEST_CASE_METHOD(ConsoleFixture, "console: other sites may not ask", "[console]") {
  HttpRequest request;
  request.path = "/api/overview";
  request.loopback = true;
  const auto status = [&](std::string_view host, std::string_view site) {
    request.host = host;
    request.fetch_site = site;
    return Get(request).status;
  };
  CHECK(status("127.0.0.1:9121", "") == 200);
  CHECK(status("localhost", "same-origin") == 200);
  CHECK(status("[::1]:9121", "none") == 200);
  CHECK(status("127.0.0.1:9121", "cross-site") == 403);
  CHECK(status("evil.example:9121", "same-origin") == 403);
  CHECK(status("127.0.0.1.evil.example", "") == 403);
  Run("CONFIG", "SET", "requirepass", "secret");
  CHECK(status("cache.example", "") == 401);
  request.authorization = "Basic ZGVmYXVsdDpzZWNyZXQ=";
  CHECK(status("cache.example", "same-origin") == 200);
}

TEST_CASE_METHOD(ConsoleFixture, "console: the overview has running totals", "[console]") {
  Run("SET", "k", "v");
  const std::string page = Get("/api/overview").body;
  CHECK(Has(page, "\"db0\":\"keys=1,expires=0"));
  CHECK(Has(page, "{\"name\":\"set\",\"calls\":1,"));
  CHECK(Has(page, "\"loops\":[{\"connections\":"));
  CHECK(Has(page, "\"latency\":[["));
}

TEST_CASE_METHOD(ConsoleFixture, "console: keys by pattern and type, with what they are",
                 "[console]") {
  Run("SET", "one", "v", "PX", "5000");
  Run("LPUSH", "two", "v");
  const std::string lists = Get("/api/keys", "db=0&match=t*&type=list").body;
  CHECK(Has(lists, "\"size\":2,\"next\":\"0\""));
  CHECK(Has(lists,
            "\"keys\":[{\"name\":{\"t\":\"two\",\"n\":3},\"key\":\"74776f\",\"type\":\"list\","
            "\"ttl_ms\":-1,\"bytes\":"));
  CHECK(Has(Get("/api/keys").body, "\"ttl_ms\":5000"));
  CHECK(Has(Get("/api/keys", "db=1").body, "\"keys\":[]"));
  for (const char* bad : {"db=x", "db=99", "db=-1", "key=6", "key=zz", "cursor="}) {
    const std::string query = bad;
    const std::string filled = query == "cursor=" ? query + std::string(100, '1') : query;
    CHECK(Get("/api/keys", filled).status == 400);
  }
  CHECK(Has(Get("/api/keys", "cursor=abc").body, "\"error\":\"ERR invalid cursor\""));
  CHECK(Get("/api/none").status == 404);
}

TEST_CASE_METHOD(ConsoleFixture, "console: a page of every type of value", "[console]") {
  Run("SET", "k",
      "a\xff"
      "b");
  CHECK(Has(Value("6b"), "\"text\":\"a\\\\xffb\",\"binary\":true,\"next\":\"0\""));
  Run("SET", "k", std::string(20'000, 'x'));
  CHECK(Has(Value("6b"), "\"size\":20000,"));
  CHECK(Has(Value("6b"), "\"next\":\"16384\""));
  CHECK(Has(Value("6b", "16384"), "\"next\":\"0\""));
  Run("DEL", "k");
  CHECK(Value("6b") == "{\"error\":\"there is no such key\"}");
  Run("HSET", "k", "f", "<b>");
  CHECK(Has(Value("6b"), "\"rows\":[[{\"t\":\"f\",\"n\":1},{\"t\":\"<b>\",\"n\":3}]]"));
  Run("DEL", "k");
  Run("SADD", "k", "m");
  CHECK(Has(Value("6b"), "\"rows\":[[{\"t\":\"m\",\"n\":1}]],\"next\":\"0\""));
  Run("DEL", "k");
  Run("ZADD", "k", "1.5", "m");
  CHECK(Has(Value("6b"), "\"rows\":[[{\"t\":\"m\",\"n\":1},{\"t\":\"1.5\",\"n\":3}]]"));
  Run("DEL", "k");
  for (int i = 0; i < 150; ++i) Run("RPUSH", "k", i);
  CHECK(Has(Value("6b"), "\"next\":\"100\""));
  const std::string rest = Value("6b", "100");
  CHECK(Has(rest, "\"rows\":[[{\"t\":\"100\",\"n\":3}]"));
  CHECK(Has(rest, "\"next\":\"0\""));
}

TEST_CASE_METHOD(ConsoleFixture, "console: elements are cut short, and too large ones not fetched",
                 "[console]") {
  Run("RPUSH", "k", std::string(5000, 'x'));
  const std::string page = Value("6b");
  CHECK(Has(page, "\"n\":5000"));
  CHECK(page.size() < 3000);
  Run("LSET", "k", "0", std::string(2 << 20, 'x'));
  CHECK(Value("6b") == "{\"error\":\"an element here is too large to be shown\"}");
}

TEST_CASE_METHOD(ConsoleFixture, "console: looking leaves no trace in a key's idle time",
                 "[console]") {
  Run("SET", "k", "v");
  Advance(60'000);
  Value("6b");
  Get("/api/keys");
  CHECK(Run("OBJECT", "IDLETIME", "k") == Int(60));
  CHECK(state().serves == nullptr);
}

TEST_CASE_METHOD(ConsoleFixture, "console: slow log and clients", "[console]") {
  Run("CONFIG", "SET", "slowlog-log-slower-than", "0");
  Run("CLIENT", "SETNAME", "me");
  Run("SET", "k", "a\nb");
  CHECK(Has(Get("/api/slowlog").body, "\"args\":[\"SET\",\"k\",\"a\\nb\"]"));
  CHECK(Has(Get("/api/clients").body, "\"name\":\"me\""));
  CHECK(Has(Get("/api/clients").body, "{\"total\":1,"));
}

}  // namespace
}  // namespace spinel
