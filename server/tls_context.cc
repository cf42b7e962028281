#include "server/tls_context.h"

#include <fmt/format.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "protocol/ascii.h"

namespace spinel {
namespace {

constexpr unsigned char kSessionContext[] = "spinel";

struct FileCloser {
  void operator()(FILE* file) const { std::fclose(file); }
};

// Never lets OpenSSL ask on a terminal.
int GivePassphrase(char* to, int room, int /*for_writing*/, void* passphrase) {
  const auto* text = static_cast<const std::string*>(passphrase);
  const int size = static_cast<int>(std::min<size_t>(text->size(), static_cast<size_t>(room)));
  std::memcpy(to, text->data(), static_cast<size_t>(size));
  return size;
}

// Builds a context; each step answers an empty string or what is wrong.
class Builder {
 public:
  Builder(const Config& config, SSL_CTX* context) : config_(config), context_(context) {}

  std::string Build() {
    using Step = std::string (Builder::*)();
    constexpr Step kSteps[] = {&Builder::SetProtocols,   &Builder::SetCiphers,
                               &Builder::SetCertificate, &Builder::SetKey,
                               &Builder::SetAuthorities, &Builder::SetDhParameters};
    SetModes();
    for (const Step step : kSteps) {
      if (std::string error = (this->*step)(); !error.empty()) return error;
    }
    SetSessions();
    return {};
  }

 private:
  void SetModes() {
    SSL_CTX_set_options(context_, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    // An idle connection keeps no buffers.
    SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }

  std::string SetProtocols() {
    struct Version {
      std::string_view name;
      int number;
      uint64_t off;
    };
    constexpr Version kVersions[] = {{"TLSv1", TLS1_VERSION, SSL_OP_NO_TLSv1},
                                     {"TLSv1.1", TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
                                     {"TLSv1.2", TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
                                     {"TLSv1.3", TLS1_3_VERSION, SSL_OP_NO_TLSv1_3}};
    SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
    std::string words = config_.tls_protocols();
    std::replace(words.begin(), words.end(), ',', ' ');
    uint64_t off = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3;
    int lowest = 0;
    for (size_t begin = 0; (begin = words.find_first_not_of(' ', begin)) != std::string::npos;) {
      const size_t end = std::min(words.find(' ', begin), words.size());
      const std::string_view word = std::string_view(words).substr(begin, end - begin);
      const auto* version =
          std::find_if(std::begin(kVersions), std::end(kVersions),
                       [&](const auto& v) { return EqualsIgnoreCase(v.name, word); });
      if (version == std::end(kVersions)) {
        return fmt::format(
            "tls-protocols names '{}'. Remedy: any of TLSv1 TLSv1.1 TLSv1.2 TLSv1.3, or nothing.",
            word);
      }
      off &= ~version->off;
      lowest = lowest == 0 ? version->number : std::min(lowest, version->number);
      begin = end;
    }
    if (lowest == 0) return {};
    SSL_CTX_set_options(context_, off);
    SSL_CTX_set_min_proto_version(context_, lowest);
    return {};
  }

  std::string SetCiphers() {
    const std::string ciphers = config_.tls_ciphers();
    if (!ciphers.empty() && SSL_CTX_set_cipher_list(context_, ciphers.c_str()) != 1) {
      return fmt::format("tls-ciphers '{}': {}. Remedy: `openssl ciphers -v` lists what there is.",
                         ciphers, TakeTlsError());
    }
    const std::string suites = config_.tls_ciphersuites();
    if (!suites.empty() && SSL_CTX_set_ciphersuites(context_, suites.c_str()) != 1) {
      return fmt::format(
          "tls-ciphersuites '{}': {}. Remedy: `openssl ciphers -v -tls1_3` lists what there is.",
          suites, TakeTlsError());
    }
    if (config_.tls_prefer_server_ciphers())
      SSL_CTX_set_options(context_, SSL_OP_CIPHER_SERVER_PREFERENCE);
    return {};
  }

  std::string SetCertificate() {
    const std::string path = config_.tls_cert_file();
    if (path.empty()) {
      return "tls-port needs a certificate. Remedy: --tls-cert-file FILE --tls-key-file FILE, both "
             "PEM.";
    }
    if (std::string error = CheckReadable("tls-cert-file", path); !error.empty()) return error;
    if (SSL_CTX_use_certificate_chain_file(context_, path.c_str()) == 1) return {};
    return fmt::format("tls-cert-file {}: {}. Remedy: a certificate in PEM form.", path,
                       TakeTlsError());
  }

  std::string SetKey() {
    const std::string path = config_.tls_key_file();
    if (path.empty()) {
      return "tls-cert-file needs its private key. Remedy: --tls-key-file FILE, PEM.";
    }
    if (std::string error = CheckReadable("tls-key-file", path); !error.empty()) return error;
    std::string passphrase = config_.tls_key_file_pass();
    SSL_CTX_set_default_passwd_cb(context_, GivePassphrase);
    SSL_CTX_set_default_passwd_cb_userdata(context_, &passphrase);
    const bool read = SSL_CTX_use_PrivateKey_file(context_, path.c_str(), SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(context_, nullptr);
    SSL_CTX_set_default_passwd_cb(context_, nullptr);
    if (!read) {
      const unsigned long code = ERR_peek_error();
      if (ERR_GET_LIB(code) == ERR_LIB_X509 && ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH) {
        ERR_clear_error();
        return Mismatch(path);
      }
      return fmt::format(
          "tls-key-file {}: {}. Remedy: a private key in PEM form, and its passphrase, if it has "
          "one, in tls-key-file-pass.",
          path, TakeTlsError());
    }
    if (SSL_CTX_check_private_key(context_) == 1) return {};
    ERR_clear_error();
    return Mismatch(path);
  }

  std::string Mismatch(const std::string& key) {
    return fmt::format(
        "tls-key-file {} is not the key of tls-cert-file {}. Remedy: the two files of one pair.",
        key, config_.tls_cert_file());
  }

  std::string SetAuthorities() {
    const TlsAuthClients auth = config_.tls_auth_clients();
    const std::string file = config_.tls_ca_cert_file();
    const std::string folder = config_.tls_ca_cert_dir();
    if (file.empty() && folder.empty() && auth != TlsAuthClients::kNo) {
      return "tls-auth-clients needs authorities to check clients against. Remedy: "
             "--tls-ca-cert-file FILE or --tls-ca-cert-dir FOLDER, or --tls-auth-clients no.";
    }
    if (!file.empty()) {
      if (std::string error = CheckReadable("tls-ca-cert-file", file); !error.empty()) return error;
      if (SSL_CTX_load_verify_file(context_, file.c_str()) != 1) {
        return fmt::format("tls-ca-cert-file {}: {}. Remedy: certificates in PEM form.", file,
                           TakeTlsError());
      }
    }
    if (!folder.empty()) {
      if (std::string error = CheckFolder(folder); !error.empty()) return error;
      if (SSL_CTX_load_verify_dir(context_, folder.c_str()) != 1)
        return fmt::format("tls-ca-cert-dir {}: {}", folder, TakeTlsError());
    }
    int mode = SSL_VERIFY_NONE;
    if (auth != TlsAuthClients::kNo) mode = SSL_VERIFY_PEER;
    if (auth == TlsAuthClients::kYes) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context_, mode, nullptr);
    return {};
  }

  std::string SetDhParameters() {
    const std::string path = config_.tls_dh_params_file();
    if (path.empty()) {
      SSL_CTX_set_dh_auto(context_, 1);
      return {};
    }
    const std::unique_ptr<FILE, FileCloser> file(std::fopen(path.c_str(), "re"));
    if (file == nullptr) return CannotRead("tls-dh-params-file", path, errno);
    EVP_PKEY* parameters = nullptr;
    OSSL_DECODER_CTX* decoder = OSSL_DECODER_CTX_new_for_pkey(
        &parameters, "PEM", nullptr, "DH", OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS, nullptr, nullptr);
    const bool read = decoder != nullptr && OSSL_DECODER_from_fp(decoder, file.get()) == 1;
    OSSL_DECODER_CTX_free(decoder);
    if (read && SSL_CTX_set0_tmp_dh_pkey(context_, parameters) == 1) return {};
    EVP_PKEY_free(parameters);
    return fmt::format("tls-dh-params-file {}: {}. Remedy: what `openssl dhparam 2048` makes.",
                       path, TakeTlsError());
  }

  void SetSessions() {
    SSL_CTX_set_session_id_context(context_, kSessionContext, sizeof(kSessionContext) - 1);
    if (!config_.tls_session_caching()) {
      SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
      SSL_CTX_set_options(context_, SSL_OP_NO_TICKET);
      SSL_CTX_set_num_tickets(context_, 0);
      return;
    }
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(context_, config_.tls_session_cache_size());
    SSL_CTX_set_timeout(context_, config_.tls_session_cache_timeout());
  }

  static std::string CannotRead(std::string_view option, const std::string& path, int error) {
    return fmt::format("{} {}: {}. Remedy: the path of a file that the server may read.", option,
                       path, std::strerror(error));
  }

  static std::string CheckReadable(std::string_view option, const std::string& path) {
    const std::unique_ptr<FILE, FileCloser> file(std::fopen(path.c_str(), "re"));
    return file == nullptr ? CannotRead(option, path, errno) : std::string();
  }

  static std::string CheckFolder(const std::string& path) {
    struct stat found {};
    int error = 0;
    if (stat(path.c_str(), &found) != 0) {
      error = errno;
    } else if (!S_ISDIR(found.st_mode)) {
      error = ENOTDIR;
    }
    if (error == 0) return {};
    return fmt::format("tls-ca-cert-dir {}: {}. Remedy: a folder that the server may read.", path,
                       std::strerror(error));
  }

  const Config& config_;
  SSL_CTX* const context_;
};

}  // namespace

std::shared_ptr<const TlsContext> TlsContext::Make(const Config& config, std::string* error) {
  ERR_clear_error();
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) {
    *error = "OpenSSL: " + TakeTlsError();
    return nullptr;
  }
  std::shared_ptr<const TlsContext> made(new TlsContext(context));
  *error = Builder(config, context).Build();
  return error->empty() ? made : nullptr;
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

ssl_st* TlsContext::NewSsl() const { return SSL_new(context_); }

std::string TlsFilesState(const Config& config) {
  std::string state;
  for (const std::string& path :
       {config.tls_cert_file(), config.tls_key_file(), config.tls_ca_cert_file(),
        config.tls_ca_cert_dir(), config.tls_dh_params_file()}) {
    struct stat found {};
    if (path.empty()) {
      state += '-';
    } else if (stat(path.c_str(), &found) != 0) {
      state += fmt::format("{}/{}", path, errno);
    } else {
      state += fmt::format("{}/{}/{}/{}/{}.{}", path, found.st_dev, found.st_ino, found.st_size,
                           found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
    }
    state += '\n';
  }
  return state;
}

std::string TakeTlsError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  if (const char* reason = ERR_reason_error_string(code); reason != nullptr) return reason;
  return fmt::format("error {:08x}", code);
}

}  // namespace spinel
