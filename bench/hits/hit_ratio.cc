// The program behind `./dev bench hits`: makes or converts traces, replays them, simulates
// policies.
//
// Every command prints one line of JSON; what goes wrong is said on stderr, and the status is 1, or
// 2 for a command line that cannot be understood.

#include <fmt/format.h>

#include <charconv>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/hits/replay.h"
#include "bench/hits/simulator.h"
#include "bench/hits/trace.h"
#include "bench/hits/workload.h"

namespace spinel::hits {
namespace {

constexpr std::string_view kUsage = R"(usage:
  hit_ratio workloads
  hit_ratio generate WORKLOAD --keys N --requests N --seed N --out FILE
  hit_ratio convert csv|oracleGeneral [--layout TEXT] [--limit N] --out FILE   from standard input
  hit_ratio simulate FILE --keys N --warm-up N
  hit_ratio replay FILE --port N --policy NAME --keys N --warm-up N [--value-bytes N]
                        [--ttl SECONDS] [--window N] [--clock FILE --seconds N]
Files are oracleGeneral; --keys of simulate and replay is how many the cache holds, --warm-up how many
requests are not counted. The server's clock, if it is that of the preloaded library trace_clock, goes
through --seconds while the trace is replayed.
)";

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class CommandLine {
 public:
  CommandLine(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view word = argv[i];
      if (word.substr(0, 2) != "--") {
        words_.emplace_back(word);
      } else if (i + 1 < argc) {
        options_[std::string(word.substr(2))] = argv[++i];
      } else {
        throw UsageError(fmt::format("{} takes a value", word));
      }
    }
  }

  std::string Word(size_t index) const { return index < words_.size() ? words_[index] : ""; }

  std::string Text(const std::string& name, const std::string& otherwise = "") const {
    const auto found = options_.find(name);
    return found == options_.end() ? otherwise : found->second;
  }

  // A number between the bounds; without `otherwise` it must be there.
  uint64_t Number(const std::string& name, std::optional<uint64_t> otherwise, uint64_t least,
                  uint64_t most) const {
    const auto found = options_.find(name);
    if (found == options_.end()) {
      if (otherwise) return *otherwise;
      throw UsageError(fmt::format("--{} is missing", name));
    }
    const std::string& text = found->second;
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < least ||
        number > most) {
      throw UsageError(fmt::format("--{} {}: a number from {} to {}", name, text, least, most));
    }
    return number;
  }

 private:
  std::vector<std::string> words_;
  std::map<std::string, std::string> options_;
};

constexpr uint64_t kMostRequests = Trace::kNever;

// A text in JSON, with its quotes.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return quoted + '"';
}

Trace Load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(fmt::format("{} cannot be read", path));
  Trace trace;
  const std::string problem = ReadOracleGeneral(file, kMostRequests, &trace);
  if (!problem.empty()) throw std::runtime_error(fmt::format("{}: {}", path, problem));
  return trace;
}

void Write(const Trace& trace, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  WriteOracleGeneral(trace, file);
  file.close();
  if (!file) throw std::runtime_error(fmt::format("{} cannot be written", path));
  fmt::print("{{\"requests\": {}, \"footprint\": {}}}\n", trace.size(), trace.footprint());
}

void ListWorkloads() {
  std::string list;
  for (const Workload& one : Workloads()) {
    list += fmt::format("{}{}: {}", list.empty() ? "" : ", ", Quoted(one.name), Quoted(one.what));
  }
  fmt::print("{{{}}}\n", list);
}

void Generate(const CommandLine& line) {
  const Workload* const workload = FindWorkload(line.Word(1));
  if (workload == nullptr) throw UsageError(fmt::format("no workload '{}'", line.Word(1)));
  WorkloadOptions options;
  options.keys = line.Number("keys", options.keys, 100, 1'000'000'000);
  options.requests = line.Number("requests", options.requests, 1, kMostRequests);
  options.seed = line.Number("seed", options.seed, 0, UINT64_MAX);
  Write(workload->make(options), line.Text("out"));
}

void Convert(const CommandLine& line) {
  const uint64_t limit = line.Number("limit", kMostRequests, 1, kMostRequests);
  Trace trace;
  std::string problem;
  if (line.Word(1) == "csv") {
    CsvLayout layout;
    const std::string wrong = ParseCsvLayout(line.Text("layout"), &layout);
    if (!wrong.empty()) throw UsageError(wrong);
    problem = ReadCsv(std::cin, layout, limit, &trace);
  } else if (line.Word(1) == "oracleGeneral") {
    problem = ReadOracleGeneral(std::cin, limit, &trace);
  } else {
    throw UsageError(fmt::format("no form '{}': csv, oracleGeneral", line.Word(1)));
  }
  if (!problem.empty()) throw std::runtime_error(problem);
  if (trace.size() == 0) throw std::runtime_error("there is no request in it");
  Write(trace, line.Text("out"));
}

void Simulate(const CommandLine& line) {
  const Trace trace = Load(line.Word(1));
  const auto keys = static_cast<uint32_t>(line.Number("keys", {}, 1, kMostRequests));
  const uint64_t warm_up = line.Number("warm-up", 0, 0, kMostRequests);
  std::string list;
  for (const std::string_view name : PolicyNames()) {
    const double ratio = HitRatio(*MakePolicy(name, keys, trace), trace, warm_up);
    list += fmt::format("{}{}: {:.6f}", list.empty() ? "" : ", ", Quoted(name), ratio);
  }
  fmt::print("{{{}}}\n", list);
}

void ReplayCommand(const CommandLine& line) {
  ReplayOptions options;
  options.port = static_cast<uint16_t>(line.Number("port", {}, 1, 65535));
  options.policy = line.Text("policy");
  options.keys = static_cast<uint32_t>(line.Number("keys", {}, 1, kMostRequests));
  options.value_bytes = line.Number("value-bytes", options.value_bytes, 1, 100 << 20);
  options.ttl_seconds = static_cast<int64_t>(line.Number("ttl", 0, 0, 1'000'000'000));
  options.window = line.Number("window", options.window, 1, 10'000);
  options.warm_up = line.Number("warm-up", 0, 0, kMostRequests);
  options.clock = line.Text("clock");
  options.seconds = static_cast<double>(line.Number("seconds", 3600, 0, 1'000'000'000));
  const Trace trace = Load(line.Word(1));
  if (trace.size() == 0) throw std::runtime_error("the trace is empty");
  const ReplayResult result = Replay(trace, options);
  if (!result.refused.empty()) {
    fmt::print("{{\"refused\": {}}}\n", Quoted(result.refused));
    return;
  }
  fmt::print(
      "{{\"requests\": {}, \"hits\": {}, \"held_mean\": {:.1f}, \"held_least\": {}, "
      "\"held_most\": {}, \"evicted\": {}, \"maxmemory\": {}, \"refused_sets\": {}, "
      "\"error\": {}, \"seconds\": {:.2f}}}\n",
      result.requests, result.hits, result.held_mean, result.held_least, result.held_most,
      result.evicted, result.maxmemory, result.refused_sets, Quoted(result.error), result.seconds);
}

void Run(const CommandLine& line) {
  const std::string command = line.Word(0);
  if (command == "workloads") {
    ListWorkloads();
  } else if (command == "generate") {
    Generate(line);
  } else if (command == "convert") {
    Convert(line);
  } else if (command == "simulate") {
    Simulate(line);
  } else if (command == "replay") {
    ReplayCommand(line);
  } else {
    throw UsageError(fmt::format("no command '{}'", command));
  }
}

}  // namespace
}  // namespace spinel::hits

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  try {
    spinel::hits::Run(spinel::hits::CommandLine(argc, argv));
  } catch (const spinel::hits::UsageError& error) {
    fmt::print(stderr, "hit_ratio: {}\n{}", error.what(), spinel::hits::kUsage);
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "hit_ratio: {}\n", error.what());
    return 1;
  }
  return 0;
}
