// INFO's section about memory.

#include <unistd.h>

#include "server/host_resources.h"
#include "server/info.h"
#include "server/memory_report.h"
#include "server/scripts.h"
#include "storage/memory.h"

namespace spinel {
namespace {

std::string AllocatorName() {
#if defined(SPINEL_JEMALLOC)
  return fmt::format("jemalloc-{}.{}.{}", JEMALLOC_VERSION_MAJOR, JEMALLOC_VERSION_MINOR,
                     JEMALLOC_VERSION_BUGFIX);
#else
  return "libc";
#endif
}

void WriteScriptMemory(const Scripts& scripts, const MemoryReport& report, InfoText* text) {
  const auto eval = static_cast<uint64_t>(scripts.eval_vm_bytes.load());
  const auto functions = static_cast<uint64_t>(scripts.function_vm_bytes.load());
  const auto loaded = scripts.libraries();
  text->Field("used_memory_lua", eval);
  text->Field("used_memory_vm_eval", eval);
  text->Field("used_memory_lua_human", HumanBytes(eval));
  text->Field("used_memory_scripts_eval", report.scripts);
  text->Field("number_of_cached_scripts", scripts.count());
  text->Field("number_of_functions", loaded->functions.size());
  text->Field("number_of_libraries", loaded->by_name.size());
  text->Field("used_memory_vm_functions", functions);
  text->Bytes("used_memory_vm_total", eval + functions);
  text->Field("used_memory_functions", report.libraries);
  text->Bytes("used_memory_scripts", report.scripts + report.libraries);
}

void WriteFragmentation(const ProcessMemory& memory, InfoText* text) {
  text->Formatted("allocator_frag_ratio", "{:.2f}", Ratio(memory.active, memory.allocated));
  text->Field("allocator_frag_bytes", Excess(memory.active, memory.allocated));
  text->Formatted("allocator_rss_ratio", "{:.2f}", Ratio(memory.allocator_resident, memory.active));
  text->Field("allocator_rss_bytes", Excess(memory.allocator_resident, memory.active));
  text->Formatted("rss_overhead_ratio", "{:.2f}",
                  Ratio(memory.resident, memory.allocator_resident));
  text->Field("rss_overhead_bytes", Excess(memory.resident, memory.allocator_resident));
  text->Formatted("mem_fragmentation_ratio", "{:.2f}", Ratio(memory.resident, memory.allocated));
  text->Field("mem_fragmentation_bytes", Excess(memory.resident, memory.allocated));
}

}  // namespace

void WriteMemoryInfo(const InfoSource& source, InfoText* text) {
  Server& server = source.server;
  const Config& config = source.config();
  const MemoryReport report = MeasureMemory(server);
  const uint64_t physical =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  text->Section("Memory");
  text->Bytes("used_memory", report.process.allocated);
  text->Bytes("used_memory_rss", report.process.resident);
  text->Bytes("used_memory_peak", report.peak);
  text->Formatted("used_memory_peak_perc", "{:.2f}%",
                  100 * Ratio(report.process.allocated, report.peak));
  text->Field("used_memory_overhead", report.overhead);
  text->Field("used_memory_startup", report.startup);
  text->Field("used_memory_dataset", report.dataset);
  text->Formatted("used_memory_dataset_perc", "{:.2f}%", report.dataset_percent);
  text->Field("allocator_allocated", report.process.allocated);
  text->Field("allocator_active", report.process.active);
  text->Field("allocator_resident", report.process.allocator_resident);
  text->Field("allocator_muzzy", report.muzzy);
  text->Bytes("total_system_memory", physical);
  WriteScriptMemory(server.scripts(), report, text);
  text->Bytes("maxmemory", static_cast<uint64_t>(config.maxmemory()));
  text->Field("maxmemory_policy", config.GetOne("maxmemory-policy").value_or(""));
  WriteFragmentation(report.process, text);
  text->Field("mem_not_counted_for_evict", 0);
  text->Field("mem_replication_backlog", 0);
  text->Field("mem_total_replication_buffers", 0);
  text->Field("mem_clients_slaves", 0);
  text->Field("mem_clients_normal", report.clients);
  text->Field("mem_cluster_links", 0);
  text->Field("mem_aof_buffer", 0);
  text->Field("mem_allocator", AllocatorName());
  text->Field("mem_overhead_db_hashtable_rehashing", 0);  // tables grow bucket by bucket
  text->Field("active_defrag_running", 0);
  text->Field("lazyfree_pending_objects", server.store().reclaimer().pending());
  text->Field("lazyfreed_objects", server.store().reclaimer().freed());
}

}  // namespace spinel
