#include "server/shutdown.h"

#include "server/config_types.h"
#include "server/log.h"
#include "server/loop_state.h"
#include "server/saver.h"
#include "server/server.h"

namespace spinel {

// What is half loaded must not replace the file that it comes from.
bool ShutdownSequence::Wants(const ShutdownRequest& request) const {
  if (request.nosave || server_->Has(Trouble::kLoading)) return false;
  return request.save || !server_->config().save_points().empty();
}

void ShutdownSequence::StopNow() {
  stops_.store(true);
  server_->runtime().Shutdown();
}

bool ShutdownSequence::SaveAll(const ShutdownRequest& request, int loop, int64_t now_ms) {
  LogNotice("Saving the final snapshot before exiting.");
  server_->pause().Freeze();
  std::string error = "another loop waits for this one";
  // A write that another loop is in the middle of is answered yet, and so belongs into the file.
  bool saved = server_->WaitForLoops(loop);
  if (saved) {
    server_->saver().CancelAndWait();
    Saver::Begun begun = server_->saver().Save(now_ms, &error);
    if (begun == Saver::Begun::kBusy) error = "a SAVE is under way";
    saved = begun == Saver::Begun::kYes;
  }
  if (saved && !aborted_.load()) return true;
  if (aborted_.load()) {
    LogNotice("Shutdown manually aborted.");
  } else if (request.force) {
    LogWarning("Error trying to save the data, exiting nevertheless: {}", error);
    return true;
  } else {
    LogWarning("Error trying to save the data, can't exit: {}", error);
  }
  server_->pause().Thaw();
  return false;
}

bool ShutdownSequence::Run(const ShutdownRequest& request, int loop, int64_t now_ms) {
  // Whoever does not care for the data need not wait for somebody who does.
  if (!Wants(request)) {
    server_->saver().Abort();
    StopNow();
    return true;
  }
  if (active_.exchange(true)) return false;
  aborted_.store(false);
  const bool saved = SaveAll(request, loop, now_ms);
  if (saved) StopNow();
  active_.store(false);
  return saved;
}

void ShutdownSequence::OnSignal(bool interrupt) {
  LogWarning("Received {} scheduling shutdown...", interrupt ? "SIGINT" : "SIGTERM");
  if (active_.load() && interrupt) {
    LogWarning("You insist... exiting now.");
    aborted_.store(true);
    server_->saver().Abort();
    return StopNow();
  }
  const Config& config = server_->config();
  const int64_t flags = interrupt ? config.shutdown_on_sigint() : config.shutdown_on_sigterm();
  ShutdownRequest request;
  request.save = (flags & kShutdownSave) != 0;
  request.nosave = (flags & kShutdownNosave) != 0;
  request.force = (flags & kShutdownForce) != 0;
  // Nothing to save: no loop is asked, which may be busy.
  if (!Wants(request)) return StopNow();
  constexpr int kLoop = 0;
  server_->runtime().Post(
      kLoop, [this, request] { Run(request, kLoop, server_->runtime().loop(kLoop).op.now_ms); });
}

bool ShutdownSequence::Abort() {
  if (!active_.load()) return false;
  aborted_.store(true);
  server_->saver().Abort();
  return true;
}

}  // namespace spinel
