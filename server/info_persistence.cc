// INFO's section about snapshots and loading.

#include "server/info.h"
#include "server/loading.h"
#include "server/saver.h"

namespace spinel {
namespace {

double Percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole) * 100;
}

// There is no log of writes: what is said here is that nothing goes on with one.
void WriteAppendOnlyFields(InfoText* text) {
  text->Field("aof_enabled", 0);
  text->Field("aof_rewrite_in_progress", 0);
  text->Field("aof_rewrite_scheduled", 0);
  text->Field("aof_last_rewrite_time_sec", -1);
  text->Field("aof_current_rewrite_time_sec", -1);
  text->Field("aof_last_bgrewrite_status", "ok");
  text->Field("aof_rewrites", 0);
  text->Field("aof_rewrites_consecutive_failures", 0);
  text->Field("aof_last_write_status", "ok");
  text->Field("aof_last_cow_size", 0);
}

void WriteLoadingFields(const InfoSource& source, InfoText* text) {
  const Loading::Progress now = source.server.loading().progress(source.now_ms);
  text->Field("loading_start_time", now.started_ms / 1000);
  text->Field("loading_total_bytes", now.total_bytes);
  text->Field("loading_rdb_used_mem", now.used_memory);
  text->Field("loading_loaded_bytes", now.loaded_bytes);
  text->Formatted("loading_loaded_perc", "{:.2f}", now.percent);
  text->Field("loading_eta_seconds", now.eta_seconds);
}

}  // namespace

// "cow" is what Redis calls the memory that writes cost while a snapshot is being taken.
void WritePersistenceInfo(const InfoSource& source, InfoText* text) {
  const Saver::Report saving = source.server.saver().report(source.now_ms);
  const Snapshot::Progress& now = saving.progress;
  const Loading& loading = source.server.loading();
  const bool is_loading = source.server.Has(Trouble::kLoading);
  text->Section("Persistence");
  text->Field("loading", is_loading ? 1 : 0);
  text->Field("async_loading", 0);
  text->Field("current_cow_peak", now.most_copied_bytes);
  text->Field("current_cow_size", now.copied_bytes);
  text->Field("current_cow_size_age", 0);
  text->Formatted("current_fork_perc", "{:.2f}", Percent(now.keys, now.total_keys));
  text->Field("current_save_keys_processed", now.keys);
  text->Field("current_save_keys_total", now.total_keys);
  text->Field("rdb_changes_since_last_save", saving.changes);
  text->Field("rdb_bgsave_in_progress", saving.in_background ? 1 : 0);
  text->Field("rdb_last_save_time", saving.saved_ms / 1000);
  text->Field("rdb_last_bgsave_status", saving.last_ok ? "ok" : "err");
  text->Field("rdb_last_bgsave_time_sec", saving.last_seconds);
  text->Field("rdb_current_bgsave_time_sec", saving.current_seconds);
  text->Field("rdb_saves", saving.saves);
  text->Field("rdb_last_cow_size", saving.most_copied_bytes);
  text->Field("rdb_last_load_keys_expired", loading.keys_expired());
  text->Field("rdb_last_load_keys_loaded", loading.keys_loaded());
  WriteAppendOnlyFields(text);
  text->Field("module_fork_in_progress", 0);
  text->Field("module_fork_last_cow_size", 0);
  if (is_loading) WriteLoadingFields(source, text);
}

}  // namespace spinel
