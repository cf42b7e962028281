// Several sorted sets in one step: ZUNION, ZINTER, ZDIFF, their STORE forms, ZINTERCARD. Plain sets
// may be among the sources.

#include <fmt/format.h>

#include <cmath>
#include <deque>
#include <limits>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "server/commands/counted_keys.h"
#include "server/commands/families.h"
#include "server/commands/key_events.h"
#include "server/commands/value_reply.h"
#include "server/commands/zset_reply.h"
#include "storage/zset_source.h"

namespace spinel {
namespace {

struct Source {
  ScoredSource set;
  double weight = 1;
};

enum class Aggregate : uint8_t { kSum, kMin, kMax };

enum class ZSetOperation : uint8_t { kUnite, kIntersect, kSubtract, kCountCommon };

struct AlgebraRequest {
  absl::InlinedVector<Source, 8> sources;
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  uint64_t limit = 0;  // of what is counted; 0: none
};

// The members of a result, and room for those that do not lie in a source.
class AlgebraResult {
 public:
  void Add(const ScoredMember& scored) { members_.push_back(scored); }
  // The member's bytes, to stay for as long as the result does.
  std::string_view Keep(const ScoredSource& source, std::string_view member) {
    if (source.members_stay()) return member;
    return copies_.emplace_back(member);
  }
  void Sort() {
    if (!std::is_sorted(members_.begin(), members_.end())) {
      std::sort(members_.begin(), members_.end());
    }
  }
  const std::vector<ScoredMember>& members() const { return members_; }

 private:
  std::vector<ScoredMember> members_;
  std::deque<std::string> copies_;
};

// Infinities that cancel each other out count as zero.
double NumberOrZero(double score) { return std::isnan(score) ? 0 : score; }

double Combine(Aggregate aggregate, double score, double other) {
  switch (aggregate) {
    case Aggregate::kSum:
      return NumberOrZero(score + other);
    case Aggregate::kMin:
      return other < score ? other : score;
    case Aggregate::kMax:
      return other > score ? other : score;
  }
  return score;
}

void SortBySize(AlgebraRequest* request) {
  std::stable_sort(request->sources.begin(), request->sources.end(),
                   [](const Source& a, const Source& b) { return a.set.size() < b.set.size(); });
}

// -- The operations
// --------------------------------------------------------------------------------

void Unite(AlgebraRequest* request, AlgebraResult* result) {
  struct Hash {
    size_t operator()(std::string_view member) const { return kKeyHasher(member); }
  };
  SortBySize(request);
  absl::flat_hash_map<std::string_view, double, Hash, std::equal_to<>> scores;
  scores.reserve(request->sources.back().set.size());
  for (const Source& source : request->sources) {
    source.set.ForEach([&](const ScoredMember& scored) {
      const double score = NumberOrZero(source.weight * scored.score);
      const auto known = scores.find(scored.member);
      if (known == scores.end()) {
        scores.emplace(result->Keep(source.set, scored.member), score);
      } else {
        known->second = Combine(request->aggregate, known->second, score);
      }
      return true;
    });
  }
  for (const auto& [member, score] : scores) result->Add({score, member});
}

// Calls `visit(const ScoredMember&)`, which answers whether to go on, for all common members.
template <typename Visit>
void ForEachCommon(AlgebraRequest* request, Visit&& visit) {
  SortBySize(request);
  const Source& smallest = request->sources.front();
  smallest.set.ForEach([&](const ScoredMember& scored) {
    double score = NumberOrZero(smallest.weight * scored.score);
    for (size_t i = 1; i < request->sources.size(); ++i) {
      const Source& other = request->sources[i];
      const std::optional<double> found = other.set.Find(scored.member);
      if (!found.has_value()) return true;
      score = Combine(request->aggregate, score, *found * other.weight);
    }
    return visit(ScoredMember{score, scored.member});
  });
}

void Intersect(AlgebraRequest* request, AlgebraResult* result) {
  ForEachCommon(request, [request, result](const ScoredMember& scored) {
    const ScoredSource& source = request->sources.front().set;
    result->Add({scored.score, result->Keep(source, scored.member)});
    return true;
  });
}

void Subtract(AlgebraRequest* request, AlgebraResult* result) {
  const ScoredSource& first = request->sources.front().set;
  for (size_t i = 1; i < request->sources.size(); ++i) {
    if (request->sources[i].set == first) return;
  }
  first.ForEach([&](const ScoredMember& scored) {
    for (size_t i = 1; i < request->sources.size(); ++i) {
      if (request->sources[i].set.Find(scored.member).has_value()) return true;
    }
    result->Add({scored.score, result->Keep(first, scored.member)});
    return true;
  });
}

// -- Requests
// --------------------------------------------------------------------------------------

// Reads the number of keys and passes over them; false: the error is written.
bool ReadKeyCount(const CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  const int64_t count = args.Int();
  if (count < 1) {
    args.Fail(
        fmt::format("ERR at least 1 input key is needed for '{}' command", ctx.command().name));
  }
  args.Skip(static_cast<size_t>(count));
  return args.Check(reply);
}

// The sources; `first` is the first one's number among the keys. False: one is of a wrong type, and
// the error is written.
bool FindSources(const LockedKeys& keys, size_t first, AlgebraRequest* request,
                 ReplyWriter& reply) {
  for (size_t i = first; i < keys.size(); ++i) {
    KeySlot slot = keys.Slot(i);
    slot.CountLookup();
    if (slot && !ScoredSource::Accepts(slot->type())) {
      reply.Error(kWrongTypeError);
      return false;
    }
    request->sources.push_back({ScoredSource(slot.entry())});
  }
  return true;
}

void ReadAggregate(ArgReader& args, AlgebraRequest* request) {
  if (args.Tag("SUM")) {
    request->aggregate = Aggregate::kSum;
  } else if (args.Tag("MIN")) {
    request->aggregate = Aggregate::kMin;
  } else if (args.Tag("MAX")) {
    request->aggregate = Aggregate::kMax;
  } else {
    args.SyntaxError();
  }
}

void ReadOptions(ArgReader& args, ZSetOperation operation, bool store, AlgebraRequest* request) {
  const bool combines =
      operation == ZSetOperation::kUnite || operation == ZSetOperation::kIntersect;
  const bool counts = operation == ZSetOperation::kCountCommon;
  while (args.HasNext()) {
    if (combines && args.Left() > request->sources.size() && args.Tag("WEIGHTS")) {
      for (Source& source : request->sources) {
        source.weight = args.Double("ERR weight value is not a float");
      }
    } else if (combines && args.Left() > 1 && args.Tag("AGGREGATE")) {
      ReadAggregate(args, request);
    } else if (!store && !counts && args.Tag("WITHSCORES")) {
      request->with_scores = true;
    } else if (counts && args.Left() > 1 && args.Tag("LIMIT")) {
      request->limit = static_cast<uint64_t>(
          args.IntInRange(0, std::numeric_limits<int64_t>::max(), "ERR LIMIT can't be negative"));
    } else {
      args.SyntaxError();
    }
  }
}

void Evaluate(ZSetOperation operation, AlgebraRequest* request, AlgebraResult* result) {
  switch (operation) {
    case ZSetOperation::kUnite:
      Unite(request, result);
      break;
    case ZSetOperation::kIntersect:
      Intersect(request, result);
      break;
    default:
      Subtract(request, result);
  }
  result->Sort();
}

template <ZSetOperation operation>
void AnswerZSets(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  if (!ReadKeyCount(ctx, args, reply)) return;
  AlgebraResult result;  // outlives the locks: it is freed without them
  const LockedKeys keys = ctx.LockKeys();
  AlgebraRequest request;
  // As in Redis, a source of a wrong type is told before options that make no sense.
  if (!FindSources(keys, 0, &request, reply)) return;
  ReadOptions(args, operation, /*store=*/false, &request);
  if (!args.Done(reply)) return;
  Evaluate(operation, &request, &result);
  ReplyMemberCount(result.members().size(), request.with_scores, reply);
  for (const ScoredMember& scored : result.members()) {
    ReplyMember(scored, request.with_scores, reply);
  }
}

constexpr std::string_view StoreEvent(ZSetOperation operation) {
  switch (operation) {
    case ZSetOperation::kUnite:
      return "zunionstore";
    case ZSetOperation::kIntersect:
      return "zinterstore";
    default:
      return "zdiffstore";
  }
}

template <ZSetOperation operation>
void StoreZSets(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  if (!ReadKeyCount(ctx, args.Skip(1), reply)) return;
  AlgebraResult result;
  const LockedKeys keys = ctx.LockKeys();
  AlgebraRequest request;
  if (!FindSources(keys, 1, &request, reply)) return;
  ReadOptions(args, operation, /*store=*/true, &request);
  if (!args.Done(reply)) return;
  Evaluate(operation, &request, &result);
  KeySlot target = keys.Slot(0);
  const bool existed = target.exists();
  StoreMembers(&target, ZsetLimitsOf(ctx.config()), result.members());
  NotifyStored(target, kNotifyZset, StoreEvent(operation), existed);
  reply.Integer(static_cast<int64_t>(result.members().size()));
}

void ZInterCard(CommandContext& ctx, ArgReader& args, ReplyWriter& reply) {
  if (!ReadKeyCount(ctx, args, reply)) return;
  const LockedKeys keys = ctx.LockKeys();
  AlgebraRequest request;
  if (!FindSources(keys, 0, &request, reply)) return;
  ReadOptions(args, ZSetOperation::kCountCommon, /*store=*/false, &request);
  if (!args.Done(reply)) return;
  uint64_t count = 0;
  ForEachCommon(&request, [&](const ScoredMember&) { return ++count != request.limit; });
  reply.Integer(static_cast<int64_t>(count));
}

// -- Rows
// ------------------------------------------------------------------------------------------

constexpr CommandSpec kZsetAlgebraCommands[] = {
    {.name = "ZUNION",
     .arity = -3,
     .flags = kReadOnly | kMovableKeys,
     .acl = kAclSortedSet,
     .keys = {.first = 0, .last = 0, .step = 0, .flags = kKeyRO | kKeyAccess},
     .handler = AnswerZSets<ZSetOperation::kUnite>,
     .extractor = CountedKeys<1>,
     .group = "sorted_set",
     .since = "6.2.0",
     .complexity = "O(N)+O(M*log(M)) for N members in all sets and M in the result",
     .summary = "Answers what is in any of several sets, with its scores added up.",
     .syntax = "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] "
               "[WITHSCORES]"},
    {.name = "ZUNIONSTORE",
     .arity = -4,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .acl = kAclSortedSet,
     .keys = {.first = 1, .last = 1, .step = 1, .flags = kKeyOW | kKeyUpdate},
     .handler = StoreZSets<ZSetOperation::kUnite>,
     .extractor = CountedKeys<2, 1>,
     .group = "sorted_set",
     .since = "2.0.0",
     .complexity = "O(N)+O(M*log(M)) for N members in all sets and M in the result",
     .summary = "Stores what is in any of several sets, with its scores added up.",
     .syntax = "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | "
               "MIN | MAX>]"},
    {.name = "ZINTER",
     .arity = -3,
     .flags = kReadOnly | kMovableKeys,
     .acl = kAclSortedSet,
     .keys = {.first = 0, .last = 0, .step = 0, .flags = kKeyRO | kKeyAccess},
     .handler = AnswerZSets<ZSetOperation::kIntersect>,
     .extractor = CountedKeys<1>,
     .group = "sorted_set",
     .since = "6.2.0",
     .complexity = "O(N*K)+O(M*log(M)) for K sets, the smallest of N members, and M in the result",
     .summary = "Answers what is in all of several sets, with its scores added up.",
     .syntax = "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | MIN | MAX>] "
               "[WITHSCORES]"},
    {.name = "ZINTERSTORE",
     .arity = -4,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .acl = kAclSortedSet,
     .keys = {.first = 1, .last = 1, .step = 1, .flags = kKeyOW | kKeyUpdate},
     .handler = StoreZSets<ZSetOperation::kIntersect>,
     .extractor = CountedKeys<2, 1>,
     .group = "sorted_set",
     .since = "2.0.0",
     .complexity = "O(N*K)+O(M*log(M)) for K sets, the smallest of N members, and M in the result",
     .summary = "Stores what is in all of several sets, with its scores added up.",
     .syntax = "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM | "
               "MIN | MAX>]"},
    {.name = "ZINTERCARD",
     .arity = -3,
     .flags = kReadOnly | kMovableKeys,
     .acl = kAclSortedSet,
     .keys = {.first = 0, .last = 0, .step = 0, .flags = kKeyRO | kKeyAccess},
     .handler = ZInterCard,
     .extractor = CountedKeys<1>,
     .group = "sorted_set",
     .since = "7.0.0",
     .complexity = "O(N*K) for K sets, the smallest of N members",
     .summary = "Counts what is in all of several sets, up to a limit.",
     .syntax = "numkeys key [key ...] [LIMIT limit]"},
    {.name = "ZDIFF",
     .arity = -3,
     .flags = kReadOnly | kMovableKeys,
     .acl = kAclSortedSet,
     .keys = {.first = 0, .last = 0, .step = 0, .flags = kKeyRO | kKeyAccess},
     .handler = AnswerZSets<ZSetOperation::kSubtract>,
     .extractor = CountedKeys<1>,
     .group = "sorted_set",
     .since = "6.2.0",
     .complexity = "O(N*K)+O(M*log(M)) for K sets, the first of N members, and M in the result",
     .summary = "Answers what is in the first of several sets and in no other.",
     .syntax = "numkeys key [key ...] [WITHSCORES]"},
    {.name = "ZDIFFSTORE",
     .arity = -4,
     .flags = kWrite | kDenyOom | kMovableKeys,
     .acl = kAclSortedSet,
     .keys = {.first = 1, .last = 1, .step = 1, .flags = kKeyOW | kKeyUpdate},
     .handler = StoreZSets<ZSetOperation::kSubtract>,
     .extractor = CountedKeys<2, 1>,
     .group = "sorted_set",
     .since = "6.2.0",
     .complexity = "O(N*K)+O(M*log(M)) for K sets, the first of N members, and M in the result",
     .summary = "Stores what is in the first of several sets and in no other.",
     .syntax = "destination numkeys key [key ...]"},
};

}  // namespace

std::span<const CommandSpec> ZsetAlgebraCommands() { return kZsetAlgebraCommands; }

}  // namespace spinel
