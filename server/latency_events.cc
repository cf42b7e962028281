#include "server/latency_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace spinel {
namespace {

constexpr size_t kMaxSamples = 160;
constexpr size_t kColumns = 80;

// How long ago, in the largest unit that fits.
std::string Ago(int64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m", seconds / 60);
  if (seconds < 86400) return fmt::format("{}h", seconds / 3600);
  return fmt::format("{}d", seconds / 86400);
}

struct Extent {
  int64_t low;
  int64_t high;
};

Extent ExtentOf(const std::vector<LatencyEvents::Sample>& samples) {
  Extent extent{samples.front().ms, samples.front().ms};
  for (const LatencyEvents::Sample& sample : samples) {
    extent.low = std::min(extent.low, sample.ms);
    extent.high = std::max(extent.high, sample.ms);
  }
  return extent;
}

// Columns that stand on each other: four rows of three steps each, above the ages, read downwards.
void DrawRange(const LatencyEvents::Sample* samples, size_t count, const Extent& extent,
               int64_t now, std::string* picture) {
  constexpr int kRows = 4;
  constexpr std::string_view kTops = "_o#";
  const auto steps = static_cast<int64_t>(kTops.size()) * kRows;
  const int64_t range = std::max<int64_t>(extent.high - extent.low, 1);
  for (int row = kRows - 1; row >= 0; --row) {
    for (size_t i = 0; i < count; ++i) {
      const int64_t step = std::min((samples[i].ms - extent.low) * steps / range, steps - 1);
      const int64_t above = step - int64_t{row} * static_cast<int64_t>(kTops.size());
      *picture += above < 0                                    ? ' '
                  : above < static_cast<int64_t>(kTops.size()) ? kTops[static_cast<size_t>(above)]
                                                               : '|';
    }
    *picture += '\n';
  }
  std::vector<std::string> ages;
  size_t longest = 0;
  for (size_t i = 0; i < count; ++i) {
    ages.push_back(Ago(std::max<int64_t>(now - samples[i].unix_seconds, 0)));
    longest = std::max(longest, ages.back().size());
  }
  *picture += '\n';
  for (size_t line = 0; line < longest; ++line) {
    for (const std::string& age : ages) *picture += line < age.size() ? age[line] : ' ';
    *picture += '\n';
  }
}

}  // namespace

void LatencyEvents::Add(std::string_view event, int64_t unix_seconds, int64_t ms) {
  MutexLock lock(&mutex_);
  const auto found = series_.find(event);
  Series& series = found != series_.end() ? found->second : series_[std::string(event)];
  series.longest_ms = std::max(series.longest_ms, ms);
  std::vector<Sample>& samples = series.samples;
  if (!samples.empty() && samples.back().unix_seconds == unix_seconds) {
    samples.back().ms = std::max(samples.back().ms, ms);
    return;
  }
  if (samples.size() == kMaxSamples) samples.erase(samples.begin());
  samples.push_back({unix_seconds, ms});
}

std::vector<std::pair<std::string, LatencyEvents::Series>> LatencyEvents::All() const {
  MutexLock lock(&mutex_);
  return {series_.begin(), series_.end()};
}

LatencyEvents::Series LatencyEvents::Get(std::string_view event) const {
  MutexLock lock(&mutex_);
  const auto found = series_.find(event);
  return found == series_.end() ? Series() : found->second;
}

bool LatencyEvents::Reset(std::string_view event) {
  MutexLock lock(&mutex_);
  const auto found = series_.find(event);
  if (found == series_.end()) return false;
  series_.erase(found);
  return true;
}

size_t LatencyEvents::ResetAll() {
  MutexLock lock(&mutex_);
  const size_t count = series_.size();
  series_.clear();
  return count;
}

std::string DrawLatency(std::string_view event, const LatencyEvents::Series& series,
                        int64_t unix_seconds) {
  const std::vector<LatencyEvents::Sample>& samples = series.samples;
  const Extent extent = ExtentOf(samples);
  std::string picture = fmt::format("{} - high {} ms, low {} ms (all time high {} ms)\n", event,
                                    extent.high, extent.low, series.longest_ms);
  picture.append(kColumns, '-');
  picture += '\n';
  for (size_t from = 0; from < samples.size(); from += kColumns) {
    if (from > 0) picture += '\n';
    DrawRange(&samples[from], std::min(kColumns, samples.size() - from), extent, unix_seconds,
              &picture);
  }
  return picture;
}

std::string ExplainLatency(const LatencyEvents& events, int64_t unix_seconds,
                           int64_t threshold_ms) {
  const auto all = events.All();
  if (all.empty()) {
    if (threshold_ms > 0) {
      return fmt::format("Nothing has taken {} ms or longer so far.\n", threshold_ms);
    }
    return "Latency is not being recorded. Set latency-monitor-threshold to the milliseconds from "
           "which an event is worth recording, and ask again later.\n";
  }
  std::string report = "Events that kept a thread busy for too long:\n\n";
  for (const auto& [event, series] : all) {
    double sum = 0;
    for (const LatencyEvents::Sample& sample : series.samples) {
      sum += static_cast<double>(sample.ms);
    }
    const double count = static_cast<double>(series.samples.size());
    double deviation = 0;
    for (const LatencyEvents::Sample& sample : series.samples) {
      deviation += std::abs(static_cast<double>(sample.ms) - sum / count);
    }
    report += fmt::format(
        "- {}: {} in {}, {:.0f} ms on average (mean deviation {:.0f} ms), the longest "
        "ever {} ms.\n",
        event, series.samples.size(), Ago(unix_seconds - series.samples.front().unix_seconds),
        sum / count, deviation / count, series.longest_ms);
  }
  report += "\nWhat may help:\n\n";
  for (const auto& [event, series] : all) {
    if (event == "command" || event == "fast-command") {
      report +=
          "- SLOWLOG GET names the commands that took long; lower slowlog-log-slower-than to see "
          "more of them. Ask for less at a time: SCAN instead of KEYS, ranges instead of whole "
          "collections, UNLINK instead of DEL.\n";
      break;
    }
  }
  if (!events.Get("expire-cycle").samples.empty()) {
    report += "- Many keys end at the same moment: spread their times to live.\n";
  }
  report += "- Look for other processes on the same CPUs, and for swapping.\n";
  return report;
}

}  // namespace spinel
