#include "server/cgroup.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "server/host_resources.h"
#include "tests/server/config_test_support.h"

namespace spinel {
namespace {

// A file system with nothing but what a kernel says of control groups.
class FakeKernel {
 public:
  const std::string& root() const { return folder_.path(); }
  void Write(const std::string& path, std::string_view text) {
    std::filesystem::create_directories(std::filesystem::path(folder_.Path(path)).parent_path());
    folder_.Write(path, text);
  }
  // The process's groups, as /proc/self/cgroup has them, and what is mounted.
  void Process(std::string_view groups, std::string_view mounts) {
    Write("proc/self/cgroup", groups);
    Write("proc/self/mountinfo", mounts);
  }

 private:
  TemporaryFolder folder_;
};

constexpr std::string_view kV2Mount =
    "25 20 0:22 / /sys rw - sysfs sysfs rw\n"
    "30 25 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr std::string_view kV1Mounts =
    "31 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "34 30 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "35 30 0:32 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n";
constexpr int64_t kMb = 1024 * 1024;
constexpr int64_t kPhysical = 16384 * kMb;

}  // namespace

TEST_CASE("Control groups: none") {
  FakeKernel kernel;
  CHECK(DecideCpus(8, 8, kernel.root()).count == 8);
  CHECK(DecideCpus(8, 8, kernel.root()).reason == "all there are");
  CHECK(DecideCpus(8, 3, kernel.root()).reason == "of 8, by CPU affinity");
  const MemoryLimit memory = DecideMemory(kPhysical, kernel.root());
  CHECK(memory.bytes == kPhysical);
  CHECK(memory.source == "physical memory");
  CHECK_FALSE(memory.cgroup);
}

TEST_CASE("Control groups, version 2: of a container with a namespace of its own") {
  FakeKernel kernel;
  kernel.Process("0::/\n", kV2Mount);
  kernel.Write("sys/fs/cgroup/cpu.max", "150000 100000\n");
  kernel.Write("sys/fs/cgroup/memory.max", "536870912\n");
  const UsableCpus cpus = DecideCpus(8, 8, kernel.root());
  CHECK(cpus.count == 2);
  CHECK(cpus.reason == "of 8, by a quota of 1.5 CPUs: cgroup v2, cpu.max of /");
  const MemoryLimit memory = DecideMemory(kPhysical, kernel.root());
  CHECK(memory.bytes == 512 * kMb);
  CHECK(memory.source == "cgroup v2, memory.max of /");
  CHECK(memory.cgroup);
}

TEST_CASE("Control groups, version 2: the tightest ancestor counts") {
  FakeKernel kernel;
  kernel.Process("0::/kubepods/pod1/app\n", kV2Mount);
  kernel.Write("sys/fs/cgroup/kubepods/pod1/app/cpu.max", "max 100000\n");
  kernel.Write("sys/fs/cgroup/kubepods/pod1/cpu.max", "300000 100000\n");
  kernel.Write("sys/fs/cgroup/kubepods/cpu.max", "600000 100000\n");
  kernel.Write("sys/fs/cgroup/kubepods/pod1/app/memory.max", "1073741824\n");
  kernel.Write("sys/fs/cgroup/kubepods/pod1/memory.max", "268435456\n");
  kernel.Write("sys/fs/cgroup/kubepods/memory.max", "max\n");
  CHECK(DecideCpus(8, 8, kernel.root()).count == 3);
  const MemoryLimit memory = DecideMemory(kPhysical, kernel.root());
  CHECK(memory.bytes == 256 * kMb);
  CHECK(memory.source == "cgroup v2, memory.max of /kubepods/pod1");
  kernel.Write("sys/fs/cgroup/kubepods/pod1/app/memory.high", "134217728\n");
  CHECK(DecideMemory(kPhysical, kernel.root()).source ==
        "cgroup v2, memory.high of /kubepods/pod1/app");
}

TEST_CASE("Control groups, version 1: own group, ancestors, and what memory.stat tells of others") {
  FakeKernel kernel;
  kernel.Process("4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n1:name=systemd:/x\n", kV1Mounts);
  kernel.Write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "-1\n");
  kernel.Write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n");
  kernel.Write("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us", "50000\n");
  kernel.Write("sys/fs/cgroup/cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n");
  kernel.Write("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "9223372036854771712\n");
  kernel.Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  const UsableCpus cpus = DecideCpus(8, 8, kernel.root());
  CHECK(cpus.count == 1);
  CHECK(cpus.reason == "of 8, by a quota of 0.5 CPUs: cgroup v1, cpu.cfs_quota_us of /docker");
  CHECK(DecideMemory(kPhysical, kernel.root()).source == "physical memory");
  kernel.Write("sys/fs/cgroup/memory/docker/abc/memory.stat",
               "cache 1\nrss 2\nhierarchical_memory_limit 104857600\nhierarchical_memsw_limit 7\n");
  CHECK(DecideMemory(kPhysical, kernel.root()).bytes == 100 * kMb);
  kernel.Write("sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "52428800\n");
  const MemoryLimit memory = DecideMemory(kPhysical, kernel.root());
  CHECK(memory.bytes == 50 * kMb);
  CHECK(memory.source == "cgroup v1, memory.limit_in_bytes of /docker");
}

TEST_CASE("Control groups, version 1: a container sees its own group at the mount's root") {
  FakeKernel kernel;
  kernel.Process("4:memory:/docker/abc\n",
                 "34 30 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
  kernel.Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "104857600\n");
  CHECK(DecideMemory(kPhysical, kernel.root()).bytes == 100 * kMb);
  // Of a group elsewhere, the mount's root is all that can be seen.
  kernel.Process("4:memory:/../other\n",
                 "34 30 0:31 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
  CHECK(DecideMemory(kPhysical, kernel.root()).bytes == 100 * kMb);
}

TEST_CASE("Control groups: version 1 and 2 side by side") {
  FakeKernel kernel;
  kernel.Process(
      "4:memory:/a\n0::/a\n",
      std::string(kV1Mounts) + "40 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  kernel.Write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "209715200\n");
  kernel.Write("sys/fs/cgroup/unified/a/memory.max", "104857600\n");
  CHECK(DecideMemory(kPhysical, kernel.root()).bytes == 100 * kMb);
}

TEST_CASE("Control groups: cpusets") {
  FakeKernel kernel;
  kernel.Process("0::/a\n", kV2Mount);
  kernel.Write("sys/fs/cgroup/cpuset.cpus.effective", "0-7\n");
  kernel.Write("sys/fs/cgroup/a/cpuset.cpus.effective", "0-1,5\n");
  const UsableCpus cpus = DecideCpus(8, 3, kernel.root());
  CHECK(cpus.count == 3);
  CHECK(cpus.reason == "of 8, by cgroup v2, cpuset.cpus.effective of /a");
  CHECK(DecideCpus(8, 2, kernel.root()).reason == "of 8, by CPU affinity");
  CHECK(CountCpuList("0") == 1);
  CHECK(CountCpuList("0-3,8,10-11") == 7);
  for (const char* wrong : {"", "x", "3-1", "-1", "0-99999999999", "1-", "0-1048576"}) {
    INFO(wrong);
    CHECK(CountCpuList(wrong) == 0);
  }
}

TEST_CASE("Control groups: files that make no sense limit nothing") {
  for (const char* text : {"", "\n", "max", "-5 100000", "0 0", "12x 100000", "100000",
                           "99999999999999999999 100000", "100000 0", "1 2 3", "\xff\xfe"}) {
    INFO(text);
    FakeKernel kernel;
    kernel.Process("0::/\n", kV2Mount);
    kernel.Write("sys/fs/cgroup/cpu.max", text);
    CHECK(DecideCpus(8, 8, kernel.root()).count == 8);
  }
  for (const char* text : {"", "max", "-1", "0", "512m", "99999999999999999999", "1 2"}) {
    INFO(text);
    FakeKernel kernel;
    kernel.Process("0::/\n", kV2Mount);
    kernel.Write("sys/fs/cgroup/memory.max", text);
    CHECK(DecideMemory(kPhysical, kernel.root()).source == "physical memory");
  }
  FakeKernel kernel;
  kernel.Process("garbage\n:\n::\n0::\n", "short line\n - cgroup2\n1 2 3 4 - cgroup2 x y\n");
  CHECK(DecideCpus(8, 8, kernel.root()).count == 8);
  CHECK(DecideMemory(0, kernel.root()).bytes == 0);
}

TEST_CASE("Control groups: the usual places, where nothing tells of mounts") {
  FakeKernel kernel;
  kernel.Write("sys/fs/cgroup/memory.max", "104857600\n");
  CHECK(DecideMemory(kPhysical, kernel.root()).bytes == 100 * kMb);
}

}  // namespace spinel
