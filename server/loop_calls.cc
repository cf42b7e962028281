#include "server/loop_calls.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace spinel {

struct LoopCalls::Call {
  explicit Call(boost::asio::io_context* io) : timer(*io) {}

  boost::asio::steady_timer timer;
  Done done;
};

LoopCalls::LoopCalls(boost::asio::io_context* io, Server* server)
    : io_(io), server_(server), link_(std::make_shared<Link>()) {
  MutexLock lock(&link_->mutex);
  link_->calls = this;
}

LoopCalls::~LoopCalls() {
  MutexLock lock(&link_->mutex);
  link_->calls = nullptr;
}

void LoopCalls::Run(Work work, std::chrono::milliseconds timeout, Done done) {
  if (under_way_ >= kMost) return done(std::nullopt);
  ++under_way_;
  const uint64_t id = next_id_++;
  auto& call = calls_[id] = std::make_unique<Call>(io_);
  call->done = std::move(done);
  call->timer.expires_after(timeout);
  call->timer.async_wait([this, id](const boost::system::error_code& error) {
    if (!error) Finish(id, std::nullopt);
  });
  Runtime& runtime = server_->runtime();
  const int loop = static_cast<int>(id % static_cast<uint64_t>(runtime.loops()));
  runtime.Post(loop, [link = link_, &runtime, loop, id, work = std::move(work)] {
    std::string result = work(&runtime.loop(loop));
    MutexLock lock(&link->mutex);
    LoopCalls* const calls = link->calls;
    if (calls == nullptr) return;
    boost::asio::post(*calls->io_, [calls, id, result = std::move(result)]() mutable {
      --calls->under_way_;
      calls->Finish(id, std::move(result));
    });
  });
}

// After a time-out the result may still come: then nobody waits for it.
void LoopCalls::Finish(uint64_t id, std::optional<std::string> result) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const Done done = std::move(found->second->done);
  calls_.erase(found);
  done(std::move(result));
}

}  // namespace spinel
