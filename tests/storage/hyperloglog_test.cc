#include "storage/hyperloglog.h"

#include <catch2/catch.hpp>
#include <string>

namespace spinel {
namespace {

constexpr size_t kSparseBytes = 3000;

void Add(std::string* hll, int first, int count, size_t max_sparse_bytes = kSparseBytes) {
  for (int i = first; i < first + count; ++i) {
    RaiseRegister(hll, HashForHll("e" + std::to_string(i)), max_sparse_bytes);
  }
}

HllRegisters RegistersOf(const std::string& hll) {
  HllRegisters registers = {};
  CHECK(MergeHll(hll, &registers));
  return registers;
}

std::string Sparse(std::string_view runs) {
  return EmptyHll().substr(0, kHllHeaderBytes) + std::string(runs);
}

}  // namespace

// What Redis 7.0's PFDEBUG DECODE shows after PFADD h e1 ... e10.
TEST_CASE("HyperLogLog: the runs are those of Redis") {
  std::string hll = EmptyHll();
  CHECK(DescribeRuns(hll) == "Z:16384");
  Add(&hll, 1, 10);
  CHECK(DescribeRuns(hll) ==
        "Z:3158 v:2,1 Z:4042 v:1,1 Z:1043 v:2,1 Z:2642 v:2,1 Z:782 v:2,1 Z:260 v:2,1 Z:1746 v:1,1 "
        "Z:2023 v:2,1 Z:137 v:1,1 Z:107 v:2,1 Z:434");
  CHECK(CountHll(hll) == 10U);
  CHECK(KeptHllCount(hll) == std::nullopt);
  KeepHllCount(hll.data(), 10);
  CHECK(KeptHllCount(hll) == 10U);
}

TEST_CASE("HyperLogLog: both encodings hold the same registers and estimate well") {
  std::string sparse = EmptyHll();
  std::string dense = EmptyHll();
  REQUIRE(MakeDense(&dense));
  REQUIRE(IsHll(dense));
  for (int added = 0; added < 20000; added += 500) {
    Add(&sparse, added, 500);
    Add(&dense, added, 500);
    CHECK(RegistersOf(sparse) == RegistersOf(dense));
    CHECK(CountHll(sparse) == CountHll(dense));
    CHECK(CountRegisters(RegistersOf(dense)) == CountHll(dense));
    CHECK(static_cast<double>(*CountHll(dense)) == Approx(added + 500).epsilon(0.04));
    CHECK(IsDenseHll(sparse) == (added >= 1500));
  }
  CHECK(sparse.size() == kHllDenseBytes);
}

TEST_CASE("HyperLogLog: any register takes any rank") {
  std::string hll = EmptyHll();
  REQUIRE(MakeDense(&hll));
  for (uint32_t i = 0; i < kHllRegisters; ++i) {
    CHECK(RaiseDense(hll.data(), {i, static_cast<uint8_t>(1 + i % 63)}));
  }
  for (uint32_t i = 0; i < kHllRegisters; ++i) {
    REQUIRE(DenseRegister(hll, i) == 1 + i % 63);
    REQUIRE_FALSE(RaiseDense(hll.data(), {i, static_cast<uint8_t>(1 + i % 63)}));
  }
  CHECK(CountHll(hll).has_value());
  // A rank that runs cannot express makes it dense.
  std::string sparse = EmptyHll();
  CHECK(RaiseRegister(&sparse, {5, 33}, kSparseBytes) == HllChange::kRaised);
  CHECK(IsDenseHll(sparse));
  CHECK(DenseRegister(sparse, 5) == 33);
}

TEST_CASE("HyperLogLog: runs are split and joined") {
  std::string hll = EmptyHll();
  for (const uint32_t index : {0U, 2U, 1U, 3U, 16383U})
    RaiseRegister(&hll, {index, 4}, kSparseBytes);
  CHECK(DescribeRuns(hll) == "v:4,4 Z:16379 v:4,1");
  RaiseRegister(&hll, {1, 9}, kSparseBytes);
  CHECK(DescribeRuns(hll) == "v:4,1 v:9,1 v:4,2 Z:16379 v:4,1");
  CHECK(RaiseRegister(&hll, {1, 8}, kSparseBytes) == HllChange::kNone);
  // No room for another run.
  CHECK(RaiseRegister(&hll, {100, 1}, hll.size()) == HllChange::kRaised);
  CHECK(IsDenseHll(hll));
  CHECK(DenseRegister(hll, 100) == 1);
  CHECK(DenseRegister(hll, 16383) == 4);
}

TEST_CASE("HyperLogLog: corrupt bytes are refused and nothing is read beyond them") {
  CHECK_FALSE(IsHll(""));
  CHECK_FALSE(IsHll("HYLL"));
  CHECK_FALSE(IsHll("HYLX" + std::string(100, '\0')));
  CHECK_FALSE(IsHll("HYLL" + std::string(100, '\0')));  // dense, of a wrong length
  CHECK_FALSE(IsHll(std::string("HYLL\2", 5) + std::string(100, '\0')));
  const std::string too_few("\x7f", 1);                         // cut off
  const std::string too_many = "\x7f\xff" + std::string(1, 0);  // 16385 registers
  for (const std::string& runs :
       {std::string(), too_few, too_many, std::string(3, '\0'), "\x7f\xff\xff" + std::string()}) {
    const std::string hll = Sparse(runs);
    REQUIRE(IsHll(hll));
    HllRegisters registers = {};
    CHECK_FALSE(MergeHll(hll, &registers));
    CHECK_FALSE(CountHll(hll).has_value());
    CHECK(DescribeRuns(hll).size() < 30);
    std::string changed = hll;
    CHECK_FALSE(MakeDense(&changed));
    CHECK(changed == hll);
    if (runs == too_many || runs.starts_with("\x7f\xff")) continue;
    CHECK(RaiseRegister(&changed, {16383, 1}, kSparseBytes) == HllChange::kCorrupt);
  }
}

}  // namespace spinel
