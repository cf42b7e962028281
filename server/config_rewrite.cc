#include "server/config_rewrite.h"

#include <absl/container/flat_hash_map.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "protocol/ascii.h"
#include "server/config_file.h"

namespace spinel {
namespace {

constexpr mode_t kNewFileMode = 0600;  // it may hold a password

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// The present lines of a file and which options they belong to.
struct OldFile {
  std::vector<std::string> lines;
  absl::flat_hash_map<const ConfigRow*, std::vector<size_t>> lines_of;
  bool has_marker = false;
};

bool IsKeptDirective(std::string_view name) {
  for (std::string_view directive : kFileDirectives) {
    if (EqualsIgnoreCase(directive, name)) return true;
  }
  return FindObsoleteOption(name) != nullptr;
}

OldFile ReadLines(std::string_view text) {
  OldFile file;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = TrimLine(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    file.lines.emplace_back(line);
    if (line.empty() || line[0] == '#') {
      file.has_marker = file.has_marker || line == kRewriteMarker;
      continue;
    }
    auto args = SplitArgs(line);
    if (args && args->empty()) continue;
    const ConfigRow* row = args ? FindConfigRow(args->front()) : nullptr;
    const bool user = args && EqualsIgnoreCase(args->front(), "user");
    if (row != nullptr || user) {
      file.lines_of[row].push_back(file.lines.size() - 1);
    } else if (!args || !IsKeptDirective(args->front())) {
      // Somebody edited the file since the start, and the next start would fail on it.
      file.lines.back() = fmt::format("# ??? {}", line);
    }
  }
  return file;
}

int SyncFolderOf(const std::string& path) {
  size_t slash = path.rfind('/');
  std::string folder =
      slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
  File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.fd() < 0) return errno;
  return ::fsync(file.fd()) == 0 ? 0 : errno;
}

int WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : EIO;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

// Gives the new file the owner and the permissions of the one it replaces.
int CopyAttributes(int fd, const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) return errno;
    return ::fchmod(fd, kNewFileMode) == 0 ? 0 : errno;
  }
  // Only root may give files away; if we may not, the file is ours from now on.
  if (::fchown(fd, info.st_uid, info.st_gid) != 0 && errno != EPERM) return errno;
  return ::fchmod(fd, info.st_mode & 07777) == 0 ? 0 : errno;
}

}  // namespace

std::string RewriteConfigText(std::string_view old_text, const std::vector<RewriteLines>& options) {
  OldFile file = ReadLines(old_text);
  std::vector<std::string> appended;
  std::vector<bool> dropped(file.lines.size(), false);
  for (const RewriteLines& option : options) {
    std::vector<size_t> places;
    if (auto found = file.lines_of.find(option.row); found != file.lines_of.end()) {
      places = found->second;
    }
    // The old lines of the option take the new ones, in order; what is left over goes.
    size_t used = std::min(places.size(), option.lines.size());
    for (size_t i = 0; i < used; ++i) file.lines[places[i]] = option.lines[i];
    for (size_t i = used; i < places.size(); ++i) dropped[places[i]] = true;
    if (!option.append) continue;
    appended.insert(appended.end(), option.lines.begin() + static_cast<std::ptrdiff_t>(used),
                    option.lines.end());
  }
  std::string text;
  for (size_t i = 0; i < file.lines.size(); ++i) {
    if (dropped[i]) continue;
    text += file.lines[i];
    text += '\n';
  }
  if (!appended.empty() && !file.has_marker) {
    text += kRewriteMarker;
    text += '\n';
  }
  for (const std::string& line : appended) {
    text += line;
    text += '\n';
  }
  return text;
}

int ReplaceFile(const std::string& path, std::string_view text) {
  std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (real == nullptr && errno != ENOENT) return errno;
  const std::string target = real != nullptr ? real.get() : path;
  std::string temporary = target + ".XXXXXX";
  File file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.fd() < 0) return errno;

  int error = WriteAll(file.fd(), text);
  if (error == 0) error = CopyAttributes(file.fd(), target);
  if (error == 0 && ::fsync(file.fd()) != 0) error = errno;
  if (error == 0 && std::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return error;
  }
  return SyncFolderOf(target);
}

int ReadConfigFile(const std::string& path, std::string* text) {
  text->clear();
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) return errno == ENOENT ? 0 : errno;
  return ReadConfigText(file.fd(), text);
}

}  // namespace spinel
