// What all TLS connections share that are made under one configuration: certificate, key,
// authorities, versions and ciphers. A change of configuration makes a new one; connections keep
// the one that they began with.
//
// Owner: TlsService, and every connection that uses it. Threads: any; it is not changed once made.
#pragma once

#include <memory>
#include <string>

#include "server/config.h"

struct ssl_ctx_st;
struct ssl_st;

namespace spinel {

class TlsContext {
 public:
  // nullptr, and `*error` says in one line what is wrong and what helps.
  static std::shared_ptr<const TlsContext> Make(const Config& config, std::string* error);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // The server's side of a new connection, the caller's to free; nullptr: no memory.
  ssl_st* NewSsl() const;

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

  ssl_ctx_st* const context_;
};

// Tells apart states of the files that a context is made of: by device, inode, size and time of
// change. What cannot be looked at counts as a state too.
std::string TlsFilesState(const Config& config);

// The oldest entry of OpenSSL's queue of errors on this thread, in words; empties the queue.
std::string TakeTlsError();

}  // namespace spinel
