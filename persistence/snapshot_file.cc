#include "persistence/snapshot_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "persistence/crc64.h"

namespace spinel {
namespace {

constexpr uint64_t kWriteBackBytes = 4 * 1024 * 1024;

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string RemedyFor(int error, const std::string& folder) {
  constexpr const char* kElsewhere = "or point `dir` elsewhere";
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return fmt::format("free space on the volume of {} {}", folder, kElsewhere);
    case EACCES:
    case EPERM:
      return fmt::format("give this process's user the right to write to {} {}", folder,
                         kElsewhere);
    case EROFS:
      return fmt::format("mount the volume of {} writable {}", folder, kElsewhere);
    case ENOENT:
    case ENOTDIR:
      return fmt::format("create the folder {} {}", folder, kElsewhere);
    case EISDIR:
    case ENOTEMPTY:
      return "there is a folder of that name: remove it or set `dbfilename` to another";
    case EFBIG:
      return "raise the limit for the size of files (ulimit -f)";
    case EMFILE:
    case ENFILE:
      return "raise the limit for open files (ulimit -n)";
    case EIO:
      return fmt::format("look into the kernel's log for what is wrong with the volume of {} {}",
                         folder, kElsewhere);
    default:
      return fmt::format("look at the volume of {} {}", folder, kElsewhere);
  }
}

}  // namespace

SnapshotFile::SnapshotFile(const Options& options)
    : options_(options),
      folder_(FolderOf(options.path)),
      temporary_(fmt::format("{}/temp-{}.rdb", folder_, ::getpid())),
      buffer_(new char[kMaxReserve]) {
  begin_ = at_ = buffer_.get();
  end_ = begin_ + kMaxReserve;
}

SnapshotFile::~SnapshotFile() { Abandon(); }

void SnapshotFile::Fail(const char* what, const std::string& path, int error) {
  if (!status_.ok()) return;
  status_ =
      Status::Error(fmt::format("cannot {} {}: {}: {}", what, path,
                                std::generic_category().message(error), RemedyFor(error, folder_)));
}

Status SnapshotFile::Open() {
  fd_ = options_.files->Create(temporary_);
  if (fd_ < 0) Fail("create", temporary_, errno);
  return status_;
}

void SnapshotFile::Abandon() {
  if (fd_ < 0) return;
  options_.files->Close(fd_);
  options_.files->Remove(temporary_);
  fd_ = -1;
}

Status SnapshotFile::Finish() {
  Flush();
  if (status_.ok() && options_.files->Sync(fd_) != 0) Fail("sync", temporary_, errno);
  if (!status_.ok()) {
    Abandon();
    return status_;
  }
  const int closed = options_.files->Close(fd_);
  fd_ = -1;
  if (closed != 0) {
    Fail("close", temporary_, errno);
  } else if (options_.files->Rename(temporary_, options_.path) != 0) {
    Fail("rename the new snapshot to", options_.path, errno);
  } else {
    if (options_.files->SyncFolder(folder_) != 0) Fail("sync the folder of", options_.path, errno);
    return status_;
  }
  options_.files->Remove(temporary_);
  return status_;
}

uint64_t SnapshotFile::Checksum() {
  if (!options_.checksum) return 0;
  return Crc64(crc_, {begin_, static_cast<size_t>(at_ - begin_)});
}

void SnapshotFile::MakeRoom(size_t bytes) { Flush(); }

void SnapshotFile::WriteSlowly(std::string_view bytes) {
  Flush();
  if (bytes.size() >= kMaxReserve) return WriteOut(bytes);
  std::memcpy(at_, bytes.data(), bytes.size());
  at_ += bytes.size();
}

void SnapshotFile::Flush() {
  WriteOut({begin_, static_cast<size_t>(at_ - begin_)});
  at_ = begin_;
}

void SnapshotFile::WriteOut(std::string_view bytes) {
  passed_on_ += bytes.size();
  if (!status_.ok() || fd_ < 0) return;
  if (options_.checksum) crc_ = Crc64(crc_, bytes);
  while (!bytes.empty()) {
    const ssize_t count = options_.files->Write(fd_, bytes.data(), bytes.size());
    if (count < 0) {
      if (errno == EINTR) continue;
      return Fail("write", temporary_, errno);
    }
    // Not what POSIX has regular files do, but no reason to spin.
    if (count == 0) return Fail("write", temporary_, EIO);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  if (options_.incremental_fsync && passed_on_ - written_back_ >= kWriteBackBytes) WriteBack();
}

void SnapshotFile::WriteBack() {
  const uint64_t bytes = passed_on_ - written_back_;
  if (options_.files->WriteBack(fd_, written_back_, bytes) != 0 && errno != ENOSYS &&
      errno != EINVAL && errno != ESPIPE) {
    return Fail("write", temporary_, errno);
  }
  written_back_ = passed_on_;
}

}  // namespace spinel
