#include "server/daemon.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "server/config.h"
#include "server/log.h"

namespace spinel {

std::string Daemonize(const Config& config) {
  const bool supervised =
      config.supervised() != Supervised::kNo && getenv("NOTIFY_SOCKET") != nullptr;
  if (!config.daemonize() || supervised) return {};
  const pid_t child = fork();
  if (child < 0) return fmt::format("Can't go to the background: {}", std::strerror(errno));
  if (child > 0) _exit(0);
  setsid();
  const int null = open("/dev/null", O_RDWR);
  if (null < 0) return fmt::format("Can't open /dev/null: {}", std::strerror(errno));
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  if (null > STDERR_FILENO) close(null);
  return {};
}

void NotifySupervisor(const Config& config) {
  if (config.supervised() == Supervised::kNo) return;
  const char* path = getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path == nullptr || std::strlen(path) >= sizeof(address.sun_path)) return;
  std::memcpy(address.sun_path, path, std::strlen(path));
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  constexpr char kReady[] = "READY=1\nSTATUS=Ready to accept connections\n";
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  if (sendto(fd, kReady, sizeof(kReady) - 1, MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
             size) < 0) {
    LogWarning("Can't notify the supervisor: {}", std::strerror(errno));
  }
  close(fd);
}

PidFile::PidFile(const Config& config) {
  std::string path = config.pidfile();
  if (path.empty() && config.daemonize()) path = "/var/run/spinel.pid";
  if (path.empty()) return;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const std::string text = fmt::format("{}\n", getpid());
  if (fd < 0 || write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    LogWarning("Can't write the pid file '{}': {}", path, std::strerror(errno));
  } else {
    path_ = path;
  }
  if (fd >= 0) close(fd);
}

PidFile::~PidFile() {
  if (!path_.empty()) unlink(path_.c_str());
}

}  // namespace spinel
