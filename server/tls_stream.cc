#include "server/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "server/send_vectors.h"

namespace spinel {

// The callbacks of a BIO whose data is a TlsStream.
struct TlsBio {
  static TlsStream* StreamOf(BIO* bio) { return static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int Read(BIO* bio, char* to, size_t size, size_t* got) {
    TlsStream* stream = StreamOf(bio);
    BIO_clear_retry_flags(bio);
    if (!stream->fed_.empty()) {
      *got = std::min(size, stream->fed_.size());
      std::memcpy(to, stream->fed_.data(), *got);
      stream->fed_.remove_prefix(*got);
      return 1;
    }
    const size_t most = std::min(size, stream->may_receive_);
    while (most > 0) {
      const ssize_t received = recv(stream->fd_, to, most, MSG_DONTWAIT);
      if (received > 0) {
        *got = static_cast<size_t>(received);
        // Less than asked for: there was no more.
        stream->may_receive_ = *got < most ? 0 : stream->may_receive_ - *got;
        return 1;
      }
      if (received < 0 && errno == EINTR) continue;
      stream->may_receive_ = 0;
      if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      stream->at_end_ = true;
      return 0;
    }
    BIO_set_retry_read(bio);
    return 0;
  }

  static int Write(BIO* bio, const char* from, size_t size, size_t* written) {
    BIO_clear_retry_flags(bio);
    StreamOf(bio)->out_->Append({from, size});
    *written = size;
    return 1;
  }

  static long Control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_EOF) return StreamOf(bio)->at_end_ ? 1 : 0;
    return 0;
  }

  static const BIO_METHOD* Method() {
    static BIO_METHOD* const kMethod = [] {
      BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "spinel");
      if (method == nullptr) return method;
      BIO_meth_set_read_ex(method, Read);
      BIO_meth_set_write_ex(method, Write);
      BIO_meth_set_ctrl(method, Control);
      return method;
    }();
    return kMethod;
  }
};

std::unique_ptr<TlsStream> TlsStream::Make(const TlsContext& context, int fd) {
  const BIO_METHOD* method = TlsBio::Method();
  SSL* ssl = context.NewSsl();
  BIO* bio = method == nullptr ? nullptr : BIO_new(method);
  if (ssl == nullptr || bio == nullptr) {
    SSL_free(ssl);
    BIO_free(bio);
    ERR_clear_error();
    return nullptr;
  }
  std::unique_ptr<TlsStream> stream(new TlsStream(ssl, fd));
  BIO_set_data(bio, stream.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  SSL_set_accept_state(ssl);
  return stream;
}

TlsStream::~TlsStream() {
  // A connection that ends without last words has not been tampered with: its session stays good.
  if (!broken_) SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl_);
}

TlsStream::Result TlsStream::Handshake() {
  ERR_clear_error();
  const int returned = SSL_do_handshake(ssl_);
  if (returned != 1) return Judge(returned);
  // From now on whatever has arrived is taken with one read.
  SSL_set_read_ahead(ssl_, 1);
  return Result::kDone;
}

TlsStream::Result TlsStream::Judge(int returned) {
  switch (SSL_get_error(ssl_, returned)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Result::kRetry;
    case SSL_ERROR_ZERO_RETURN:
      return Result::kClosed;
    default:
      break;
  }
  if (at_end_) {
    ERR_clear_error();
    return Result::kClosed;
  }
  broken_ = true;
  const long verified = SSL_get_verify_result(ssl_);
  error_ = TakeTlsError();
  if (verified != X509_V_OK && SSL_in_init(ssl_) != 0) {
    error_ += std::string(": ") + X509_verify_cert_error_string(verified);
  }
  return Result::kFailed;
}

void TlsStream::BeginTurn(std::string_view arrived, size_t receive) {
  may_receive_ = receive;
  if (kept_.empty()) {
    fed_ = arrived;
  } else {
    kept_.append(arrived);
    fed_ = kept_;
  }
}

TlsStream::Result TlsStream::Read(char* to, size_t room, size_t* got) {
  *got = 0;
  while (*got < room) {
    size_t more = 0;
    ERR_clear_error();
    const int returned = SSL_read_ex(ssl_, to + *got, room - *got, &more);
    if (returned != 1) return Judge(returned);
    *got += more;
  }
  return Result::kDone;
}

void TlsStream::EndTurn() {
  std::string rest(fed_);
  kept_ = std::move(rest);
  fed_ = kept_;
  may_receive_ = 0;
}

bool TlsStream::Encrypt(const char* data, size_t size, OutputBuffer* to) {
  out_ = to;
  size_t written = 0;
  ERR_clear_error();
  const bool done = SSL_write_ex(ssl_, data, size, &written) == 1 && written == size;
  out_ = &unsent_;
  if (!done) {
    broken_ = true;
    error_ = TakeTlsError();
  }
  return done;
}

void TlsStream::SayGoodbye() {
  if (broken_ || SSL_in_init(ssl_) != 0) return;
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

bool TlsStream::Flush(OutputBuffer* from) {
  constexpr int kVectors = 16;
  while (!from->empty()) {
    iovec vectors[kVectors];
    const auto filled = static_cast<size_t>(from->FillIovec(vectors, kVectors));
    const ssize_t sent = SendVectors(fd_, {vectors, filled});
    if (sent < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    from->Consume(static_cast<size_t>(sent));
  }
  if (from == &unsent_) unsent_.FreeMemory();
  return true;
}

}  // namespace spinel
