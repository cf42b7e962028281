#include "server/input_buffer.h"

#include <string>

#include "catch2/catch.hpp"

namespace spinel {
namespace {

using Room = InputBuffer::Room;

constexpr std::string_view kHead = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n";
constexpr std::string_view kTail = "\r\n";

std::string Value() {
  std::string value(100'000, 'v');
  value.front() = '<';
  value.back() = '>';
  return value;
}

// A whole request, in a buffer that it fills but for `room`, and what follows it.
void Fill(InputBuffer* buffer, std::string_view rest = {}, size_t room = 0) {
  const std::string request = std::string(kHead) + Value() + std::string(kTail) + std::string(rest);
  REQUIRE(buffer->Reserve(request.size() + room));
  REQUIRE(buffer->Append(request));
}

std::string_view ValueIn(InputBuffer* buffer) {
  return {buffer->data() + kHead.size(), Value().size()};
}

size_t RequestSize() { return kHead.size() + Value().size() + kTail.size(); }

TEST_CASE("A buffer that is hardly more than a value becomes the value") {
  InputBuffer buffer;
  Fill(&buffer);
  const std::string_view bytes = ValueIn(&buffer);
  Blob* const blob = buffer.Take(bytes);
  REQUIRE(blob != nullptr);
  CHECK(blob->data() == bytes.data());
  CHECK(blob->view() == Value());
  CHECK(blob->MemoryBytes() >= RequestSize());
  // The request can still be read.
  CHECK(std::string_view(buffer.data(), kHead.size()) == kHead);
  CHECK_FALSE(blob->unique());
  REQUIRE(buffer.Consume(RequestSize(), Room::kFree));
  CHECK(blob->unique());
  CHECK(blob->view() == Value());
  CHECK(buffer.capacity() == 0);
  blob->Release();
}

TEST_CASE("A value outlives its buffer, and a buffer its value") {
  InputBuffer kept;
  Blob* survivor = nullptr;
  {
    InputBuffer buffer;
    Fill(&buffer);
    survivor = buffer.Take(ValueIn(&buffer));
    REQUIRE(survivor != nullptr);
  }
  CHECK(survivor->view() == Value());
  survivor->Release();
  Fill(&kept);
  kept.Take(ValueIn(&kept))->Release();
  CHECK(ValueIn(&kept) == Value());
}

TEST_CASE("What follows a value that was taken stays, in memory of its own") {
  InputBuffer buffer;
  Fill(&buffer, "*1\r\n$4\r\nPING\r\n");
  Blob* const blob = buffer.Take(ValueIn(&buffer));
  REQUIRE(blob != nullptr);
  REQUIRE(buffer.Consume(RequestSize(), Room::kFree));
  CHECK(std::string_view(buffer.data(), buffer.size()) == "*1\r\n$4\r\nPING\r\n");
  CHECK(buffer.capacity() == buffer.size());
  CHECK(blob->view() == Value());
  blob->Release();
}

TEST_CASE("After a value that was taken there is room for another, if it is wanted") {
  InputBuffer buffer;
  Fill(&buffer, "abc");
  Blob* const blob = buffer.Take(ValueIn(&buffer));
  REQUIRE(blob != nullptr);
  REQUIRE(buffer.Consume(RequestSize(), Room::kKeep));
  CHECK(std::string_view(buffer.data(), buffer.size()) == "abc");
  CHECK(buffer.capacity() >= RequestSize());
  CHECK(buffer.capacity() <= RequestSize() + RequestSize() / 16);
  blob->Release();
}

TEST_CASE("What would waste memory, lies elsewhere or is taken already is not given away") {
  InputBuffer buffer;
  CHECK(buffer.Take("") == nullptr);
  Fill(&buffer, {}, 10'000);
  CHECK(buffer.Take(ValueIn(&buffer)) == nullptr);  // a tenth of it would be of no use
  buffer.ShrinkTo(0);
  const std::string elsewhere = Value();
  CHECK(buffer.Take(elsewhere) == nullptr);
  CHECK(buffer.Take(ValueIn(&buffer).substr(0, 50'000)) == nullptr);
  CHECK(buffer.Take({buffer.data() + kHead.size(), Blob::kMinBytes - 1}) == nullptr);
  Blob* const blob = buffer.Take(ValueIn(&buffer));
  REQUIRE(blob != nullptr);
  CHECK(buffer.Take(ValueIn(&buffer)) == nullptr);
  blob->Release();
}

TEST_CASE("Room goes with the last byte, or stays, and can be given back") {
  InputBuffer buffer;
  Fill(&buffer);
  REQUIRE(buffer.Consume(RequestSize(), Room::kKeep));
  CHECK(buffer.empty());
  CHECK(buffer.capacity() == RequestSize());
  CHECK(buffer.TakePeak() == RequestSize());
  CHECK(buffer.TakePeak() == 0);
  buffer.ShrinkTo(20'000);
  CHECK(buffer.capacity() == 20'000);
  REQUIRE(buffer.Append("abc"));
  buffer.ShrinkTo(0);
  CHECK(buffer.capacity() == 3);
  CHECK(std::string_view(buffer.data(), buffer.size()) == "abc");
  REQUIRE(buffer.Consume(1, Room::kFree));
  CHECK(std::string_view(buffer.data(), buffer.size()) == "bc");
  REQUIRE(buffer.Consume(2, Room::kFree));
  CHECK(buffer.capacity() == 0);
}

}  // namespace
}  // namespace spinel
