// Helpers of the configuration tests: short forms of Config's calls and a folder for files.
#pragma once

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "server/command_line.h"
#include "server/config.h"
#include "server/config_table.h"

namespace spinel {

inline constexpr int64_t kTestMemoryLimit = int64_t{8} * 1024 * 1024 * 1024;
inline int64_t TestMemoryLimit() { return kTestMemoryLimit; }

// A folder that is gone at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "spinel-config-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = std::filesystem::canonical(name).string();
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string Path(std::string_view name) const { return fmt::format("{}/{}", path_, name); }
  // Writes a file and returns its path.
  std::string Write(std::string_view name, std::string_view text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
    return Path(name);
  }
  std::string Read(std::string_view name) const {
    std::ostringstream text;
    text << std::ifstream(Path(name), std::ios::binary).rdbuf();
    return text.str();
  }

 private:
  std::string path_;
};

// The working folder is the process's: options like `dir` change it for all tests.
class KeepWorkingFolder {
 public:
  ~KeepWorkingFolder() {
    std::error_code ignored;
    std::filesystem::current_path(old_, ignored);
  }

 private:
  std::filesystem::path old_ = std::filesystem::current_path();
};

// CONFIG SET; the error text, or "OK".
inline std::string SetConfig(Config& config, std::initializer_list<std::string_view> args,
                             const ConfigSetContext& context = {}) {
  std::vector<std::string_view> words(args);
  ConfigStatus status = config.Set(words, context);
  return status.ok() ? "OK" : status.error();
}

// CONFIG GET of one name; "(none)" if there is no such option.
inline std::string GetConfig(const Config& config, std::string_view name) {
  return config.GetOne(name).value_or("(none)");
}

// Starts as `spinel args...`; the error text, or "OK".
inline std::string Start(Config& config, std::initializer_list<const char*> args,
                         const char* program = "spinel") {
  std::vector<const char*> argv{program};
  argv.insert(argv.end(), args.begin(), args.end());
  CommandLine line;
  ConfigStatus status = ParseCommandLine(argv, &line);
  if (status.ok()) status = LoadConfig(line, &config);
  return status.ok() ? "OK" : status.error();
}

}  // namespace spinel
