// A blocking connection to a server on this machine: requests are collected, sent at once, and
// their replies read in order. Owned and used by one thread. What goes wrong with the connection or
// the protocol is a std::runtime_error: the measurement is void then.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace spinel::hits {

class RespClient {
 public:
  explicit RespClient(uint16_t port);
  ~RespClient();
  RespClient(const RespClient&) = delete;
  RespClient& operator=(const RespClient&) = delete;

  // Adds a request to those that Send() sends.
  void Add(std::initializer_list<std::string_view> words);
  void Send();

  struct Reply {
    enum class Kind { kOk, kNull, kBulk, kInteger, kError } kind = Kind::kOk;
    int64_t integer = 0;  // of kInteger; the length of kBulk
  };
  // The next reply: a status, an integer, a string or an error. A string's bytes, and the text of
  // an error, go to `text` unless it is null.
  Reply Read(std::string* text = nullptr);

  // One request and its reply, with its text; an error is one of the kinds of reply.
  Reply Ask(std::initializer_list<std::string_view> words, std::string* text = nullptr);

 private:
  std::string_view ReadLine();
  void ReadBulk(size_t bytes, std::string* text);
  void Fill();

  int socket_;
  std::string out_;
  std::string in_;
  size_t read_ = 0;  // in_ up to here is done with
};

}  // namespace spinel::hits
