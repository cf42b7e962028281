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

// A buffer and the string that it has to equal, under random operations.
class Model {
 public:
  explicit Model(uint32_t seed) : random_(seed), blob_(Fill(1 + Below(40'000), '0')) {}
  ~Model() {
    buffer_ = OutputBuffer();
    staging_ = OutputBuffer();
    CHECK(blob_.references == 0);
  }

  void Step() {
    constexpr size_t kSizes[] = {1, 5, 30, 300, 5000, 30'000, kChunk - 32, 100'000};
    const std::string text =
        Fill(kSizes[Below(std::size(kSizes))], static_cast<char>('A' + Below(9)));
    switch (Below(9)) {
      case 0:
      case 1:
        buffer_.Append(text);
        expected_ += text;
        break;
      case 2:
        buffer_.AppendPinned(blob_.Ref());
        expected_ += blob_.bytes;
        break;
      case 3:
        return AppendStaged(text);
      case 4:
        marks_.push_back(buffer_.mark());
        break;
      case 5:
      case 6:
        return Insert("*" + text.substr(0, 10) + "\r\n");
      case 7:
        return Truncate();
      default:
        return Consume();
    }
  }

  void Check() const {
    CheckContent(buffer_, expected_);
    REQUIRE(buffer_.MemoryBytes() < 4 * expected_.size() + 64 * kChunk);
  }

 private:
  size_t Below(size_t limit) { return static_cast<size_t>(random_() % limit); }

  void AppendStaged(const std::string& text) {
    for (size_t i = Below(4); i > 0; --i) {
      staging_.Append(text);
      expected_ += text;
      if (Below(2) == 0) continue;
      staging_.AppendPinned(blob_.Ref());
      expected_ += blob_.bytes;
    }
    buffer_.AppendBuffer(std::move(staging_));
  }

  void Insert(const std::string& header) {
    if (marks_.empty()) return;
    buffer_.InsertAt(marks_.back(), header);
    expected_.insert(marks_.back().size, header);
    marks_.pop_back();
  }

  void Truncate() {
    if (marks_.empty() || Below(3) != 0) return;
    buffer_.TruncateTo(marks_.back());
    expected_.resize(marks_.back().size);
    marks_.pop_back();
  }

  void Consume() {
    if (Below(3) != 0) return;
    const size_t taken = Below(expected_.size() + 1);
    buffer_.Consume(taken);
    expected_.erase(0, taken);
    marks_.clear();
  }

  std::mt19937 random_;
  Blob blob_;
  OutputBuffer buffer_;
  OutputBuffer staging_;
  std::string expected_;
  std::vector<OutputBuffer::Mark> marks_;
};

TEST_CASE("Output buffer: random operations against a string") {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    Model model(seed);
    for (int step = 0; step < 60; ++step) model.Step();
    model.Check();
  }
}

}  // namespace
}  // namespace spinel
