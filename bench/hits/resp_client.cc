#include "bench/hits/resp_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace spinel::hits {
namespace {

constexpr size_t kReadBytes = size_t{256} << 10;
constexpr std::string_view kLineEnd = "\r\n";

[[noreturn]] void Fail(std::string_view what) {
  throw std::system_error(errno, std::generic_category(), std::string(what));
}

}  // namespace

RespClient::RespClient(uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (socket_ < 0) Fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0) {
    const int error = errno;
    close(socket_);
    errno = error;
    Fail(fmt::format("port {}", port));
  }
}

RespClient::~RespClient() { close(socket_); }

void RespClient::Add(std::initializer_list<std::string_view> words) {
  out_ += fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words) {
    out_ += fmt::format("${}\r\n", word.size());
    out_ += word;
    out_ += kLineEnd;
  }
}

void RespClient::Send() {
  for (size_t sent = 0; sent < out_.size();) {
    const ssize_t now = send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
    if (now < 0 && errno != EINTR) Fail("send");
    if (now > 0) sent += static_cast<size_t>(now);
  }
  out_.clear();
}

void RespClient::Fill() {
  if (read_ == in_.size()) {
    in_.clear();
  } else {
    in_.erase(0, read_);
  }
  read_ = 0;
  const size_t have = in_.size();
  in_.resize(have + kReadBytes);
  ssize_t got = 0;
  do {
    got = recv(socket_, in_.data() + have, kReadBytes, 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0) Fail("recv");
  if (got == 0) throw std::runtime_error("the server closed the connection");
  in_.resize(have + static_cast<size_t>(got));
}

std::string_view RespClient::ReadLine() {
  size_t end = 0;
  while ((end = in_.find(kLineEnd, read_)) == std::string::npos) Fill();
  const std::string_view line(in_.data() + read_, end - read_);
  read_ = end + kLineEnd.size();
  return line;
}

void RespClient::ReadBulk(size_t bytes, std::string* text) {
  if (text != nullptr) text->clear();
  for (size_t left = bytes + kLineEnd.size(); left > 0;) {
    if (read_ == in_.size()) Fill();
    const size_t now = std::min(left, in_.size() - read_);
    if (text != nullptr) text->append(in_, read_, now);
    read_ += now;
    left -= now;
  }
  if (text != nullptr) text->resize(bytes);
}

RespClient::Reply RespClient::Read(std::string* text) {
  const std::string_view line = ReadLine();
  const char kind = line.empty() ? '\0' : line.front();
  if (kind == '+') return {};
  if (kind == '-') {
    if (text != nullptr) *text = line.substr(1);
    return {.kind = Reply::Kind::kError};
  }
  int64_t number = 0;
  const auto [end, error] = std::from_chars(line.data() + 1, line.data() + line.size(), number);
  const bool is_number = error == std::errc() && end == line.data() + line.size();
  if (is_number && kind == ':') return {.kind = Reply::Kind::kInteger, .integer = number};
  if (is_number && kind == '$' && number == -1) return {.kind = Reply::Kind::kNull};
  if (!is_number || kind != '$' || number < 0) {
    throw std::runtime_error(fmt::format("the server answered '{}'", line));
  }
  ReadBulk(static_cast<size_t>(number), text);
  return {.kind = Reply::Kind::kBulk, .integer = number};
}

RespClient::Reply RespClient::Ask(std::initializer_list<std::string_view> words,
                                  std::string* text) {
  Add(words);
  Send();
  return Read(text);
}

}  // namespace spinel::hits
