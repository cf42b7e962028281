// The file of a snapshot: written under a temporary name beside the target, and renamed to it once
// it is on the device, so that the target is always a whole file.
//
//   SnapshotFile file(options);
//   Status status = file.Open();  ... write ...  status = file.Finish();
//
// After an error nothing more is written, and the temporary file is removed by the destructor at
// the latest. Owner and threads: one thread at a time.
#pragma once

#include <string>

#include "persistence/byte_sink.h"
#include "persistence/file_system.h"
#include "persistence/status.h"

namespace spinel {

class SnapshotFile final : public ByteSink {
 public:
  struct Options {
    std::string path;
    bool checksum = true;
    bool incremental_fsync = true;  // the kernel writes every few MB, not everything at the end
    FileSystem* files = FileSystem::Real();
  };

  explicit SnapshotFile(const Options& options);
  ~SnapshotFile() override;

  // Errors name the file, the cause and the remedy.
  Status Open();
  // Everything to the device, the name to the file, and the folder to the device.
  Status Finish();
  // Gives up: removes the temporary file.
  void Abandon();
  // The first error, if there was one.
  const Status& status() const { return status_; }

  bool ok() const override { return status_.ok(); }
  uint64_t Checksum() override;

 private:
  void MakeRoom(size_t bytes) override;
  void WriteSlowly(std::string_view bytes) override;
  void Flush();
  void WriteOut(std::string_view bytes);
  void WriteBack();
  void Fail(const char* what, const std::string& path, int error);

  const Options options_;
  std::string folder_;
  std::string temporary_;
  std::unique_ptr<char[]> buffer_;
  int fd_ = -1;
  uint64_t crc_ = 0;           // of what has been passed on
  uint64_t written_back_ = 0;  // bytes that the kernel was asked to write to the device
  Status status_;
};

}  // namespace spinel
