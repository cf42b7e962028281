#include "server/http_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "protocol/ascii.h"
#include "server/acl.h"
#include "server/base64.h"
#include "server/console_assets.h"
#include "server/event_loop.h"
#include "server/exposition.h"
#include "server/info.h"
#include "server/json.h"
#include "server/loading.h"
#include "server/metrics.h"
#include "server/saver.h"
#include "server/shutdown.h"

namespace spinel {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr auto kMetricsWait = std::chrono::milliseconds(1000);
// A loop that has not come round for so long is stuck. Scripts that take long let it turn from
// busy-reply-threshold on.
constexpr int64_t kStuckMs = 10'000;

HttpReply Text(int status, std::string text) {
  HttpReply reply;
  reply.status = status;
  reply.body = std::move(text) + "\n";
  return reply;
}

HttpReply JsonLine(int status, JsonWriter json) {
  HttpReply reply;
  reply.status = status;
  reply.content_type = kJson;
  reply.body = json.Take() + "\n";
  return reply;
}

// Does the header carry the password of the user `default`?
bool Authorized(const Server& server, std::string_view authorization) {
  constexpr std::string_view kScheme = "basic ";
  if (!EqualsIgnoreCase(authorization.substr(0, kScheme.size()), kScheme)) return false;
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  const std::optional<std::string> decoded = DecodeBase64(authorization);
  const size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return false;
  const std::string_view words = *decoded;
  return server.acl().IsAdministrator(words.substr(0, colon), words.substr(colon + 1));
}

// What the page may load and do: its own files, and nothing of anybody else's.
constexpr std::string_view kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// "127.0.0.1:9121", "[::1]:9121", "localhost": no name that somebody else may have given to this
// address.
bool IsPlainAddress(std::string_view host) {
  if (host.starts_with('[')) return true;
  host = host.substr(0, host.rfind(':'));
  return EqualsIgnoreCase(host, "localhost") ||
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

// A page of another site must not read the data by way of a browser that can reach this port: not
// directly, nor under a name of its own that leads here. With a password it would have to know
// that.
bool AsksForItself(const Server& server, const HttpRequest& request) {
  const std::string& site = request.fetch_site;
  if (!site.empty() && site != "same-origin" && site != "none") return false;
  return server.needs_password() || IsPlainAddress(request.host);
}

}  // namespace

HttpReply HttpService::Live(int64_t now_ms) const {
  const Runtime& runtime = server_->runtime();
  JsonWriter json;
  json.BeginObject();
  // Loading, SAVE and the last snapshot may hold a loop for as long as they take.
  const bool held = server_->Has(Trouble::kLoading) || server_->shutdown().under_way() ||
                    server_->saver().report(now_ms).running;
  const int64_t most = std::max(kStuckMs, server_->config().busy_reply_threshold() + kStuckMs / 2);
  for (int i = 0; i < runtime.loops() && !held; ++i) {
    const int64_t turned = runtime.loop(i).turned_ms.load(std::memory_order_relaxed);
    if (turned == 0 || now_ms - turned <= most) continue;
    json.Field("status", "stuck");
    json.Field("loop", int64_t{i});
    json.Field("seconds", (now_ms - turned) / 1000);
    json.EndObject();
    return JsonLine(503, std::move(json));
  }
  json.Field("status", "live");
  json.EndObject();
  return JsonLine(200, std::move(json));
}

HttpReply HttpService::Ready(int64_t now_ms) const {
  JsonWriter json;
  json.BeginObject();
  int status = 503;
  if (server_->shutdown().under_way()) {
    json.Field("status", "stopping");
    json.Field("reason", "the server is shutting down");
  } else if (server_->Has(Trouble::kLoading)) {
    const Loading::Progress progress = server_->loading().progress(now_ms);
    json.Field("status", "loading");
    json.Field("reason", "the data set is being loaded");
    json.Key("percent");
    json.Number(progress.percent);
    json.Field("eta_seconds", progress.eta_seconds);
  } else {
    json.Field("status", "ready");
    status = 200;
  }
  json.EndObject();
  return JsonLine(status, std::move(json));
}

bool HttpService::MayPass(const HttpRequest& request, HttpReply* reply) const {
  if (server_->needs_password()) {
    if (Authorized(*server_, request.authorization)) return true;
    *reply = Text(401, "A user who may do everything, such as 'default', and the password.");
    reply->headers.emplace_back("WWW-Authenticate", "Basic realm=\"spinel\", charset=\"UTF-8\"");
    return false;
  }
  if (request.loopback || !server_->config().protected_mode()) return true;
  *reply = Text(403,
                "Protected mode: without a password this is for the server's own machine. Set "
                "'requirepass', or 'protected-mode no' in a network that is trusted.");
  return false;
}

bool HttpService::HandleConsole(const HttpRequest& request, int64_t now_ms, const Done& done) {
  if (!server_->config().console()) return false;
  if (request.path.starts_with("/api/")) {
    if (AsksForItself(*server_, request)) {
      api_.Handle(request, now_ms, done);
    } else {
      done(Text(403,
                "Only the console's own page may ask this. Without a password, open it by the "
                "server's IP address or as localhost."));
    }
    return true;
  }
  for (const ConsoleAsset& asset : ConsoleAssets()) {
    if (asset.path != request.path) continue;
    HttpReply reply;
    reply.content_type = asset.content_type;
    reply.body = asset.body;
    reply.headers.emplace_back("Content-Security-Policy", kContentPolicy);
    done(std::move(reply));
    return true;
  }
  return false;
}

void HttpService::Metrics(Done done) {
  auto make = [server = server_](LoopState* loop) {
    return MakeInfo(*server, loop->op.now_ms, kMetricsInfoSections);
  };
  calls_.Run(std::move(make), kMetricsWait,
             [this, done = std::move(done)](std::optional<std::string> info) {
               const int64_t now_ms = UnixMilliseconds();
               if (info) {
                 info_ = std::move(*info);
                 info_ms_ = now_ms;
               }
               const int64_t age = info_ms_ == 0 ? 0 : now_ms - info_ms_;
               HttpReply reply;
               reply.content_type = Exposition::kContentType;
               reply.body = RenderMetrics(*server_, info_, age, now_ms);
               done(std::move(reply));
             });
}

void HttpService::Handle(const HttpRequest& request, int64_t now_ms, Done done) {
  if (request.path == "/health/live") return done(Live(now_ms));
  if (request.path == "/health/ready") return done(Ready(now_ms));
  HttpReply refusal;
  if (!MayPass(request, &refusal)) return done(std::move(refusal));
  if (request.path == "/metrics") return Metrics(std::move(done));
  if (HandleConsole(request, now_ms, done)) return;
  done(Text(404, "There is /metrics, /health/live and /health/ready."));
}

}  // namespace spinel
