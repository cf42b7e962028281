#include "server/health_check.h"

#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdio>
#include <string_view>

namespace spinel {
namespace {

// The first line that the server answers to PING; empty, and `*error` set, if none came in time.
std::string AskPing(const std::string& host, const std::string& port, std::string* error) {
  using boost::asio::ip::tcp;
  boost::asio::io_context io;
  tcp::socket socket(io);
  std::string answer;
  boost::system::error_code failed = boost::asio::error::timed_out;
  tcp::resolver resolver(io);
  const auto endpoints = resolver.resolve(host, port, failed);
  if (failed) {
    *error = failed.message();
    return {};
  }
  failed = boost::asio::error::timed_out;
  constexpr std::string_view kPing = "PING\r\n";
  boost::asio::async_connect(socket, endpoints,
                             [&](boost::system::error_code connected, const auto&) {
                               if (connected) {
                                 failed = connected;
                                 return;
                               }
                               boost::asio::write(socket, boost::asio::buffer(kPing), failed);
                               if (failed) return;
                               failed = boost::asio::error::timed_out;
                               boost::asio::async_read_until(
                                   socket, boost::asio::dynamic_buffer(answer, 4096), "\r\n",
                                   [&](boost::system::error_code read, size_t) { failed = read; });
                             });
  io.run_for(std::chrono::seconds(3));
  if (failed) {
    *error = failed.message();
    return {};
  }
  return answer.substr(0, answer.find('\r'));
}

}  // namespace

int CheckHealth(const std::string& target) {
  const size_t colon = target.rfind(':');
  const bool with_port = colon != std::string::npos;
  std::string host = target.empty() ? "127.0.0.1" : target.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::string error;
  const std::string answer = AskPing(host, with_port ? target.substr(colon + 1) : "6379", &error);
  // A server that can't save answers everything but writes, and losing it would lose the data.
  for (const std::string_view fine : {"+PONG", "-NOAUTH", "-MISCONF"}) {
    if (answer.starts_with(fine)) return 0;
  }
  if (answer.starts_with("-LOADING")) error = "it is loading its data";
  if (error.empty()) error = "it answers " + answer;
  std::fputs(fmt::format("unhealthy: {}\n", error).c_str(), stderr);
  return 1;
}

}  // namespace spinel
