#include "server/memory_advice.h"

#include <fmt/format.h>

namespace spinel {
namespace {

constexpr uint64_t kMb = 1024 * 1024;
constexpr uint64_t kTooLittle = 5 * kMb;  // below, ratios mean nothing
constexpr uint64_t kNotable = 10 * kMb;   // less waste is no trouble, whatever the ratio
constexpr double kBigPeak = 1.5;
constexpr double kBigTotalWaste = 1.4;
constexpr double kBigWaste = 1.1;
constexpr uint64_t kMuchPerClient = 200 * 1024;
constexpr uint64_t kManyScripts = 1000;

// The remarks under their headings, in the form of a list.
class Remarks {
 public:
  void Add(std::string_view heading, const std::string& text) {
    text_ += fmt::format(" * {}: {}\n\n", heading, text);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

double TimesMore(uint64_t more, uint64_t less) {
  return less == 0 ? 0 : static_cast<double>(more) / static_cast<double>(less);
}

bool Wasted(uint64_t more, uint64_t less, double ratio) {
  return more > less + kNotable && TimesMore(more, less) > ratio;
}

// Pages of the program itself do not count: no data makes them more.
void JudgePages(const MemorySigns& signs, Remarks* remarks) {
  const ProcessMemory& memory = signs.process;
  if (TimesMore(signs.peak, memory.allocated) > kBigPeak) {
    remarks->Add(
        "Peak memory",
        fmt::format("{:.1f} times today's memory was in use at some time. Pages of that time may "
                    "still be resident, which does no harm: new data fills them again. MEMORY "
                    "PURGE gives back those that are free.",
                    TimesMore(signs.peak, memory.allocated)));
  }
  if (Wasted(memory.anonymous, memory.allocated, kBigTotalWaste)) {
    remarks->Add("High total RSS",
                 fmt::format("{:.2f} bytes are resident for each that is in use. The remarks below "
                             "say where they are; after a peak this passes.",
                             TimesMore(memory.anonymous, memory.allocated)));
  }
  if (Wasted(memory.active, memory.allocated, kBigWaste)) {
    remarks->Add("High allocator fragmentation",
                 fmt::format("the allocator's pages hold {:.2f} bytes for each that is in use. "
                             "Values that came and went in many sizes leave such holes, which "
                             "values of the old sizes fill again; a restart closes them.",
                             TimesMore(memory.active, memory.allocated)));
  }
  if (Wasted(memory.allocator_resident, memory.active, kBigWaste)) {
    remarks->Add(
        "High allocator RSS overhead",
        fmt::format("the allocator keeps {} bytes of free pages. It gives them back within "
                    "seconds; MEMORY PURGE does so at once.",
                    memory.allocator_resident - memory.active));
  }
  if (Wasted(memory.anonymous, memory.allocator_resident, kBigWaste)) {
    remarks->Add(
        "High process RSS overhead",
        fmt::format("{} resident bytes are neither the allocator's nor pages of the program: "
                    "threads' stacks, or what libraries took by themselves.",
                    memory.anonymous - memory.allocator_resident));
  }
  if (signs.limit > 0 && Wasted(memory.anonymous, signs.limit, kBigWaste)) {
    remarks->Add("Above the limit", fmt::format("{} bytes are resident, maxmemory is {}.",
                                                memory.anonymous, signs.limit));
  }
}

void JudgeUsers(const MemorySigns& signs, Remarks* remarks) {
  if (signs.clients > 0 && signs.client_bytes / signs.clients > kMuchPerClient) {
    remarks->Add(
        "Big client buffers",
        fmt::format("clients take {} bytes each, on average. Some send requests that never "
                    "end, or do not read their replies and messages. CLIENT LIST shows "
                    "which; client-output-buffer-limit and maxmemory-clients cut them off.",
                    signs.client_bytes / signs.clients));
  }
  if (signs.scripts > kManyScripts) {
    remarks->Add("Many scripts",
                 fmt::format("{} scripts are cached. Probably they are generated with their data "
                             "inside: with KEYS and ARGV one script serves all calls. SCRIPT FLUSH "
                             "empties the cache.",
                             signs.scripts));
  }
}

}  // namespace

std::string MemoryAdvice(const MemorySigns& signs) {
  if (signs.process.allocated < kTooLittle) {
    return "This instance is empty or nearly so: there is too little data to tell anything from.\n";
  }
  Remarks remarks;
  JudgePages(signs, &remarks);
  JudgeUsers(signs, &remarks);
  if (remarks.text().empty()) return "No trouble with memory was found.\n";
  return "Some trouble with memory was found:\n\n" + remarks.text();
}

}  // namespace spinel
