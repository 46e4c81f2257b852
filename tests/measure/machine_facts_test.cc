#include "measure/machine_facts.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/cgroup_limits.h"
#include "support/temp_directory.h"

namespace weft {
namespace {

// Files of /proc and /sys in a directory of their own.
class SystemFiles : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    root_.write(name, text + "\n");
  }

  // One of two hardware threads of a core, with caches of its own but for level 3.
  void write_cpu(int cpu, const std::string& core) const {
    const std::string path = "sys/devices/system/cpu/cpu" + std::to_string(cpu);
    write(path + "/topology/thread_siblings_list", core);
    write_cache(path + "/cache/index0", "1", "Data", "48K", core);
    write_cache(path + "/cache/index1", "1", "Instruction", "32K", core);
    write_cache(path + "/cache/index2", "2", "Unified", "2M", core);
    write_cache(path + "/cache/index3", "3", "Unified", "32768K", "0-3");
  }

  CgroupLimits limits() const { return read_cgroup_limits(root_.path()); }

  TempDirectory root_;

 private:
  void write_cache(const std::string& path, const std::string& level, const std::string& type,
                   const std::string& size, const std::string& cpus) const {
    write(path + "/level", level);
    write(path + "/type", type);
    write(path + "/size", size);
    write(path + "/shared_cpu_list", cpus);
  }
};

TEST(ParseCpuList, KnowsSinglesAndRanges) {
  EXPECT_EQ(parse_cpu_list("0-2,5"), (std::vector<int>{0, 1, 2, 5}));
  EXPECT_EQ(parse_cpu_list("7"), (std::vector<int>{7}));
  EXPECT_EQ(parse_cpu_list(""), std::vector<int>());
  EXPECT_EQ(parse_cpu_list("x,-3,4-2,0-99999999,1"), (std::vector<int>{1}));
}

TEST(MachineFacts, KnowTheRanksThatTheEnvironmentDescribes) {
  MachineFacts facts;
  EXPECT_EQ(facts.launched().rank, std::nullopt);

  facts.environment = {{"PMI_RANK", "3"}, {"PMI_SIZE", "4"}};

  EXPECT_EQ(facts.launched().rank, 3);
  EXPECT_EQ(facts.launched().ranks, 4);
  EXPECT_EQ(facts.launched().ranks_here, std::nullopt);
}

TEST_F(SystemFiles, TellCoresCachesAndNodesApart) {
  write("sys/devices/system/cpu/online", "0-3");
  for (int cpu = 0; cpu < 4; ++cpu) write_cpu(cpu, cpu < 2 ? "0-1" : "2-3");
  write("sys/devices/system/node/has_memory", "0-1");

  const MachineFacts facts = read_machine_facts(root_.path());

  EXPECT_EQ(facts.cpus, 4);
  EXPECT_EQ(facts.cores, 2);
  EXPECT_EQ(facts.numa_nodes, 2);
  ASSERT_EQ(facts.caches.size(), 3u);
  EXPECT_EQ(facts.caches[0].bytes, size_t{48} << 10);
  EXPECT_EQ(facts.caches[0].count, 2);
  EXPECT_EQ(facts.caches[1].bytes, size_t{2} << 20);
  EXPECT_EQ(facts.caches[2].level, 3);
  EXPECT_EQ(facts.caches[2].count, 1);
}

TEST_F(SystemFiles, TellWhatTheCpuCanDo) {
  write("proc/cpuinfo",
        "processor\t: 0\nmodel name\t: A CPU\nflags\t\t: fpu avx2 avx512f_not avx512_bf16 sse\n"
        "flags of another CPU: amx_bf16");
  write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");
  write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave");
  write("proc/loadavg", "4.57 3.64 3.00 4/97 8597");

  const MachineFacts facts = read_machine_facts(root_.path());

  EXPECT_EQ(facts.cpu, "A CPU");
  EXPECT_TRUE(facts.is_x86);
  EXPECT_EQ(facts.vector_units, (std::vector<std::string>{"AVX2", "AVX512-BF16"}));
  EXPECT_TRUE(facts.has_bf16());
  EXPECT_EQ(facts.huge_pages, "madvise");
  EXPECT_EQ(facts.governor, "powersave");
  EXPECT_EQ(facts.load, 4.57);
}

TEST_F(SystemFiles, ThatAreNotThereLeaveDefaults) {
  const MachineFacts facts = read_machine_facts(root_.path());

  EXPECT_EQ(facts.cpus, 1);
  EXPECT_EQ(facts.cores, 1);
  EXPECT_EQ(facts.numa_nodes, 1);
  EXPECT_TRUE(facts.caches.empty());
  EXPECT_EQ(facts.huge_pages, "unknown");
  EXPECT_FALSE(facts.cpu_quota);
  EXPECT_EQ(facts.memory_bytes, 0u);
}

TEST_F(SystemFiles, OfCgroupsVersion2LimitByTheStrictestGroup) {
  write("proc/self/cgroup", "0::/job/step");
  write("sys/fs/cgroup/job/step/cpu.max", "400000 100000");
  write("sys/fs/cgroup/job/cpu.max", "150000 100000");
  write("sys/fs/cgroup/cpu.max", "max 100000");
  write("sys/fs/cgroup/job/step/memory.max", "max");
  write("sys/fs/cgroup/job/memory.max", "1000");
  write("sys/fs/cgroup/job/memory.current", "700");
  write("sys/fs/cgroup/job/memory.stat", "anon 300\ninactive_file 400\nactive_file 9");

  EXPECT_EQ(limits().cpus, 1.5);
  EXPECT_EQ(limits().memory_bytes, 1000u);
  EXPECT_EQ(limits().memory_left, 700u);
}

TEST_F(SystemFiles, OfCgroupsVersion1LimitToo) {
  write("proc/self/cgroup", "5:cpu,cpuacct:/box\n4:memory:/box\n3:cpuset:/");
  write("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "50000");
  write("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1");
  write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000");
  write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "4096");
  write("sys/fs/cgroup/memory/box/memory.usage_in_bytes", "9999");

  EXPECT_EQ(limits().cpus, 0.5);
  EXPECT_EQ(limits().memory_bytes, 4096u);
  EXPECT_EQ(limits().memory_left, 0u);
}

TEST_F(SystemFiles, OfAContainerThatSeesItsGroupAsTheTopLimitAsWell) {
  write("proc/self/cgroup", "0::/docker/0123");
  write("sys/fs/cgroup/cpu.max", "200000 100000");

  EXPECT_EQ(limits().cpus, 2.);
}

TEST_F(SystemFiles, ThatMakeNoSenseLimitNothing) {
  write("proc/self/cgroup", "nonsense\n0:\n0::/a");
  write("sys/fs/cgroup/a/cpu.max", "100000 0");
  write("sys/fs/cgroup/a/memory.max", "lots");

  EXPECT_FALSE(limits().cpus);
  EXPECT_FALSE(limits().memory_bytes);
}

TEST_F(SystemFiles, BoundTheMemoryOfTheMachineByThatOfTheGroup) {
  write("proc/meminfo", "MemTotal:       1000 kB\nMemAvailable:    900 kB");
  const MachineFacts free = read_machine_facts(root_.path());
  write("proc/self/cgroup", "0::/");
  write("sys/fs/cgroup/memory.max", "512000");
  write("sys/fs/cgroup/memory.current", "12000");

  const MachineFacts limited = read_machine_facts(root_.path());

  EXPECT_EQ(free.memory_bytes, 1024000u);
  EXPECT_EQ(free.available_bytes, 921600u);
  EXPECT_EQ(limited.memory_bytes, 512000u);
  EXPECT_EQ(limited.available_bytes, 500000u);
}

}  // namespace
}  // namespace weft
