#include "persistence/file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace spinel {

FileSystem* FileSystem::Real() {
  static FileSystem real;
  return &real;
}

int FileSystem::Create(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

ssize_t FileSystem::Write(int fd, const char* data, size_t size) { return ::write(fd, data, size); }

int FileSystem::WriteBack(int fd, uint64_t offset, uint64_t bytes) {
  const auto begin = static_cast<off_t>(offset);
  // What was begun by the last call has had the time in between.
  if (offset > 0 && ::sync_file_range(fd, 0, begin, SYNC_FILE_RANGE_WAIT_BEFORE) != 0) return -1;
  return ::sync_file_range(fd, begin, static_cast<off_t>(bytes), SYNC_FILE_RANGE_WRITE);
}

int FileSystem::Sync(int fd) { return ::fsync(fd); }

int FileSystem::SyncFolder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -1;
  const int result = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  errno = error;
  // Some file systems have no such thing, and need none.
  return result != 0 && (error == EINVAL || error == EROFS) ? 0 : result;
}

int FileSystem::Close(int fd) { return ::close(fd); }

int FileSystem::Rename(const std::string& from, const std::string& to) {
  return ::rename(from.c_str(), to.c_str());
}

int FileSystem::Remove(const std::string& path) { return ::unlink(path.c_str()); }

}  // namespace spinel
