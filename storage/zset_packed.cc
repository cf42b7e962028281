#include "storage/zset_packed.h"

#include <limits>

namespace spinel {

template <typename Integer>
bool PackedScore::Fits(double score) {
  if (score < std::numeric_limits<Integer>::min() || score > std::numeric_limits<Integer>::max()) {
    return false;
  }
  const auto integer = static_cast<Integer>(score);
  if (static_cast<double>(integer) != score) return false;
  std::memcpy(bytes_, &integer, sizeof(integer));
  size_ = sizeof(integer);
  return true;
}

PackedScore::PackedScore(double score) {
  if (Fits<int8_t>(score) || Fits<int16_t>(score) || Fits<int32_t>(score)) return;
  std::memcpy(bytes_, &score, sizeof(score));
  size_ = sizeof(score);
}

double PackedScore::Read(std::string_view bytes) {
  const auto read = [bytes](auto number) {
    std::memcpy(&number, bytes.data(), sizeof(number));
    return static_cast<double>(number);
  };
  switch (bytes.size()) {
    case 1:
      return read(int8_t{});
    case 2:
      return read(int16_t{});
    case 4:
      return read(int32_t{});
    default:
      return read(double{});
  }
}

PackedZset::Iterator PackedZset::LowerBound(const ScoredMember& scored) const {
  Iterator it = begin();
  while (it != end() && *it < scored) ++it;
  return it;
}

}  // namespace spinel
