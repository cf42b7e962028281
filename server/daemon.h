// What ties a process to its host: daemonize, pid file, supervisor.
#pragma once

#include <string>

namespace spinel {

class Config;

// Goes to the background if the configuration says so. An empty return: done; else why not.
std::string Daemonize(const Config& config);

// Tells systemd that the server is ready, where `supervised` says so.
void NotifySupervisor(const Config& config);

// Writes the pid file, if there is to be one, and removes it at the end.
class PidFile {
 public:
  explicit PidFile(const Config& config);
  ~PidFile();
  PidFile(const PidFile&) = delete;
  PidFile& operator=(const PidFile&) = delete;

 private:
  std::string path_;
};

}  // namespace spinel
