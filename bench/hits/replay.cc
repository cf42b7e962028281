#include "bench/hits/replay.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/hits/resp_client.h"

namespace spinel::hits {
namespace {

// What trace_clock.cc reads: nanoseconds that have passed.
class TraceClock {
 public:
  // No file: nothing is told to anybody.
  explicit TraceClock(const std::string& path) {
    if (path.empty()) return;
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) throw std::runtime_error(fmt::format("{} cannot be opened", path));
    void* memory = MAP_FAILED;
    if (ftruncate(file, sizeof(Shared)) == 0) {
      memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    }
    close(file);
    if (memory == MAP_FAILED) throw std::runtime_error(fmt::format("{} cannot be mapped", path));
    shared_ = static_cast<Shared*>(memory);
  }
  ~TraceClock() {
    if (shared_ != nullptr) munmap(shared_, sizeof(Shared));
  }
  TraceClock(const TraceClock&) = delete;
  TraceClock& operator=(const TraceClock&) = delete;

  void Set(double seconds) {
    if (shared_ != nullptr) {
      shared_->store(static_cast<int64_t>(seconds * 1e9), std::memory_order_relaxed);
    }
  }

 private:
  using Shared = std::atomic<int64_t>;
  Shared* shared_ = nullptr;
};

// The limit is corrected this often in the warm-up, from the half of it on; each time by the mean
// of so many looks at DBSIZE.
constexpr size_t kCorrections = 10;
constexpr size_t kLooksPerCorrection = 20;
constexpr size_t kLooksCounted = 100;
// A limit that is this far off (share of the keys) is left as it is.
constexpr double kGoodEnough = 0.002;

using KeyName = std::array<char, 16>;

std::string_view NameOf(uint64_t object, KeyName* name) {
  fmt::format_to_n(name->data(), name->size(), "{:016x}", object);
  return {name->data(), name->size()};
}

class Replayer {
 public:
  Replayer(const Trace& trace, const ReplayOptions& options)
      : trace_(trace),
        options_(options),
        client_(options.port),
        clock_(options.clock),
        seconds_per_request_(options.seconds / static_cast<double>(trace.size())),
        value_(options.value_bytes, 'x'),
        ttl_(std::to_string(options.ttl_seconds)) {
    // Not one letter over and over: nothing that packs values is to be measured.
    uint32_t state = 1;
    for (char& c : value_) c = static_cast<char>('a' + (state = state * 1664525 + 1013904223) % 26);
  }

  ReplayResult Run() {
    if (!TakesPolicy()) return result_;
    Calibrate();
    const auto begun = std::chrono::steady_clock::now();
    WarmUp();
    Count();
    result_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    result_.evicted = InfoNumber("stats", "evicted_keys");
    return result_;
  }

 private:
  bool TakesPolicy() {
    MustBeOk({"CONFIG", "SET", "maxmemory", "0"});
    const auto reply =
        client_.Ask({"CONFIG", "SET", "maxmemory-policy", options_.policy}, &result_.refused);
    return reply.kind != RespClient::Reply::Kind::kError;
  }

  // How much memory the server says that it takes for the keys. Half of them come first, to see
  // what a key takes without the server itself.
  void Calibrate() {
    const uint32_t half = options_.keys / 2;
    Preload(0, half);
    const uint64_t at_half = InfoNumber("memory", "used_memory");
    Preload(half, options_.keys);
    result_.maxmemory = InfoNumber("memory", "used_memory");
    const double grown =
        result_.maxmemory > at_half
            ? static_cast<double>(result_.maxmemory - at_half)
            : static_cast<double>(options_.keys - half) * static_cast<double>(options_.value_bytes);
    bytes_per_key_ = grown / static_cast<double>(options_.keys - half);
    MustBeOk({"FLUSHALL"});
    SetLimit();
  }

  void Preload(uint32_t begin, uint32_t end) {
    KeyName name;
    for (uint32_t first = begin; first < end;) {
      const uint32_t last =
          std::min(end, first + static_cast<uint32_t>(std::max<size_t>(options_.window, 1)));
      for (uint32_t i = first; i < last; ++i) AddSet(NameOf(i, &name));
      client_.Send();
      for (; first < last; ++first) {
        std::string text;
        if (client_.Read(&text).kind != RespClient::Reply::Kind::kOk) {
          throw std::runtime_error(fmt::format("without a limit, SET was answered {}", text));
        }
      }
    }
  }

  void WarmUp() {
    const size_t end = std::min(options_.warm_up, trace_.size());
    RunTo(end / 2);
    const size_t rest = end - position_;
    for (size_t i = 1; i <= kCorrections; ++i) {
      const size_t from = position_;
      const size_t to = end / 2 + rest * i / kCorrections;
      Looks looks;
      for (size_t look = 1; look <= kLooksPerCorrection; ++look) {
        RunTo(from + (to - from) * look / kLooksPerCorrection);
        looks.Add(Dbsize());
      }
      Correct(looks.mean());
    }
    RunTo(end);
  }

  void Correct(double held) {
    // Nothing was evicted yet: the cache is not full, and how many it will hold is not known.
    if (InfoNumber("stats", "evicted_keys") == 0) return;
    const double missing = static_cast<double>(options_.keys) - held;
    if (std::abs(missing) <= kGoodEnough * static_cast<double>(options_.keys)) return;
    const double limit = static_cast<double>(result_.maxmemory) + missing * bytes_per_key_;
    // Never below what the server needs for itself, nor far off in one step.
    result_.maxmemory =
        static_cast<uint64_t>(std::clamp(limit, 0.5 * static_cast<double>(result_.maxmemory),
                                         2.0 * static_cast<double>(result_.maxmemory)));
    SetLimit();
  }

  void Count() {
    result_.hits = 0;
    result_.requests = 0;
    const size_t from = position_;
    Looks looks;
    for (size_t look = 1; look <= kLooksCounted; ++look) {
      RunTo(from + (trace_.size() - from) * look / kLooksCounted);
      looks.Add(Dbsize());
    }
    result_.held_mean = looks.mean();
    result_.held_least = looks.least;
    result_.held_most = looks.most;
  }

  // Everything of the trace up to there is asked for and what missed is SET.
  void RunTo(size_t end) {
    while (position_ < end || !missed_.empty()) Window(end);
  }

  void Window(size_t end) {
    clock_.Set(static_cast<double>(position_) * seconds_per_request_);
    KeyName name;
    const size_t sets = missed_.size();
    for (const uint32_t object : missed_) AddSet(NameOf(trace_.objects()[object], &name));
    asked_ = again_;
    while (asked_.size() < options_.window && position_ < end) {
      asked_.push_back(trace_.requests()[position_++]);
    }
    for (const uint32_t object : asked_) {
      client_.Add({"GET", NameOf(trace_.objects()[object], &name)});
    }
    client_.Send();
    for (size_t i = 0; i < sets; ++i) ReadSet();
    missed_.clear();
    again_.clear();
    for (const uint32_t object : asked_) ReadGet(object);
  }

  void ReadSet() {
    const bool first = result_.refused_sets == 0;
    if (client_.Read(first ? &result_.error : nullptr).kind == RespClient::Reply::Kind::kError) {
      ++result_.refused_sets;
    }
  }

  void ReadGet(uint32_t object) {
    const auto kind = client_.Read().kind;
    if (kind == RespClient::Reply::Kind::kBulk) {
      ++result_.requests;
      ++result_.hits;
    } else if (kind != RespClient::Reply::Kind::kNull) {
      throw std::runtime_error("GET was answered neither a string nor null");
    } else if (std::find(missed_.begin(), missed_.end(), object) != missed_.end()) {
      again_.push_back(object);
    } else {
      ++result_.requests;
      missed_.push_back(object);
    }
  }

  void AddSet(std::string_view key) {
    if (options_.ttl_seconds > 0) {
      client_.Add({"SET", key, value_, "EX", ttl_});
    } else {
      client_.Add({"SET", key, value_});
    }
  }

  void SetLimit() { MustBeOk({"CONFIG", "SET", "maxmemory", std::to_string(result_.maxmemory)}); }

  void MustBeOk(std::initializer_list<std::string_view> words) {
    std::string text;
    if (client_.Ask(words, &text).kind == RespClient::Reply::Kind::kError) {
      throw std::runtime_error(fmt::format("{} was answered {}", *words.begin(), text));
    }
  }

  uint64_t Dbsize() {
    const auto reply = client_.Ask({"DBSIZE"});
    if (reply.kind != RespClient::Reply::Kind::kInteger) {
      throw std::runtime_error("DBSIZE was not answered a number");
    }
    return static_cast<uint64_t>(reply.integer);
  }

  uint64_t InfoNumber(std::string_view section, std::string_view field) {
    std::string text;
    client_.Ask({"INFO", section}, &text);
    const size_t at = text.find(fmt::format("\n{}:", field));
    uint64_t number = 0;
    const char* const begin = text.data() + at + field.size() + 2;
    if (at == std::string::npos ||
        std::from_chars(begin, text.data() + text.size(), number).ec != std::errc()) {
      throw std::runtime_error(fmt::format("INFO {} has no number {}", section, field));
    }
    return number;
  }

  struct Looks {
    void Add(uint64_t held) {
      sum += held;
      ++count;
      least = std::min(least, held);
      most = std::max(most, held);
    }
    double mean() const { return static_cast<double>(sum) / static_cast<double>(count); }
    uint64_t sum = 0;
    uint64_t count = 0;
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;
  };

  const Trace& trace_;
  const ReplayOptions& options_;
  RespClient client_;
  TraceClock clock_;
  double seconds_per_request_;
  std::string value_;
  std::string ttl_;
  double bytes_per_key_ = 0;
  size_t position_ = 0;
  std::vector<uint32_t> asked_;
  std::vector<uint32_t> missed_;  // what the next window SETs
  std::vector<uint32_t> again_;   // what it asks for once more behind that
  ReplayResult result_;
};

}  // namespace

ReplayResult Replay(const Trace& trace, const ReplayOptions& options) {
  return Replayer(trace, options).Run();
}

}  // namespace spinel::hits
