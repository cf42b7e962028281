#include "persistence/snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <string_view>
#include <utility>

#include "persistence/snapshot_impl.h"

namespace spinel {

Snapshot::Snapshot(Store* store, SnapshotOptions options)
    : impl_(std::make_unique<Impl>(store, std::move(options))) {}
Snapshot::~Snapshot() = default;

Status Snapshot::Start() { return impl_->Start(); }
void Snapshot::Wait() { impl_->Wait(); }
void Snapshot::Cancel() { impl_->Cancel(); }
bool Snapshot::running() const { return impl_->running(); }
Snapshot::Progress Snapshot::progress() const { return impl_->progress(); }
Snapshot::Result Snapshot::result() const { return impl_->result(); }
bool Snapshot::Step() { return impl_->Step(); }

namespace {

// Whether this is the name of a temporary file whose process is gone. One with this process's
// number is from a process before it, such as the one that a container has always had.
bool IsStale(std::string_view name) {
  constexpr std::string_view kBegin = "temp-";
  constexpr std::string_view kEnd = ".rdb";
  if (!name.starts_with(kBegin) || !name.ends_with(kEnd)) return false;
  if (name.size() <= kBegin.size() + kEnd.size()) return false;
  const char* const begin = name.data() + kBegin.size();
  const char* const end = name.data() + name.size() - kEnd.size();
  pid_t pid = 0;
  const auto [at, error] = std::from_chars(begin, end, pid);
  if (error != std::errc() || at != end || pid <= 0) return false;
  return pid == ::getpid() || (::kill(pid, 0) != 0 && errno == ESRCH);
}

}  // namespace

size_t RemoveStaleSnapshots(const std::string& folder) {
  DIR* const listing = ::opendir(folder.c_str());
  if (listing == nullptr) return 0;
  size_t removed = 0;
  while (const dirent* const found = ::readdir(listing)) {
    if (!IsStale(found->d_name)) continue;
    if (::unlinkat(::dirfd(listing), found->d_name, 0) == 0) ++removed;
  }
  ::closedir(listing);
  return removed;
}

}  // namespace spinel
