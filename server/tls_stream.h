// One connection's TLS: turns what arrives into plain bytes, and plain bytes into what is sent.
//
// Ciphertext comes in two ways: the owner feeds what it has read already, and beyond that the
// stream reads from the socket itself, as much as the owner allows for the turn. Ciphertext to be
// sent never meets the socket from inside OpenSSL: it is collected in a buffer, which the owner
// flushes. So OpenSSL never has to be called again with the same bytes.
//
// Owner: a handshake, later a Connection. Threads: one at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/output_buffer.h"
#include "server/tls_context.h"

namespace spinel {

class TlsStream {
 public:
  enum class Result {
    kDone,
    kRetry,   // more has to arrive first
    kClosed,  // the peer has said, or shown, that nothing more will come
    kFailed,  // error() tells
  };

  // `fd` stays the caller's. nullptr: no memory.
  static std::unique_ptr<TlsStream> Make(const TlsContext& context, int fd);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // Goes on with the handshake; what is to be sent lies in unsent().
  Result Handshake();

  // Ciphertext that has arrived, valid until EndTurn; behind it up to `receive` bytes may be read
  // from the socket.
  void BeginTurn(std::string_view arrived, size_t receive);
  // Decrypts what there is, up to `room` bytes; `*got` is set in any case. kDone: `room` is full.
  Result Read(char* to, size_t room, size_t* got);
  // Keeps what has been fed and not been decrypted.
  void EndTurn();

  // Encrypts all of it behind what is in `to`. False: the connection is broken.
  bool Encrypt(const char* data, size_t size, OutputBuffer* to);
  // The last words, into unsent().
  void SayGoodbye();

  // Ciphertext that the socket has not taken yet.
  OutputBuffer& unsent() { return unsent_; }
  bool owes() const { return !unsent_.empty(); }
  // Sends what the socket takes of the buffer. False: the connection is broken.
  bool Flush(OutputBuffer* from);

  // What has failed, in words.
  const std::string& error() const { return error_; }

 private:
  friend struct TlsBio;  // OpenSSL's access to the socket and the buffers

  TlsStream(ssl_st* ssl, int fd) : ssl_(ssl), fd_(fd) {}
  Result Judge(int returned);

  ssl_st* const ssl_;
  const int fd_;
  std::string_view fed_;
  std::string kept_;  // what fed_ points into between turns
  size_t may_receive_ = 0;
  OutputBuffer unsent_;
  OutputBuffer* out_ = &unsent_;  // where OpenSSL writes
  std::string error_;
  bool at_end_ = false;  // of what the peer sends
  bool broken_ = false;
};

}  // namespace spinel
