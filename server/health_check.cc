#include "server/health_check.h"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <vector>

#include "server/command_line.h"
#include "server/config.h"

namespace spinel {
namespace {

using StreamSocket = boost::asio::generic::stream_protocol::socket;
using StreamEndpoint = boost::asio::generic::stream_protocol::endpoint;

constexpr std::string_view kDefaultAddress = "127.0.0.1:6379";

// "/path", "HOST:PORT", "[IPV6]:PORT" or "HOST".
std::vector<StreamEndpoint> Resolve(boost::asio::io_context* io, const std::string& address,
                                    boost::system::error_code* error) {
  if (address.starts_with('/')) {
    if (address.size() > 107) {
      *error = boost::asio::error::make_error_code(boost::asio::error::name_too_long);
      return {};
    }
    return {boost::asio::local::stream_protocol::endpoint(address)};
  }
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string port = colon == std::string::npos ? "6379" : address.substr(colon + 1);
  std::vector<StreamEndpoint> endpoints;
  for (const auto& found : boost::asio::ip::tcp::resolver(*io).resolve(host, port, *error)) {
    endpoints.emplace_back(found.endpoint());
  }
  return endpoints;
}

constexpr auto kPatience = std::chrono::seconds(3);
constexpr std::string_view kPing = "PING\r\n";
// How a TLS port begins its answer to whoever comes without: see TlsHandshakes.
constexpr std::string_view kSpeaksTls = "-ERR this port speaks TLS";

// What one attempt has come to.
struct Attempt {
  std::string answer;  // up to the end of its first line
  boost::system::error_code failed = boost::asio::error::timed_out;
};

// Sends PING and waits for a line.
template <typename Stream>
void AskOn(Stream* stream, Attempt* attempt) {
  boost::asio::async_write(
      *stream, boost::asio::buffer(kPing), [=](boost::system::error_code wrote, size_t) {
        if (wrote) {
          attempt->failed = wrote;
          return;
        }
        boost::asio::async_read_until(
            *stream, boost::asio::dynamic_buffer(attempt->answer, 4096), "\r\n",
            [=](boost::system::error_code read, size_t) { attempt->failed = read; });
      });
}

Attempt AskPlain(const std::vector<StreamEndpoint>& endpoints, boost::asio::io_context* io) {
  Attempt attempt;
  StreamSocket socket(*io);
  boost::asio::async_connect(socket, endpoints,
                             [&](boost::system::error_code connected, const auto&) {
                               attempt.failed = connected;
                               if (connected) return;
                               attempt.failed = boost::asio::error::timed_out;
                               AskOn(&socket, &attempt);
                             });
  io->run_for(kPatience);
  return attempt;
}

// The certificate is not looked at: its name is seldom that of this host, and nothing that matters
// is said. A server that wants one of its clients proves by that answer that it works.
Attempt AskTls(const std::vector<StreamEndpoint>& endpoints, boost::asio::io_context* io) {
  namespace ssl = boost::asio::ssl;
  Attempt attempt;
  ssl::context context(ssl::context::tls_client);
  context.set_verify_mode(ssl::verify_none);
  ssl::stream<StreamSocket> stream(*io, context);
  boost::asio::async_connect(
      stream.next_layer(), endpoints, [&](boost::system::error_code connected, const auto&) {
        attempt.failed = connected;
        if (connected) return;
        attempt.failed = boost::asio::error::timed_out;
        stream.async_handshake(ssl::stream_base::client, [&](boost::system::error_code shaken) {
          attempt.failed = shaken;
          if (shaken) return;
          attempt.failed = boost::asio::error::timed_out;
          AskOn(&stream, &attempt);
        });
      });
  io->restart();
  io->run_for(kPatience);
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(attempt.failed.value()));
  if (attempt.failed.category() == boost::asio::error::get_ssl_category() &&
      (reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED ||
       reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE)) {
    attempt.answer = "-NOAUTH a certificate is wanted\r\n";
    attempt.failed = {};
  }
  return attempt;
}

// The first line that the server answers to PING; empty, and `*error` set, if none came in time.
std::string AskPing(const std::string& address, std::string* error) {
  boost::asio::io_context io;
  boost::system::error_code failed;
  const std::vector<StreamEndpoint> endpoints = Resolve(&io, address, &failed);
  Attempt attempt;
  if (!failed) {
    attempt = AskPlain(endpoints, &io);
    if (attempt.answer.starts_with(kSpeaksTls)) attempt = AskTls(endpoints, &io);
    failed = attempt.failed;
  }
  if (failed) {
    *error = fmt::format("{}: {}", address, failed.message());
    return {};
  }
  return attempt.answer.substr(0, attempt.answer.find('\r'));
}

// The words that process 1 was started with, if it is this same program; else none.
std::vector<std::string> FirstProcess() {
  std::error_code unreadable;
  if (!std::filesystem::equivalent("/proc/1/exe", "/proc/self/exe", unreadable)) return {};
  std::ostringstream text;
  text << std::ifstream("/proc/1/cmdline", std::ios::binary).rdbuf();
  std::vector<std::string> words;
  std::istringstream rest(text.str());
  for (std::string word; std::getline(rest, word, '\0');) words.push_back(word);
  return words;
}

std::string OwnAddress() {
  const std::vector<std::string> words = FirstProcess();
  std::vector<const char*> argv;
  argv.reserve(words.size());
  for (const std::string& word : words) argv.push_back(word.c_str());
  CommandLine line;
  Config config;
  // What cannot be read again from here (standard input) or has an effect is left out.
  if (!ParseCommandLine(argv, &line).ok()) return std::string(kDefaultAddress);
  line.read_stdin = false;
  line.folders.clear();
  if (!LoadConfig(line, &config).ok()) return std::string(kDefaultAddress);
  return AddressToAsk(config);
}

}  // namespace

std::string AddressToAsk(const Config& config) {
  const int64_t port = config.port() != 0 ? config.port() : config.tls_port();
  if (port == 0 || (config.port() == 0 && !config.unixsocket.empty())) return config.unixsocket();
  std::string host = "127.0.0.1";
  for (const std::string& entry : config.bind_addresses()) {
    const std::string address = entry.starts_with('-') ? entry.substr(1) : entry;
    if (address == "::*" || address == "::") {
      host = "::1";
    } else if (address != "*" && address != "0.0.0.0") {
      host = address;
    }
    break;
  }
  const bool ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
}

bool IsReady(const std::string& answer) {
  // A server that can't save answers everything but writes, and losing it would lose the data.
  return answer.starts_with("+PONG") || answer.starts_with("-NOAUTH") ||
         answer.starts_with("-MISCONF");
}

bool IsAlive(const std::string& answer) {
  return answer.starts_with('+') || answer.starts_with('-');
}

int CheckHealth(std::span<const std::string> words) {
  const bool live = !words.empty() && words[0] == "live";
  if (live || (!words.empty() && words[0] == "ready")) words = words.subspan(1);
  const std::string address = words.empty() ? OwnAddress() : words[0];
  std::string error;
  std::string answer;
  if (address.empty()) {
    error = "the server listens to no port";
  } else {
    answer = AskPing(address, &error);
  }
  if (live ? IsAlive(answer) : IsReady(answer)) return 0;
  if (answer.starts_with("-LOADING")) error = "it is loading its data";
  if (error.empty()) error = fmt::format("{} answers {}", address, answer);
  std::fputs(fmt::format("unhealthy: {}\n", error).c_str(), stderr);
  return 1;
}

}  // namespace spinel
