#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "persistence/intset.h"
#include "persistence/listpack.h"
#include "persistence/ziplist.h"
#include "persistence/zipmap.h"
#include "tests/persistence/rdb_support.h"

namespace spinel {
namespace {

using rdb_test::Hex;

// The elements, one after the other; "!" and what was expected if something is wrong.
template <typename Cursor>
std::string Walk(const std::string& block) {
  const auto exact = std::make_unique<char[]>(block.size());
  std::copy(block.begin(), block.end(), exact.get());
  Cursor cursor({exact.get(), block.size()});
  std::string text;
  char room[kIntegerChars];
  for (PackedItem item; cursor.Next(&item);) {
    text += item.is_integer ? "#" : "";
    text += std::string(item.Bytes(room)) + ' ';
  }
  if (cursor.expected() != nullptr) {
    CHECK(cursor.error_offset() <= block.size());
    text += std::string("!") + cursor.expected();
  }
  return text;
}

// Every truncation and every changed byte ends in an error or in other elements.
template <typename Cursor>
void Damage(const std::string& block) {
  for (size_t size = 0; size < block.size(); ++size) {
    const std::string text = Walk<Cursor>(block.substr(0, size));
    if (text.find('!') == std::string::npos) FAIL("cut at " << size);
  }
  for (size_t i = 0; i < block.size(); ++i) {
    for (int flip = 1; flip < 256; ++flip) {
      std::string damaged = block;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      Walk<Cursor>(damaged);
    }
  }
}

std::string Listpack(const std::vector<std::string>& elements) {
  size_t room = ListpackWriter::kMaxOverhead;
  for (const std::string& element : elements) room += ListpackWriter::MaxBytes(element.size());
  std::string block(room, '\0');
  ListpackWriter writer(block.data());
  for (const std::string& element : elements) writer.Add(element);
  block.resize(static_cast<size_t>(writer.Finish() - block.data()));
  return block;
}

}  // namespace

TEST_CASE("listpack: every form") {
  CHECK(Walk<ListpackCursor>(Hex("07 00 00 00 00 00 ff")).empty());
  const std::string block =
      Hex("3a 00 00 00 0a 00 "
          "05 01 "                          // 5
          "82 'hi' 03 "                     // hi
          "c1 00 02 "                       // 256 in 13 bits
          "df ff 02 "                       // -1
          "e0 03 'abc' 05 "                 // with 12 bits of length
          "f0 02 00 00 00 'xy' 07 "         // with 32 bits of length
          "f1 00 80 03 "                    // -32768
          "f2 ff ff 7f 04 "                 // 8388607
          "f3 00 00 00 80 05 "              // -2147483648
          "f4 ff ff ff ff ff ff ff 7f 09 "  // the highest
          "ff");
  CHECK(Walk<ListpackCursor>(block) ==
        "#5 hi #256 #-1 abc xy #-32768 #8388607 #-2147483648 #9223372036854775807 ");
  Damage<ListpackCursor>(block);
}

TEST_CASE("listpack: what is written is spelled as Redis spells it") {
  CHECK(Listpack({}) == Hex("07 00 00 00 00 00 ff"));
  CHECK(Listpack({"0", "127", "128", "-1", "-4096", "4096"}) ==
        Hex("18 00 00 00 06 00 00 01 7f 01 c0 80 02 df ff 02 d0 00 02 f1 00 10 03 ff"));
  CHECK(Listpack({"", "a", "01"}) == Hex("10 00 00 00 03 00 80 01 81 'a' 02 82 '01' 03 ff"));
  CHECK(Listpack({"32768", "8388608", "2147483648"}) ==
        Hex("1c 00 00 00 03 00 f2 00 80 00 04 f3 00 00 80 00 05 "
            "f4 00 00 00 80 00 00 00 00 09 ff"));
  const std::string text(130, 't');
  CHECK(Listpack({text}) == Hex("8d 00 00 00 01 00 e0 82") + text + Hex("01 84 ff"));
}

TEST_CASE("listpack: what is written is read again") {
  std::vector<std::string> elements = {"-0", "00", "+1", "9223372036854775808", " 1"};
  for (const size_t size : {0, 1, 63, 64, 126, 127, 128, 4095, 4096, 16380, 16383, 70000}) {
    elements.push_back(std::string(size, 's'));
  }
  for (int shift = 0; shift < 63; ++shift) {
    for (const int64_t near : {-1, 0, 1}) {
      elements.push_back(std::to_string((int64_t{1} << shift) + near));
      elements.push_back(std::to_string(-(int64_t{1} << shift) + near));
    }
  }
  elements.push_back(std::to_string(std::numeric_limits<int64_t>::min()));
  const std::string block = Listpack(elements);
  ListpackCursor cursor(block);
  char room[kIntegerChars];
  size_t index = 0;
  for (PackedItem item; cursor.Next(&item); ++index) {
    REQUIRE(index < elements.size());
    if (item.Bytes(room) != elements[index]) FAIL("element " << index);
  }
  CHECK(cursor.expected() == nullptr);
  CHECK(index == elements.size());
}

TEST_CASE("ziplist: every form") {
  CHECK(Walk<ZiplistCursor>(Hex("0b 00 00 00 0a 00 00 00 00 00 ff")).empty());
  const std::string first =
      Hex("00 02 'hi' "             // 4 bytes, which the next element says
          "04 40 02 'ho' "          // 14 bits of length
          "05 80 00 00 00 01 'x' "  // 32 bits
          "07 f1 "                  // 0
          "02 fd "                  // 12
          "02 fe 80 "               // -128
          "03 c0 ff 7f "            // 32767
          "04 f0 00 00 80 "         // -8388608
          "05 d0 ff ff ff 7f ");    // 2147483647
  std::string whole =
      Hex("00 00 00 00 00 00 00 00 0a 00") + first + Hex("06 e0 00 00 00 00 00 00 00 80 ff");
  whole[0] = static_cast<char>(whole.size());
  whole[4] = static_cast<char>(10 + first.size());
  CHECK(Walk<ZiplistCursor>(whole) ==
        "hi ho x #0 #12 #-128 #32767 #-8388608 #2147483647 #-9223372036854775808 ");
  Damage<ZiplistCursor>(whole);
}

TEST_CASE("ziplist: an element behind a long one") {
  const std::string text(300, 'z');
  std::string block =
      Hex("00 00 00 00 00 00 00 00 02 00 00 41 2c") + text + Hex("fe 2f 01 00 00 01 'a' ff");
  const auto size = static_cast<uint32_t>(block.size());
  const auto last = static_cast<uint32_t>(block.size() - 8);
  std::memcpy(block.data(), &size, 4);
  std::memcpy(block.data() + 4, &last, 4);
  CHECK(Walk<ZiplistCursor>(block) == text + " a ");
}

TEST_CASE("zipmap") {
  CHECK(Walk<ZipmapCursor>(Hex("00 ff")).empty());
  const std::string block = Hex("02 03 'foo' 03 00 'bar' 05 'hello' 05 02 'world' 00 00 ff");
  CHECK(Walk<ZipmapCursor>(block) == "foo bar hello world ");
  // A length of five bytes, and a count that is not known.
  CHECK(Walk<ZipmapCursor>(Hex("fe fe 01 00 00 00 'f' 01 00 'v' ff")) == "f v ");
  CHECK(Walk<ZipmapCursor>(Hex("01 01 'f' ff")) == "f !a value in a zipmap");
  Damage<ZipmapCursor>(block);
}

TEST_CASE("intset") {
  CHECK(Walk<IntsetCursor>(Hex("02 00 00 00 00 00 00 00")).empty());
  const std::string block = Hex("02 00 00 00 03 00 00 00 00 80 ff ff 05 00");
  CHECK(Walk<IntsetCursor>(block) == "#-32768 #-1 #5 ");
  CHECK(Walk<IntsetCursor>(Hex("04 00 00 00 01 00 00 00 00 00 01 00")) == "#65536 ");
  CHECK(Walk<IntsetCursor>(Hex("08 00 00 00 01 00 00 00 00 00 00 00 01 00 00 00")) ==
        "#4294967296 ");
  CHECK(Walk<IntsetCursor>(Hex("02 00 00 00 02 00 00 00 05 00 05 00")) ==
        "#5 !an integer above the one in front");
  CHECK(Walk<IntsetCursor>(Hex("03 00 00 00 01 00 00 00 05 00 00")) ==
        "!integers of 2, 4 or 8 bytes");
  Damage<IntsetCursor>(block);
}

}  // namespace spinel
