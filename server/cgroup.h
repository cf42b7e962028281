// The limits that control groups put on this process, version 1 and 2, own group and ancestors.
//
// Pure functions over files of the kernel; any thread. Groups nest, and the tightest limit on the
// way up counts. What lies above the namespace of a container cannot be seen; the kernel shows the
// container's own group at the root of the mount then.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spinel {

struct CgroupLimit {
  double value = 0;    // CPUs, or bytes; 0: none
  std::string source;  // "cgroup v2, cpu.max of /kubepods/pod1"
};

// `root` stands before /proc and /sys: empty, but for tests. Files that are missing or make no
// sense limit nothing.
CgroupLimit CgroupCpuQuota(const std::string& root = {});
CgroupLimit CgroupCpuset(const std::string& root = {});
CgroupLimit CgroupMemory(const std::string& root = {});

// How many CPUs a list like "0-3,8" names; 0 if it makes no sense.
int CountCpuList(std::string_view list);

}  // namespace spinel
