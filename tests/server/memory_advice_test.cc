// What MEMORY DOCTOR makes of figures.

#include "server/memory_advice.h"

#include <catch2/catch.hpp>

namespace spinel {
namespace {

constexpr uint64_t kMb = 1 << 20;

// A process in the best of health.
MemorySigns Healthy() {
  MemorySigns signs;
  signs.process = {.allocated = 100 * kMb,
                   .active = 102 * kMb,
                   .allocator_resident = 105 * kMb,
                   .resident = 200 * kMb,  // most of it the program
                   .anonymous = 106 * kMb};
  signs.peak = 110 * kMb;
  signs.clients = 10;
  signs.client_bytes = 50'000;
  signs.scripts = 20;
  return signs;
}

std::string Remark(const std::string& heading) { return "\n * " + heading + ": "; }

TEST_CASE("MEMORY DOCTOR: little data, and nothing wrong") {
  CHECK(MemoryAdvice(Healthy()) == "No trouble with memory was found.\n");
  MemorySigns signs = Healthy();
  signs.process.allocated = 4 * kMb;  // whatever the ratios are then
  CHECK(MemoryAdvice(signs).find("empty or nearly so") != std::string::npos);
}

TEST_CASE("MEMORY DOCTOR: each trouble has its remark, and no other") {
  struct Case {
    const char* heading;
    void (*change)(MemorySigns* signs);
  };
  const Case cases[] = {
      {"Peak memory", [](MemorySigns* s) { s->peak = 160 * kMb; }},
      {"High allocator fragmentation",
       [](MemorySigns* s) {
         s->process.active = 120 * kMb;
         s->process.allocator_resident = 121 * kMb;
         s->process.anonymous = 125 * kMb;
       }},
      {"High allocator RSS overhead",
       [](MemorySigns* s) {
         s->process.allocator_resident = 125 * kMb;
         s->process.anonymous = 130 * kMb;
       }},
      {"High process RSS overhead", [](MemorySigns* s) { s->process.anonymous = 130 * kMb; }},
      {"Above the limit", [](MemorySigns* s) { s->limit = 90 * kMb; }},
      {"Big client buffers", [](MemorySigns* s) { s->client_bytes = 3 * kMb; }},
      {"Many scripts", [](MemorySigns* s) { s->scripts = 1001; }},
  };
  for (const Case& one : cases) {
    MemorySigns signs = Healthy();
    one.change(&signs);
    const std::string text = MemoryAdvice(signs);
    INFO(one.heading << ": " << text);
    CHECK(text.find(Remark(one.heading)) != std::string::npos);
    CHECK(text.find("\n * ", text.find(Remark(one.heading)) + 1) == std::string::npos);
  }
}

TEST_CASE("MEMORY DOCTOR: much more resident than in use") {
  MemorySigns signs = Healthy();
  signs.process.active = 140 * kMb;
  signs.process.allocator_resident = signs.process.anonymous = 150 * kMb;
  const std::string text = MemoryAdvice(signs);
  CHECK(text.find(Remark("High total RSS") + "1.50 bytes") != std::string::npos);
  CHECK(text.find(Remark("High allocator fragmentation") + "the allocator's pages hold 1.40") !=
        std::string::npos);
}

TEST_CASE("MEMORY DOCTOR: waste of a few megabytes is none, whatever the ratio") {
  MemorySigns signs;
  signs.process = {.allocated = 6 * kMb,
                   .active = 9 * kMb,
                   .allocator_resident = 12 * kMb,
                   .resident = 40 * kMb,
                   .anonymous = 15 * kMb};
  signs.peak = 7 * kMb;
  CHECK(MemoryAdvice(signs) == "No trouble with memory was found.\n");
}

}  // namespace
}  // namespace spinel
