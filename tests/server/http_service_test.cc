#include "server/http_service.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

class HttpFixture : public CommandFixture {
 public:
  // The answer, once the loop's part of it is done.
  HttpReply Get(HttpRequest request) {
    const size_t question = request.path.find('?');
    if (question != std::string::npos) {
      request.query = request.path.substr(question + 1);
      request.path.resize(question);
    }
    std::optional<HttpReply> reply;
    service_.Handle(request, now_ms(), [&](HttpReply answer) { reply = std::move(answer); });
    while (!reply && io_.run_one() > 0) {
    }
    io_.restart();
    REQUIRE(reply);
    return *reply;
  }
  HttpReply Get(const std::string& target) {
    HttpRequest request;
    request.path = target;
    request.host = "localhost:9121";
    request.loopback = true;
    return Get(request);
  }

 private:
  boost::asio::io_context io_;
  HttpService service_{&io_, &server()};
};

TEST_CASE("HTTP: parameters are unescaped", "[http]") {
  CHECK(QueryParameter("a=1&b=x%20y%2B+z&c", "b") == "x y+ z");
  CHECK(QueryParameter("a=1&b=2", "c").empty());
  CHECK(QueryParameter("aa=1&a=2", "a") == "2");
  CHECK(QueryParameter("a=%zz%4", "a") == "%zz%4");
  CHECK(QueryParameter("a=%41", "a") == "A");
}

TEST_CASE_METHOD(HttpFixture, "HTTP: metrics come with INFO's part", "[http]") {
  Run("SET", "k", "v");
  const HttpReply reply = Get("/metrics");
  CHECK(reply.status == 200);
  CHECK(reply.content_type == "text/plain; version=0.0.4; charset=utf-8");
  CHECK(reply.body.find("spinel_database_keys{db=\"0\"} 1\n") != std::string::npos);
  CHECK(Get("/none").status == 404);
}

TEST_CASE_METHOD(HttpFixture, "HTTP: ready tells loading and stopping from serving", "[http]") {
  CHECK(Get("/health/ready").status == 200);
  CHECK(Get("/health/ready").body == "{\"status\":\"ready\"}\n");
  server().Set(Trouble::kLoading, true);
  const HttpReply loading = Get("/health/ready");
  CHECK(loading.status == 503);
  CHECK(loading.body.starts_with("{\"status\":\"loading\""));
  CHECK(Get("/health/live").status == 200);
  server().Set(Trouble::kLoading, false);
  Run("SHUTDOWN", "NOSAVE");
  const HttpReply stopping = Get("/health/ready");
  CHECK(stopping.status == 503);
  CHECK(stopping.body.starts_with("{\"status\":\"stopping\""));
  CHECK(Get("/health/live").status == 200);
}

TEST_CASE_METHOD(HttpFixture, "HTTP: a loop that does not come round is not alive", "[http]") {
  state().turned_ms.store(now_ms());
  CHECK(Get("/health/live").body == "{\"status\":\"live\"}\n");
  Advance(60'000);
  const HttpReply reply = Get("/health/live");
  CHECK(reply.status == 503);
  CHECK(reply.body == "{\"status\":\"stuck\",\"loop\":0,\"seconds\":60}\n");
}

TEST_CASE_METHOD(HttpFixture, "HTTP: the password guards all but the health", "[http]") {
  Run("CONFIG", "SET", "requirepass", "secret");
  CHECK(Get("/health/live").status == 200);
  CHECK(Get("/health/ready").status == 200);
  const HttpReply refused = Get("/metrics");
  CHECK(refused.status == 401);
  REQUIRE(refused.headers.size() == 1);
  CHECK(refused.headers[0].first == "WWW-Authenticate");
  HttpRequest request;
  request.path = "/metrics";
  const auto status_with = [&](std::string_view authorization) {
    request.authorization = authorization;
    return Get(request).status;
  };
  CHECK(status_with("Basic ZGVmYXVsdDpzZWNyZXQ=") == 200);
  CHECK(status_with("basic  ZGVmYXVsdDpzZWNyZXQ=") == 200);
  CHECK(status_with("Basic ZGVmYXVsdDp3cm9uZw==") == 401);  // default:wrong
  CHECK(status_with("Basic b3RoZXI6c2VjcmV0") == 401);      // other:secret
  CHECK(status_with("Basic ****") == 401);
  CHECK(status_with("Bearer secret") == 401);
  CHECK(status_with("B") == 401);
}

TEST_CASE_METHOD(HttpFixture, "HTTP: protected mode keeps other machines out", "[http]") {
  HttpRequest request;
  request.path = "/metrics";
  CHECK(Get(request).status == 403);
  request.path = "/health/ready";
  CHECK(Get(request).status == 200);
  request.path = "/metrics";
  Run("CONFIG", "SET", "protected-mode", "no");
  CHECK(Get(request).status == 200);
}

}  // namespace
}  // namespace spinel
