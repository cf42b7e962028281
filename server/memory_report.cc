#include "server/memory_report.h"

#include <algorithm>

#include "server/allocator_stats.h"
#include "server/scripts.h"

namespace spinel {

MemoryReport MeasureMemory(Server& server) {
  MemoryReport report;
  report.process = ReadProcessMemory();
  report.muzzy = AllocatorMuzzyBytes();
  report.peak = server.NotePeakMemory(report.process.allocated);
  report.startup = server.startup_memory();
  report.clients = server.clients().Totals().memory;
  Store& store = server.store();
  report.timers = store.WheelMemoryBytes();
  report.queues = store.QueueMemoryBytes();
  const Scripts& scripts = server.scripts();
  report.scripts = scripts.MemoryBytes();
  report.libraries = scripts.LibraryMemoryBytes();
  report.interpreters =
      static_cast<uint64_t>(scripts.eval_vm_bytes.load() + scripts.function_vm_bytes.load());
  for (int database = 0; database < store.databases(); ++database) {
    const uint64_t bytes = store.TableMemoryBytes(database);
    if (bytes == 0) continue;
    report.tables.emplace_back(database, bytes);
    report.table_bytes += bytes;
  }
  report.overhead = report.startup + report.clients + report.timers + report.queues +
                    report.scripts + report.libraries + report.interpreters + report.table_bytes;
  const uint64_t allocated = report.process.allocated;
  report.dataset = allocated - std::min(allocated, report.overhead);
  const uint64_t since_start = allocated - std::min(allocated, report.startup);
  if (since_start > 0) {
    report.dataset_percent = std::min(
        100.0, 100.0 * static_cast<double>(report.dataset) / static_cast<double>(since_start));
  }
  return report;
}

}  // namespace spinel
