#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "persistence/byte_sink.h"
#include "persistence/byte_source.h"
#include "persistence/crc64.h"

namespace spinel {
namespace {

struct TempFile {
  TempFile() : file(std::tmpfile()), fd(fileno(file)) {}
  ~TempFile() { std::fclose(file); }
  void Rewind() const { REQUIRE(::lseek(fd, 0, SEEK_SET) == 0); }

  std::FILE* file;
  int fd;
};

std::string Pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 131 >> 3);
  return text;
}

void WriteMuch(ByteSink* sink, std::string* copy) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{1000}, size_t{300000}, size_t{7}}) {
    const std::string text = Pattern(size);
    sink->Write(text);
    sink->Byte(42);
    sink->Raw(uint32_t{0x04030201});
    *copy += text + '\x2a' + "\x01\x02\x03\x04";
    char* const room = sink->Reserve(100000);
    std::memcpy(room, "reserved", 8);
    sink->Commit(room + 8);
    *copy += "reserved";
  }
}

}  // namespace

TEST_CASE("sinks: memory and a file take the same bytes") {
  std::string expected;
  MemorySink memory;
  WriteMuch(&memory, &expected);
  CHECK(memory.bytes() == expected);
  CHECK(memory.written() == expected.size());
  CHECK(memory.Checksum() == Crc64(0, expected));

  const TempFile file;
  std::string again;
  FdSink sink(file.fd);
  WriteMuch(&sink, &again);
  CHECK(sink.written() == expected.size());
  CHECK(sink.Checksum() == Crc64(0, expected));
  REQUIRE(sink.Flush());
  CHECK(sink.Checksum() == Crc64(0, expected));
  file.Rewind();
  std::string read(expected.size() + 1, '\0');
  CHECK(::read(file.fd, read.data(), read.size()) == static_cast<ssize_t>(expected.size()));
  read.pop_back();
  CHECK((read == expected));
}

TEST_CASE("sinks: a failure is latched, and writing goes on harmlessly") {
  FdSink sink(-1);
  std::string ignored;
  WriteMuch(&sink, &ignored);
  CHECK(!sink.Flush());
  CHECK(!sink.ok());
  CHECK(sink.error() == EBADF);
}

TEST_CASE("sources: a file gives what memory gives") {
  const std::string bytes = Pattern(1000000);
  const TempFile file;
  REQUIRE(::write(file.fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  file.Rewind();
  FdSource source(file.fd, bytes.size());
  size_t at = 0;
  for (const size_t size :
       {size_t{1}, size_t{10}, size_t{262144}, size_t{3}, size_t{300000}, size_t{0}, size_t{50}}) {
    const char* const taken = source.Take(size);
    REQUIRE(taken != nullptr);
    CHECK((std::string_view(taken, size) == std::string_view(bytes).substr(at, size)));
    at += size;
    CHECK(source.offset() == at);
    CHECK(source.Checksum() == Crc64(0, std::string_view(bytes).substr(0, at)));
  }
  std::string copy(300000, '\0');
  REQUIRE(source.Read(copy.data(), copy.size()));
  CHECK((copy == bytes.substr(at, copy.size())));
  at += copy.size();
  CHECK(source.Checksum() == Crc64(0, std::string_view(bytes).substr(0, at)));
  CHECK(source.remaining() == bytes.size() - at);
  CHECK(source.Take(bytes.size() - at + 1) == nullptr);
  CHECK(source.Take(bytes.size() - at) != nullptr);
  CHECK(source.remaining() == 0);
  CHECK(source.Take(1) == nullptr);
  CHECK(source.error() == 0);
}

TEST_CASE("sources: a file that is shorter than it was, or cannot be read") {
  const TempFile file;
  REQUIRE(::write(file.fd, "abc", 3) == 3);
  file.Rewind();
  FdSource shrunk(file.fd, 10);
  CHECK(shrunk.Take(3) != nullptr);
  CHECK(shrunk.Take(7) == nullptr);
  FdSource closed(-1, 10);
  CHECK(closed.Take(1) == nullptr);
  CHECK(closed.error() == EBADF);
}

}  // namespace spinel
