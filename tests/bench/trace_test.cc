#include "bench/hits/trace.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace spinel::hits {
namespace {

constexpr size_t kAll = std::numeric_limits<size_t>::max();

using Objects = std::vector<uint64_t>;

Trace TraceOf(const Objects& objects) {
  Trace trace;
  for (const uint64_t object : objects) trace.Add(object);
  return trace;
}

Objects ObjectsOf(const Trace& trace) {
  Objects objects;
  for (const uint32_t number : trace.requests()) objects.push_back(trace.objects()[number]);
  return objects;
}

// What is wrong with the text, or "" and its requests.
std::string Csv(const std::string& text, Objects* objects, const CsvLayout& layout = {},
                size_t limit = kAll) {
  std::istringstream in(text);
  Trace trace;
  const std::string problem = ReadCsv(in, layout, limit, &trace);
  *objects = ObjectsOf(trace);
  return problem;
}

TEST_CASE("Trace: objects are numbered as they appear; next uses") {
  const Trace trace = TraceOf({70, 5, 70, 70, 9, 5});
  CHECK(trace.requests() == std::vector<uint32_t>{0, 1, 0, 0, 2, 1});
  CHECK(trace.objects() == Objects{70, 5, 9});
  CHECK(trace.footprint() == 3);
  constexpr uint32_t kNever = Trace::kNever;
  CHECK(trace.NextUses() == std::vector<uint32_t>{2, 5, 3, kNever, kNever, kNever});
}

TEST_CASE("oracleGeneral: the bytes of a record") {
  std::ostringstream out;
  WriteOracleGeneral(TraceOf({0x0102030405060708, 0x0102030405060708}), out);
  const std::string expected(
      "\0\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01\x01\0\0\0\x01\0\0\0\0\0\0\0"
      "\x01\0\0\0\x08\x07\x06\x05\x04\x03\x02\x01\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
      48);
  CHECK(out.str() == expected);
}

TEST_CASE("oracleGeneral: what is written is read again, up to a limit") {
  Objects many;
  for (uint64_t i = 0; i < 10'000; ++i) many.push_back(i * i % 977 + (uint64_t{1} << 63));
  std::ostringstream out;
  WriteOracleGeneral(TraceOf(many), out);
  for (const size_t limit : {kAll, size_t{10'000}, size_t{4097}, size_t{1}, size_t{0}}) {
    std::istringstream in(out.str());
    Trace trace;
    CHECK(ReadOracleGeneral(in, limit, &trace).empty());
    many.resize(std::min(many.size(), limit));
    CHECK(ObjectsOf(trace) == many);
  }
}

TEST_CASE("oracleGeneral: a file that is cut short is named as such") {
  std::ostringstream out;
  WriteOracleGeneral(TraceOf({1, 2, 3}), out);
  std::istringstream in(out.str().substr(0, 60));
  Trace trace;
  CHECK(ReadOracleGeneral(in, kAll, &trace).find("within request 3") != std::string::npos);
  CHECK(ObjectsOf(trace) == Objects{1, 2});
}

TEST_CASE("csv: the column of objects is found by its name") {
  Objects objects;
  CHECK(Csv("version,time,op,size,lbn\n1,33898,2a,512,42\n1,33898,2a,512,7\n", &objects).empty());
  CHECK(objects == Objects{42, 7});
  CHECK(Csv("obj_id, time\r\n 3, 1\r\n\r\n4, 2\r\n", &objects).empty());
  CHECK(objects == Objects{3, 4});
}

TEST_CASE("csv: without names it is the second column, or the only one") {
  Objects objects;
  CHECK(Csv("1,30,512\n2,31,512\n", &objects).empty());
  CHECK(objects == Objects{30, 31});
  CHECK(Csv("30\n31", &objects).empty());
  CHECK(objects == Objects{30, 31});
}

TEST_CASE("csv: the layout can be said") {
  CsvLayout layout;
  CHECK(
      ParseCsvLayout("time-col=1, obj-id-col=3,obj-size-col=2,delimiter=;,has-header=true", &layout)
          .empty());
  Objects objects;
  CHECK(Csv("1;2;3\n4;5;6\n", &objects, layout).empty());
  CHECK(objects == Objects{6});
  CHECK(ParseCsvLayout("delimiter=,,obj-id-col=1,has-header=0", &layout).empty());
  CHECK(Csv("a,b\nc,d\na,e\n", &objects, layout).empty());
  REQUIRE(objects.size() == 3);
  CHECK(objects[0] == objects[2]);
  CHECK(objects[0] != objects[1]);
  CHECK(ParseCsvLayout("delimiter=\\t", &layout).empty());
  CHECK(layout.delimiter == '\t');
}

TEST_CASE("csv: a layout that makes no sense is refused") {
  CsvLayout layout;
  for (const char* const wrong : {"obj-id-col", "obj-id-col=", "obj-id-col=0", "obj-id-col=x",
                                  "delimiter=ab", "has-header=maybe", "no-such=1"}) {
    CHECK_FALSE(ParseCsvLayout(wrong, &layout).empty());
  }
}

TEST_CASE("csv: a line without the column is named; limits hold") {
  Objects objects;
  CHECK(Csv("1,2\n# a comment\n3\n", &objects).find("line 3") != std::string::npos);
  CHECK(objects == Objects{2});
  CHECK(Csv("1,2\n3\n", &objects, {}, 1).empty());
  CHECK(objects == Objects{2});
}

}  // namespace
}  // namespace spinel::hits
