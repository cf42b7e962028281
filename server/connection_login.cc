// The part of a Connection that bounds what a client may take that has not logged in.

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "server/connection.h"
#include "server/event_loop.h"
#include "server/log.h"

namespace spinel {
namespace {

// Of replies, in the kernel and here. What is sent before AUTH has errors of some 40 bytes for an
// answer; HELLO's refusal is the longest.
constexpr size_t kMaxUnread = 64 * 1024;
// Clients need a dozen to introduce themselves. Refusing a wrong password costs as much as ten
// GETs, and a thousand of them in one packet would keep the loop's other clients waiting.
constexpr uint16_t kMaxRequests = 128;

}  // namespace

bool Connection::MustLogIn() const {
  return !session_.authenticated && loop_->server().needs_password();
}

bool Connection::UnreadBeforeLogin() {
  if (!MustLogIn()) return false;
  // The kernel would take megabytes for each client that does not read.
  int queued = 0;
  if (ioctl(socket_.native_handle(), SIOCOUTQ, &queued) != 0) queued = 0;
  const size_t unread = pending_.size() + static_cast<size_t>(queued < 0 ? 0 : queued);
  if (unread < kMaxUnread) return false;
  LogVerbose("Closing client id={} addr={}: it has not logged in and does not read", session_.id,
             session_.origin.address);
  loop_->state().stats.output_limit_disconnections.Add();
  return true;
}

// Requests that are never finished are held, 160 KB each: together no more than the loop has for
// them.
void Connection::AccountBeforeLogin(size_t bytes) {
  size_t& total = loop_->before_login_bytes();
  total -= before_login_bytes_;
  before_login_bytes_ = static_cast<uint32_t>(bytes);
  total += before_login_bytes_;
  if (total <= EventLoop::kMaxBeforeLoginBytes || bytes <= EventLoop::kFreeBeforeLoginBytes) return;
  LogVerbose("Closing client id={} addr={}: clients that have not logged in hold {} bytes",
             session_.id, session_.origin.address, total);
  loop_->state().stats.query_limit_disconnections.Add();
  CloseNow();
}

// `requests` were executed for a client that had not logged in before them.
void Connection::CountBeforeLogin(size_t requests) {
  if (!MustLogIn()) {
    before_login_requests_ = 0;
    return;
  }
  before_login_requests_ = static_cast<uint16_t>(before_login_requests_ + requests);
  if (before_login_requests_ < kMaxRequests || closed_) return;
  LogVerbose("Closing client id={} addr={}: {} requests, and it has not logged in", session_.id,
             session_.origin.address, before_login_requests_);
  closing_ = true;  // once it has been told what was wrong with them
}

}  // namespace spinel
