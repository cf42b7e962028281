#include "protocol/output_buffer.h"

#include <array>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spinel {
namespace {

constexpr size_t kChunk = OutputBuffer::kChunkBytes;

// An immutable value that counts its references.
struct Blob {
  explicit Blob(std::string content) : bytes(std::move(content)) {}

  Pin Ref() {
    ++references;
    return {bytes.data(), bytes.size(), this,
            [](void* owner) { --static_cast<Blob*>(owner)->references; }};
  }

  std::string bytes;
  int references = 0;
};

// What a socket would be handed.
std::string Gathered(const OutputBuffer& buffer) {
  std::array<iovec, 1024> vectors;
  std::string result;
  const int count = buffer.FillIovec(vectors.data(), static_cast<int>(vectors.size()));
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    CHECK(vectors[i].iov_len > 0);
    result.append(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
  }
  return result;
}

void CheckContent(const OutputBuffer& buffer, const std::string& expected) {
  REQUIRE(buffer.size() == expected.size());
  REQUIRE(buffer.empty() == expected.empty());
  REQUIRE((buffer.Flatten() == expected));
  REQUIRE((Gathered(buffer) == expected));
}

std::string Fill(size_t size, char first = 'a') {
  std::string text(size, ' ');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(first + i % 23);
  return text;
}

TEST_CASE("Output buffer: appends across blocks") {
  OutputBuffer buffer;
  CheckContent(buffer, "");
  CHECK(buffer.MemoryBytes() == 0);
  std::string expected;
  for (size_t size :
       {size_t{0}, size_t{1}, size_t{100}, kChunk - 1, kChunk, 3 * kChunk, size_t{7}}) {
    expected += Fill(size);
    buffer.Append(Fill(size));
    CheckContent(buffer, expected);
  }
  buffer.Append({});
  char* to = buffer.Reserve(10);
  to[0] = 'x';
  buffer.Commit(1);
  CheckContent(buffer, expected + "x");
}

TEST_CASE("Output buffer: pins are sent in order and released once") {
  Blob blob(Fill(50'000));
  Blob empty("");
  {
    OutputBuffer buffer;
    buffer.AppendPinned(blob.Ref());
    buffer.Append("-");
    buffer.AppendPinned(empty.Ref());
    CHECK(empty.references == 0);
    buffer.AppendPinned(blob.Ref());
    buffer.AppendPinned(blob.Ref());
    buffer.Append("+");
    CheckContent(buffer, blob.bytes + "-" + blob.bytes + blob.bytes + "+");
    CHECK(buffer.MemoryBytes() >= 150'000);
    buffer.Consume(49'999);
    CHECK(blob.references == 3);
    buffer.Consume(1);
    CHECK(blob.references == 2);
    CheckContent(buffer, "-" + blob.bytes + blob.bytes + "+");
  }
  CHECK(blob.references == 0);
}

TEST_CASE("Output buffer: many pins share one block for what is between them") {
  Blob blob(Fill(20'000));
  OutputBuffer buffer;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    buffer.Append("$20000\r\n");
    buffer.AppendPinned(blob.Ref());
    buffer.Append("\r\n");
    expected += "$20000\r\n" + blob.bytes + "\r\n";
  }
  CheckContent(buffer, expected);
  CHECK(buffer.MemoryBytes() < 300 * blob.bytes.size() + 2 * kChunk);
}

TEST_CASE("Output buffer: consumed in any steps") {
  for (size_t step : {size_t{1}, size_t{7}, size_t{1000}, kChunk, 4 * kChunk}) {
    Blob blob(Fill(3000));
    OutputBuffer buffer;
    std::string expected;
    for (int i = 0; i < 5; ++i) {
      buffer.Append(Fill(200, 'A'));
      buffer.AppendPinned(blob.Ref());
      expected += Fill(200, 'A') + blob.bytes;
    }
    buffer.Append("tail");
    expected += "tail";
    bool grown = false;
    while (!expected.empty()) {
      const size_t taken = std::min(step, expected.size());
      buffer.Consume(taken);
      expected.erase(0, taken);
      if (step > 100 || expected.size() % 97 == 0) CheckContent(buffer, expected);
      if (!grown && expected.size() < 100) {
        grown = true;
        buffer.Append("more");
        expected += "more";
      }
    }
    CheckContent(buffer, "");
    CHECK(blob.references == 0);
  }
}

TEST_CASE("Output buffer: a queue that never drains does not grow") {
  Blob blob("x");
  OutputBuffer buffer;
  buffer.Append(Fill(100));
  for (int i = 0; i < 100'000; ++i) {
    buffer.AppendPinned(blob.Ref());
    buffer.Append("yz");
    buffer.Consume(3);
  }
  CHECK(buffer.size() == 100);
  CHECK(buffer.MemoryBytes() < 3 * kChunk);
}

TEST_CASE("Output buffer: clearing keeps one default block") {
  OutputBuffer buffer;
  buffer.Append(Fill(4 * kChunk));
  buffer.Clear();
  CheckContent(buffer, "");
  buffer.Append("abc");
  const char* const first = buffer.Reserve(0) - 3;
  buffer.Append(Fill(3 * kChunk));
  buffer.Append(Fill(100));
  buffer.Clear();
  CHECK(buffer.Reserve(1) == first);
  CHECK(buffer.MemoryBytes() < kChunk + 1024);
  buffer.Append("abc");
  buffer.Consume(3);
  CHECK(buffer.Reserve(1) == first);
  CheckContent(buffer, "");
  buffer.FreeMemory();
  CHECK(buffer.MemoryBytes() == 0);
  buffer.Append("again");
  CheckContent(buffer, "again");
}

TEST_CASE("Output buffer: a little leftover moves in a little memory") {
  OutputBuffer staging;
  OutputBuffer connection;
  staging.Append(Fill(1000));
  staging.Consume(990);
  const std::string rest = staging.Flatten();
  connection.AppendBuffer(std::move(staging));
  CheckContent(connection, rest);
  CheckContent(staging, "");
  CHECK(connection.MemoryBytes() < 1024);
  CHECK(staging.MemoryBytes() >= kChunk);  // the staging area keeps its block

  std::string expected = rest;
  for (int i = 0; i < 1000; ++i) {
    staging.Append("message");
    expected += "message";
    connection.AppendBuffer(std::move(staging));
  }
  CheckContent(connection, expected);
  CHECK(connection.MemoryBytes() < 3 * expected.size());
}

TEST_CASE("Output buffer: full blocks and pins change hands") {
  Blob blob(Fill(20'000));
  OutputBuffer staging;
  OutputBuffer connection;
  connection.Append("first");
  staging.Append(Fill(kChunk - 100));
  staging.AppendPinned(blob.Ref());
  staging.Append("\r\n");
  staging.Append(Fill(3 * kChunk, 'A'));
  staging.Append("end");
  const std::string expected = "first" + staging.Flatten();
  const size_t held = staging.MemoryBytes() + connection.MemoryBytes();
  connection.AppendBuffer(std::move(staging));
  CheckContent(connection, expected);
  CheckContent(staging, "");
  CHECK(blob.references == 1);
  CHECK(connection.MemoryBytes() + staging.MemoryBytes() <= held + 1024);
  staging.Append("next");
  connection.AppendBuffer(std::move(staging));
  CheckContent(connection, expected + "next");
  connection.Consume(connection.size());
  CHECK(blob.references == 0);
}

TEST_CASE("Output buffer: moves") {
  Blob blob("pinned");
  OutputBuffer a;
  a.Append("text");
  a.AppendPinned(blob.Ref());
  OutputBuffer b(std::move(a));
  CheckContent(b, "textpinned");
  a.Append("reused");
  CheckContent(a, "reused");
  a = std::move(b);
  CheckContent(a, "textpinned");
  CHECK(blob.references == 1);
  a = OutputBuffer();
  CHECK(blob.references == 0);
}

TEST_CASE("Output buffer: truncation drops bytes and pins behind the mark") {
  for (size_t before : {size_t{0}, size_t{5}, kChunk - 40, kChunk - 32, 2 * kChunk}) {
    for (size_t behind : {size_t{0}, size_t{5}, kChunk}) {
      Blob blob("pinned");
      OutputBuffer buffer;
      buffer.Append(Fill(before));
      const OutputBuffer::Mark mark = buffer.mark();
      buffer.AppendPinned(blob.Ref());
      buffer.Append(Fill(behind));
      buffer.AppendPinned(blob.Ref());
      buffer.TruncateTo(mark);
      CHECK(blob.references == 0);
      CheckContent(buffer, Fill(before));
      buffer.Append("next");
      buffer.TruncateTo(mark);
      buffer.Append("again");
      CheckContent(buffer, Fill(before) + "again");
    }
  }
}

TEST_CASE("Output buffer: truncation behind a pin") {
  Blob blob("pinned");
  OutputBuffer buffer;
  buffer.AppendPinned(blob.Ref());
  const OutputBuffer::Mark mark = buffer.mark();
  buffer.Append("dropped");
  buffer.AppendPinned(blob.Ref());
  buffer.TruncateTo(mark);
  CHECK(blob.references == 1);
  buffer.Append("kept");
  CheckContent(buffer, "pinnedkept");
}

TEST_CASE("Output buffer: insertion at every place of a block") {
  for (size_t before : {size_t{0}, size_t{3}, kChunk - 40, kChunk - 33, kChunk - 32, 2 * kChunk}) {
    for (size_t behind : {size_t{0}, size_t{1}, size_t{40}, kChunk, 3 * kChunk}) {
      for (bool pinned : {false, true}) {
        Blob blob("pinned");
        OutputBuffer buffer;
        buffer.Append(Fill(before));
        const OutputBuffer::Mark mark = buffer.mark();
        std::string expected = Fill(before) + "*12345\r\n";
        if (pinned) {
          buffer.AppendPinned(blob.Ref());
          expected += blob.bytes;
        }
        buffer.Append(Fill(behind, 'A'));
        expected += Fill(behind, 'A');
        buffer.InsertAt(mark, "*12345\r\n");
        CheckContent(buffer, expected);
        buffer.InsertAt(mark, "*1\r\n");  // an outer aggregate that begins at the same place
        expected.insert(before, "*1\r\n");
        CheckContent(buffer, expected);
        buffer.Append("more");
        CheckContent(buffer, expected + "more");
        buffer.TruncateTo(mark);
        CheckContent(buffer, Fill(before));
        CHECK(blob.references == 0);
      }
    }
  }
}

TEST_CASE("Output buffer: insertion into a block that goes on behind a pin") {
  Blob blob("pinned");
  OutputBuffer buffer;
  buffer.Append("abc");
  const OutputBuffer::Mark mark = buffer.mark();
  buffer.AppendPinned(blob.Ref());
  buffer.Reserve(5);  // the same block again, nothing written yet
  buffer.InsertAt(mark, "12");
  buffer.Append("def");
  buffer.InsertAt(mark, "34");
  CheckContent(buffer, "abc3412pinneddef");
}

// A buffer does what a string does, whatever the order of operations.
TEST_CASE("Output buffer: random operations against a string") {
  std::mt19937 random(20250101);
  const auto below = [&random](size_t limit) { return static_cast<size_t>(random() % limit); };
  const size_t sizes[] = {1, 5, 30, 300, 5000, 30'000, kChunk - 32, 100'000};
  for (int round = 0; round < 300; ++round) {
    Blob blob(Fill(1 + below(40'000), '0'));
    {
      OutputBuffer buffer;
      OutputBuffer staging;
      std::string expected;
      std::vector<OutputBuffer::Mark> marks;
      for (int step = 0; step < 60; ++step) {
        const std::string text =
            Fill(sizes[below(std::size(sizes))], static_cast<char>('A' + step));
        switch (below(9)) {
          case 0:
          case 1:
            buffer.Append(text);
            expected += text;
            break;
          case 2:
            buffer.AppendPinned(blob.Ref());
            expected += blob.bytes;
            break;
          case 3:
            for (size_t i = below(4); i > 0; --i) {
              staging.Append(text);
              expected += text;
              if (below(2) != 0) {
                staging.AppendPinned(blob.Ref());
                expected += blob.bytes;
              }
            }
            buffer.AppendBuffer(std::move(staging));
            break;
          case 4:
            marks.push_back(buffer.mark());
            break;
          case 5:
          case 6:
            if (!marks.empty()) {
              const std::string header = "*" + std::to_string(step) + "\r\n";
              buffer.InsertAt(marks.back(), header);
              expected.insert(marks.back().size, header);
              marks.pop_back();
            }
            break;
          case 7:
            if (!marks.empty() && below(3) == 0) {
              buffer.TruncateTo(marks.back());
              expected.resize(marks.back().size);
              marks.pop_back();
            }
            break;
          default:
            if (below(3) == 0) {
              const size_t taken = below(expected.size() + 1);
              buffer.Consume(taken);
              expected.erase(0, taken);
              marks.clear();
            }
        }
        REQUIRE(buffer.size() == expected.size());
      }
      CheckContent(buffer, expected);
      REQUIRE(buffer.MemoryBytes() < 4 * expected.size() + 64 * kChunk);
      if (round % 2 == 0) buffer.Clear();
    }
    REQUIRE(blob.references == 0);
  }
}

}  // namespace
}  // namespace spinel
