#include "server/http_server.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <future>
#include <optional>
#include <utility>

#include "server/crash_report.h"
#include "server/event_loop.h"
#include "server/log.h"
#include "server/version.h"

namespace spinel {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = boost::asio::ip::tcp;

constexpr auto kRequestTime = std::chrono::seconds(10);  // for the whole header
constexpr auto kIdleTime = std::chrono::seconds(60);     // between two requests
constexpr auto kReplyTime = std::chrono::seconds(30);    // for the reader to take it

std::string ToText(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

// One client. Lives as long as something is being waited for.
class HttpServer::Connection : public std::enable_shared_from_this<HttpServer::Connection> {
 public:
  Connection(HttpServer* server, Tcp::socket socket, bool loopback)
      : server_(server), stream_(std::move(socket)), loopback_(loopback) {
    ++server_->connections_;
  }
  ~Connection() { --server_->connections_; }

  void Read(std::chrono::seconds time) {
    parser_.emplace();
    parser_->header_limit(kMostHeaderBytes);
    parser_->body_limit(0);
    // For the whole of it: a client that sends byte by byte wins nothing.
    stream_.expires_after(time);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](beast::error_code error, size_t) { self->OnRead(error); });
  }

 private:
  void OnRead(beast::error_code error) {
    if (error == http::error::header_limit || error == http::error::body_limit) {
      return Refuse(http::status::request_header_fields_too_large, "The request is too large.");
    }
    // The client has gone, or took too long; or it speaks something else.
    if (error && error.category() != http::make_error_code(http::error::bad_method).category()) {
      return Close();
    }
    if (error == http::error::end_of_stream || error == http::error::partial_message) {
      return Close();
    }
    if (error) return Refuse(http::status::bad_request, "This is no HTTP request.");
    const auto& message = parser_->get();
    if (message.method() != http::verb::get && message.method() != http::verb::head) {
      return Refuse(http::status::method_not_allowed, "Only GET and HEAD are answered.");
    }
    version_ = message.version();
    keep_alive_ = message.keep_alive();
    head_ = message.method() == http::verb::head;
    stream_.expires_never();
    server_->service_.Handle(
        ToRequest(), UnixMilliseconds(),
        [self = shared_from_this()](HttpReply reply) { self->Write(std::move(reply)); });
  }

  HttpRequest ToRequest() const {
    const auto& message = parser_->get();
    HttpRequest request;
    const std::string target = ToText(message.target());
    const size_t question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string::npos) request.query = target.substr(question + 1);
    request.authorization = ToText(message[http::field::authorization]);
    request.host = ToText(message[http::field::host]);
    request.fetch_site = ToText(message["Sec-Fetch-Site"]);
    request.loopback = loopback_;
    return request;
  }

  void Refuse(http::status status, std::string_view why) {
    keep_alive_ = false;
    HttpReply reply;
    reply.status = static_cast<int>(status);
    reply.body = fmt::format("{}\n", why);
    if (status == http::status::method_not_allowed)
      reply.headers.emplace_back("Allow", "GET, HEAD");
    Write(std::move(reply));
  }

  void Write(HttpReply reply) {
    response_ = {};
    response_.version(version_);
    response_.result(static_cast<unsigned>(reply.status));
    response_.set(http::field::server, "spinel");
    response_.set(http::field::content_type, reply.content_type);
    response_.set(http::field::cache_control, "no-store");
    response_.set("X-Content-Type-Options", "nosniff");
    response_.set("X-Frame-Options", "DENY");
    response_.set("Referrer-Policy", "no-referrer");
    for (const auto& [name, value] : reply.headers) response_.set(name, value);
    response_.keep_alive(keep_alive_);
    response_.content_length(reply.body.size());
    if (!head_) response_.body() = std::move(reply.body);
    stream_.expires_after(kReplyTime);
    http::async_write(
        stream_, response_,
        [self = shared_from_this()](beast::error_code error, size_t) { self->OnWritten(error); });
  }

  void OnWritten(beast::error_code error) {
    // Where the port was closed nobody stays behind it.
    if (error || !keep_alive_ || server_->listeners_.empty()) return Close();
    response_ = {};
    Read(kIdleTime);
  }

  void Close() {
    beast::error_code ignored;
    stream_.socket().shutdown(Tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

  HttpServer* const server_;
  beast::tcp_stream stream_;
  const bool loopback_;
  beast::flat_buffer buffer_{kMostHeaderBytes * 2};
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
  unsigned version_ = 11;
  bool keep_alive_ = false;
  bool head_ = false;
};

HttpServer::HttpServer(Server* server)
    : server_(server), io_(1), work_(io_.get_executor()), service_(&io_, server) {}

HttpServer::~HttpServer() { Stop(); }

std::string HttpServer::Start() {
  server_->mutable_config().OnChange(
      {"metrics-port", "metrics-bind", "bind"}, [this](const Config&) -> std::string {
        const std::string error = Relisten();
        if (error.empty()) return {};
        LogWarning("{}", error);
        return "Unable to listen on metrics-port. Check server logs.";
      });
  if (server_->config().metrics_port() == 0) return {};
  if (std::string error = Listen(); !error.empty()) return error;
  StartThread();
  return {};
}

void HttpServer::StartThread() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "http");
    const CrashReportsOfThread crash_reports(nullptr);
    io_.run();
  });
}

// Old and new addresses may overlap, so the old ones are closed first; when the new ones are
// refused, the old configuration listens again.
std::string HttpServer::Relisten() {
  const bool wanted = server_->config().metrics_port() != 0;
  if (!thread_.joinable()) {
    if (!wanted) return {};
    StartThread();
  }
  auto result = std::make_shared<std::promise<std::string>>();
  std::future<std::string> done = result->get_future();
  boost::asio::post(io_, [this, wanted, result] {
    listeners_.clear();
    result->set_value(wanted ? Listen() : std::string());
  });
  if (done.wait_for(std::chrono::seconds(5)) != std::future_status::ready) {
    return "The thread of metrics-port does not answer";
  }
  return done.get();
}

std::string HttpServer::Listen() {
  const Config& config = server_->config();
  constexpr int kBacklog = 64;
  std::vector<std::string> addresses = config.metrics_addresses();
  if (addresses.empty()) addresses = config.bind_addresses();
  for (const std::string& entry : addresses) {
    const bool optional = entry.starts_with('-');
    std::string error;
    auto listener = Listener::Tcp(
        &io_, optional ? entry.substr(1) : entry, static_cast<int>(config.metrics_port()), kBacklog,
        [this](int fd, const AcceptedPeer& peer) { Accept(fd, peer); }, &error);
    if (listener == nullptr && optional) continue;
    if (listener == nullptr) {
      listeners_.clear();
      return "Could not listen on metrics-port: " + error;
    }
    LogNotice("Metrics and health: http://{}/metrics{}", listener->name(),
              config.console() ? fmt::format(", console: http://{}/", listener->name()) : "");
    listeners_.push_back(std::move(listener));
  }
  if (listeners_.empty()) return "None of the addresses for metrics-port is available";
  for (auto& listener : listeners_) listener->Start();
  return {};
}

void HttpServer::Accept(int fd, const AcceptedPeer& peer) {
  Tcp::socket socket(io_);
  beast::error_code error;
  socket.assign(Tcp::v4(), fd, error);
  if (error) {
    close(fd);
    return;
  }
  // The socket closes where nobody keeps it.
  if (connections_ >= kMostConnections) return;
  std::make_shared<Connection>(this, std::move(socket), peer.origin.loopback)->Read(kRequestTime);
}

void HttpServer::Stop() {
  if (!thread_.joinable()) return;
  io_.stop();
  thread_.join();
  listeners_.clear();
}

}  // namespace spinel
