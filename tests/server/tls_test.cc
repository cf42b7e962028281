// TLS without a server: contexts made of files, and a stream against a client of OpenSSL's on the
// other end of a pair of sockets.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "server/tls_context.h"
#include "server/tls_stream.h"
#include "tests/server/config_test_support.h"

namespace spinel {
namespace {

std::string TakeText(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

// Writes NAME.pem and NAME.key, signed by itself.
void WritePair(const TemporaryFolder& folder, const std::string& name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  BIO* text = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(text, certificate);
  folder.Write(name + ".pem", TakeText(text));
  text = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(text, key, nullptr, nullptr, 0, nullptr, nullptr);
  folder.Write(name + ".key", TakeText(text));
  X509_free(certificate);
  EVP_PKEY_free(key);
}

struct TlsFixture {
  TlsFixture() {
    WritePair(folder, "a");
    WritePair(folder, "b");
    Set("tls-auth-clients", "no");
    Set("tls-cert-file", folder.Path("a.pem"));
    Set("tls-key-file", folder.Path("a.key"));
  }
  void Set(std::string_view name, std::string_view value) {
    REQUIRE(SetConfig(config, {name, value}) == "OK");
  }
  // What Make complains about; empty: nothing.
  std::string Complaint() {
    std::string error;
    const bool made = TlsContext::Make(config, &error) != nullptr;
    CHECK(made == error.empty());
    return error;
  }

  TemporaryFolder folder;
  Config config;
};

// Both ends of one connection; the client's is OpenSSL's own.
struct TlsPair {
  explicit TlsPair(const Config& config) {
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    std::string error;
    const auto context = TlsContext::Make(config, &error);
    REQUIRE(context != nullptr);
    server = TlsStream::Make(*context, fds[0]);
    REQUIRE(server != nullptr);
    client_context = SSL_CTX_new(TLS_client_method());
    client = SSL_new(client_context);
    SSL_set_fd(client, fds[1]);
    SSL_set_connect_state(client);
  }
  ~TlsPair() {
    SSL_free(client);
    SSL_CTX_free(client_context);
    close(fds[0]);
    close(fds[1]);
  }
  void ShakeHands() {
    TlsStream::Result result = TlsStream::Result::kRetry;
    for (int i = 0; i < 10 && result == TlsStream::Result::kRetry; ++i) {
      SSL_do_handshake(client);
      server->BeginTurn({}, 65536);
      result = server->Handshake();
      server->EndTurn();
      REQUIRE(server->Flush(&server->unsent()));
    }
    REQUIRE(result == TlsStream::Result::kDone);
    REQUIRE(SSL_do_handshake(client) == 1);
  }
  void Say(std::string_view text) {
    REQUIRE(SSL_write(client, text.data(), static_cast<int>(text.size())) ==
            static_cast<int>(text.size()));
  }
  // The ciphertext that has arrived, taken off the socket.
  std::string Arrived() {
    std::string bytes(1 << 17, '\0');
    const ssize_t got = recv(fds[0], bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return bytes;
  }
  std::string Read(size_t room, TlsStream::Result expected) {
    std::string plain(room, '\0');
    size_t got = 0;
    CHECK(server->Read(plain.data(), room, &got) == expected);
    plain.resize(got);
    return plain;
  }

  int fds[2] = {-1, -1};
  std::unique_ptr<TlsStream> server;
  SSL_CTX* client_context = nullptr;
  SSL* client = nullptr;
};

}  // namespace

TEST_CASE_METHOD(TlsFixture, "TLS context: says what is wrong and what helps") {
  using Catch::Contains;
  CHECK(Complaint().empty());
  Set("tls-key-file", folder.Path("b.key"));
  CHECK_THAT(Complaint(), Contains("is not the key of") && Contains("Remedy"));
  Set("tls-key-file", folder.Path("none.key"));
  CHECK_THAT(Complaint(), Contains("No such file") && Contains("Remedy"));
  Set("tls-key-file", folder.Path("a.pem"));
  CHECK_THAT(Complaint(), Contains("tls-key-file") && Contains("Remedy"));
  Set("tls-key-file", "");
  CHECK_THAT(Complaint(), Contains("--tls-key-file FILE"));
  Set("tls-key-file", folder.Path("a.key"));
  Set("tls-auth-clients", "yes");
  CHECK_THAT(Complaint(), Contains("--tls-auth-clients no"));
  Set("tls-ca-cert-file", folder.Path("a.pem"));
  CHECK(Complaint().empty());
  Set("tls-protocols", "TLSv1.2,tlsv1.3");
  CHECK(Complaint().empty());
  Set("tls-protocols", "SSLv3");
  CHECK_THAT(Complaint(), Contains("tls-protocols names 'SSLv3'"));
}

TEST_CASE_METHOD(TlsFixture, "TLS context: a change of a file's contents changes the state") {
  const std::string before = TlsFilesState(config);
  CHECK(TlsFilesState(config) == before);
  folder.Write("new", folder.Read("b.pem"));
  std::filesystem::rename(folder.Path("new"), folder.Path("a.pem"));
  CHECK(TlsFilesState(config) != before);
}

TEST_CASE_METHOD(TlsFixture, "TLS stream: what is fed in pieces comes out whole") {
  TlsPair pair(config);
  pair.ShakeHands();
  const std::string said(40'000, 'x');
  pair.Say(said);
  const std::string arrived = pair.Arrived();
  std::string heard;
  for (size_t at = 0; at < arrived.size(); at += 999) {
    pair.server->BeginTurn(std::string_view(arrived).substr(at, 999), 0);
    heard += pair.Read(said.size() + 1, TlsStream::Result::kRetry);
    pair.server->EndTurn();
  }
  CHECK(heard == said);
}

TEST_CASE_METHOD(TlsFixture, "TLS stream: what is not read in one turn is kept for the next") {
  TlsPair pair(config);
  pair.ShakeHands();
  const std::string said(60'000, 'y');
  pair.Say(said);
  {
    const std::string arrived = pair.Arrived();
    pair.server->BeginTurn(arrived, 0);
    CHECK(pair.Read(100, TlsStream::Result::kDone) == said.substr(0, 100));
    pair.server->EndTurn();
  }
  pair.Say("z");
  const std::string arrived = pair.Arrived();
  pair.server->BeginTurn(arrived, 0);
  CHECK(pair.Read(100'000, TlsStream::Result::kRetry) == said.substr(100) + "z");
  pair.server->EndTurn();
}

TEST_CASE_METHOD(TlsFixture, "TLS stream: encrypts into a buffer, and says goodbye") {
  TlsPair pair(config);
  pair.ShakeHands();
  OutputBuffer encrypted;
  REQUIRE(pair.server->Encrypt("hello", 5, &encrypted));
  CHECK_FALSE(pair.server->owes());
  REQUIRE(pair.server->Flush(&encrypted));
  CHECK(encrypted.empty());
  char heard[16] = "";
  CHECK(SSL_read(pair.client, heard, sizeof(heard)) == 5);
  CHECK(std::string_view(heard, 5) == "hello");
  pair.server->SayGoodbye();
  REQUIRE(pair.server->owes());
  REQUIRE(pair.server->Flush(&pair.server->unsent()));
  const int end = SSL_read(pair.client, heard, sizeof(heard));
  CHECK(SSL_get_error(pair.client, end) == SSL_ERROR_ZERO_RETURN);
}

TEST_CASE_METHOD(TlsFixture, "TLS stream: garbage is a failure, the end of the socket an end") {
  TlsPair pair(config);
  pair.ShakeHands();
  SECTION("garbage") {
    const std::string record = std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, '\0');
    pair.server->BeginTurn(record, 0);
    pair.Read(100, TlsStream::Result::kFailed);
    CHECK_FALSE(pair.server->error().empty());
  }
  SECTION("the end") {
    shutdown(pair.fds[1], SHUT_RDWR);
    pair.server->BeginTurn({}, 65536);
    pair.Read(100, TlsStream::Result::kClosed);
  }
}

}  // namespace spinel
