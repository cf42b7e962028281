#include "bench/hits/simulator.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "bench/hits/workload.h"

namespace spinel::hits {
namespace {

Trace TraceOf(std::string_view letters) {
  Trace trace;
  for (const char c : letters) trace.Add(static_cast<uint64_t>(c));
  return trace;
}

// Which requests of the trace, a letter each, hit: "+" or "-".
std::string Hits(std::string_view name, uint32_t capacity, std::string_view letters) {
  const Trace trace = TraceOf(letters);
  const auto policy = MakePolicy(name, capacity, trace);
  REQUIRE(policy != nullptr);
  std::string hits;
  for (const uint32_t object : trace.requests()) {
    hits += policy->Request(object) ? '+' : '-';
    CHECK(policy->held() <= capacity);
  }
  return hits;
}

double Ratio(std::string_view name, uint32_t capacity, const Trace& trace, size_t warm_up = 0) {
  return HitRatio(*MakePolicy(name, capacity, trace), trace, warm_up);
}

Trace Make(std::string_view name) {
  return FindWorkload(name)->make({.keys = 1000, .requests = 20'000, .seed = 5});
}

TEST_CASE("Simulator: LRU evicts who was not used for the longest time") {
  CHECK(Hits("LRU", 2, "abacab") == "--+-+-");
  CHECK(Hits("LRU", 1, "aab") == "-+-");
}

TEST_CASE("Simulator: LFU evicts the least often used, the oldest of them first") {
  CHECK(Hits("LFU", 2, "aabcbac") == "-+---+-");
  CHECK(Hits("LFU", 3, "abcdabcd") == "--------");
}

TEST_CASE("Simulator: SIEVE's hand spares whom it finds used, once") {
  // The hand passes a, which was used, and takes b; then it goes on at c.
  CHECK(Hits("SIEVE", 3, "abcadabc") == "---+-+--");
  CHECK(Hits("SIEVE", 1, "aabab") == "-+---");
}

TEST_CASE("Simulator: S3-FIFO lets newcomers go, remembers them, keeps who comes back") {
  // Of ten places one is for newcomers. A scan does not touch what was asked for three times.
  const std::string hits = Hits("S3-FIFO", 10, "aaabbbcdefghijklmnopqrstab");
  CHECK(hits.substr(0, 6) == "-++-++");
  CHECK(hits.substr(24) == "++");
  CHECK(hits.substr(6, 18) == std::string(18, '-'));
  // c, evicted and asked for again while remembered, enters the main queue and outlives a scan.
  CHECK(Hits("S3-FIFO", 10, "cabdefghijklcmnopqrstuvwxc").back() == '+');
  CHECK(Hits("S3-FIFO", 1, "aab") == "-+-");
}

TEST_CASE("Simulator: Belady evicts what is needed last") {
  CHECK(Hits("Belady", 2, "abcacb") == "---++-");
  CHECK(Hits("Belady", 2, "abcbab") == "---+-+");
}

// A list, as the books have it.
TEST_CASE("Simulator: LRU agrees with a list") {
  for (const uint32_t capacity : {1, 7, 100}) {
    const Trace trace = Make("drift");
    std::list<uint32_t> list;
    const auto policy = MakePolicy("LRU", capacity, trace);
    int differences = 0;
    for (const uint32_t object : trace.requests()) {
      const auto found = std::find(list.begin(), list.end(), object);
      if (policy->Request(object) != (found != list.end())) ++differences;
      if (found != list.end()) list.erase(found);
      list.push_front(object);
      if (list.size() > capacity) list.pop_back();
    }
    CHECK(differences == 0);
  }
}

TEST_CASE("Simulator: no policy beats Belady; with room for everything all are alike") {
  for (const Workload& workload : Workloads()) {
    const Trace trace = Make(workload.name);
    const double alike =
        1 - static_cast<double>(trace.footprint()) / static_cast<double>(trace.size());
    for (const std::string_view name : PolicyNames()) {
      INFO(workload.name << ", " << name);
      for (const uint32_t capacity : {1, 10, 100}) {
        CHECK(Ratio(name, capacity, trace) <= Ratio("Belady", capacity, trace));
      }
      CHECK(Ratio(name, trace.footprint(), trace) == Approx(alike));
    }
  }
  CHECK(MakePolicy("none", 1, TraceOf("a")) == nullptr);
}

TEST_CASE("Simulator: what warms up is not counted") {
  const Trace trace = TraceOf("abab");
  CHECK(Ratio("LRU", 2, trace) == Approx(0.5));
  CHECK(Ratio("LRU", 2, trace, 2) == Approx(1.0));
  CHECK(Ratio("LRU", 2, trace, 4) == 0);
}

}  // namespace
}  // namespace spinel::hits
