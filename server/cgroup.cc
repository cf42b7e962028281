#include "server/cgroup.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

namespace spinel {
namespace {

constexpr int64_t kMaxCpus = 1 << 20;  // more than Linux knows; counts beyond are nonsense

// A group of one hierarchy, as a folder that can be read.
struct Group {
  int version = 2;
  std::string folder;
  std::string path;  // for messages, "/" at the root of what can be seen
};

std::vector<std::string> Words(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> words;
  for (std::string word; words.size() < 256 && file >> word;) words.push_back(word);
  return words;
}

std::optional<int64_t> Number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// One comma-separated word of a list?
bool Lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(','), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// The process's path in the hierarchy of a v1 controller, or in the v2 hierarchy.
std::optional<std::string> OwnPath(const std::string& root, int version,
                                   std::string_view controller) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    // "4:memory:/docker/1234", "0::/user.slice"
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view names = std::string_view(line).substr(first + 1, second - first - 1);
    if (version == 2 ? names.empty() : Lists(names, controller)) return line.substr(second + 1);
  }
  return std::nullopt;
}

// Where the group of path `own` is in a mount that shows the hierarchy from `mounted` on.
std::string BelowMount(const std::string& own, const std::string& mounted) {
  // Outside of what is mounted, as ".." or another container's: the mount's root is what there is.
  if (own.find("/..") != std::string::npos) return "/";
  if (mounted == "/") return own;
  if (own == mounted || !own.starts_with(mounted + "/")) return "/";
  return own.substr(mounted.size());
}

// The group and its ancestors, as far as they are mounted.
void AddChain(const std::string& mount, int version, std::string path, std::vector<Group>* groups) {
  for (;;) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    groups->push_back({version, path == "/" ? mount : mount + path, path});
    if (path == "/" || path.empty()) return;
    const size_t slash = path.rfind('/');
    path = slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
  }
}

// All groups whose limits on `controller` hold for this process.
std::vector<Group> Groups(const std::string& root, std::string_view controller) {
  std::vector<Group> groups;
  std::ifstream mounts(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    // ID PARENT DEVICE ROOT MOUNT OPTIONS [FIELDS...] - TYPE SOURCE SUPER-OPTIONS
    std::istringstream words(line);
    std::string id, parent, device, mounted, mount, word, type, source, options;
    words >> id >> parent >> device >> mounted >> mount;
    while (words >> word && word != "-") {
    }
    words >> type >> source >> options;
    if (type != "cgroup2" && !(type == "cgroup" && Lists(options, controller))) continue;
    const int version = type == "cgroup2" ? 2 : 1;
    const std::optional<std::string> own = OwnPath(root, version, controller);
    if (own) AddChain(root + mount, version, BelowMount(*own, mounted), &groups);
  }
  if (!groups.empty()) return groups;
  // Without mountinfo: where they usually are, whichever version it is.
  AddChain(root + "/sys/fs/cgroup", 2, OwnPath(root, 2, controller).value_or("/"), &groups);
  AddChain(fmt::format("{}/sys/fs/cgroup/{}", root, controller), 1,
           OwnPath(root, 1, controller).value_or("/"), &groups);
  return groups;
}

void Tighten(CgroupLimit* limit, double value, const Group& group, std::string_view file) {
  if (value <= 0 || (limit->value > 0 && limit->value <= value)) return;
  *limit = {value, fmt::format("cgroup v{}, {} of {}", group.version, file, group.path)};
}

void TightenBytes(CgroupLimit* limit, const Group& group, const char* file) {
  const std::vector<std::string> words = Words(fmt::format("{}/{}", group.folder, file));
  if (words.size() != 1) return;
  const std::optional<int64_t> bytes = Number(words[0]);  // "max" is none
  if (bytes) Tighten(limit, static_cast<double>(*bytes), group, file);
}

}  // namespace

int CountCpuList(std::string_view list) {
  int64_t count = 0;
  while (!list.empty()) {
    const size_t end = std::min(list.find(','), list.size());
    const std::string_view range = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    const size_t dash = range.find('-');
    const std::optional<int64_t> low = Number(range.substr(0, dash));
    const std::optional<int64_t> high =
        dash == std::string_view::npos ? low : Number(range.substr(dash + 1));
    if (!low || !high || *low < 0 || *high < *low || *high >= kMaxCpus) return 0;
    count += *high - *low + 1;
    if (count > kMaxCpus) return 0;
  }
  return static_cast<int>(count);
}

CgroupLimit CgroupCpuQuota(const std::string& root) {
  CgroupLimit limit;
  for (const Group& group : Groups(root, "cpu")) {
    std::vector<std::string> words;
    const char* file = group.version == 2 ? "cpu.max" : "cpu.cfs_quota_us";
    words = Words(fmt::format("{}/{}", group.folder, file));
    if (group.version == 1) {
      for (const std::string& word : Words(group.folder + "/cpu.cfs_period_us")) {
        words.push_back(word);
      }
    }
    if (words.size() != 2) continue;
    const std::optional<int64_t> quota = Number(words[0]);  // "max" and -1 are none
    const std::optional<int64_t> period = Number(words[1]);
    if (!quota || !period || *quota <= 0 || *period <= 0) continue;
    Tighten(&limit, static_cast<double>(*quota) / static_cast<double>(*period), group, file);
  }
  return limit;
}

CgroupLimit CgroupCpuset(const std::string& root) {
  CgroupLimit limit;
  for (const Group& group : Groups(root, "cpuset")) {
    // Without the controller a group has no such file, and its parent's counts.
    const char* file = group.version == 2 ? "cpuset.cpus.effective" : "cpuset.effective_cpus";
    const std::vector<std::string> words = Words(fmt::format("{}/{}", group.folder, file));
    if (words.size() == 1) Tighten(&limit, CountCpuList(words[0]), group, file);
  }
  return limit;
}

CgroupLimit CgroupMemory(const std::string& root) {
  CgroupLimit limit;
  for (const Group& group : Groups(root, "memory")) {
    if (group.version == 2) {
      TightenBytes(&limit, group, "memory.max");
      TightenBytes(&limit, group, "memory.high");  // beyond it the kernel slows the process down
    } else {
      TightenBytes(&limit, group, "memory.limit_in_bytes");
      // Of ancestors too that are not mounted here.
      const std::vector<std::string> words = Words(group.folder + "/memory.stat");
      for (size_t i = 0; i + 1 < words.size(); ++i) {
        if (words[i] != "hierarchical_memory_limit") continue;
        const std::optional<int64_t> bytes = Number(words[i + 1]);
        if (bytes) Tighten(&limit, static_cast<double>(*bytes), group, words[i]);
      }
    }
  }
  return limit;
}

}  // namespace spinel
