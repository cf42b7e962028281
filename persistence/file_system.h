// What a snapshot asks of the operating system: a seam at which tests let things fail.
//
// Owner: whoever passes it on; the real one is everybody's. Threads: as the calls it stands for.
// Every call answers what its namesake in POSIX does, with errno.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace spinel {

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // The one of the operating system.
  static FileSystem* Real();

  // A new file, or an empty one in place of the old one, to be written.
  virtual int Create(const std::string& path);
  virtual ssize_t Write(int fd, const char* data, size_t size);
  // Has the kernel begin to write these bytes to the device, and waits until it has written all
  // that is before them.
  virtual int WriteBack(int fd, uint64_t offset, uint64_t bytes);
  virtual int Sync(int fd);
  virtual int SyncFolder(const std::string& folder);
  virtual int Close(int fd);
  virtual int Rename(const std::string& from, const std::string& to);
  virtual int Remove(const std::string& path);
};

}  // namespace spinel
