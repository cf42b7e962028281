// Arguments that several families share: values to be stored, and expiry options.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "storage/key_slot.h"

namespace spinel {

// A string value in the form it will be stored in, made before any lock is taken: big values are
// copied into a blob here.
class StringValueArg {
 public:
  explicit StringValueArg(std::string_view bytes);
  ~StringValueArg();
  StringValueArg(StringValueArg&& other) noexcept;
  StringValueArg(const StringValueArg&) = delete;
  StringValueArg& operator=(const StringValueArg&) = delete;

  // False: there was no memory for it. Check before Store.
  bool ok() const { return form_ != Form::kNoMemory; }
  // Stores it into the slot, once.
  void Store(KeySlot* slot, int64_t expiry);

 private:
  enum class Form : uint8_t { kBytes, kInteger, kBlob, kNoMemory };
  Form form_ = Form::kBytes;
  std::string_view bytes_;
  int64_t integer_ = 0;
  Blob* blob_ = nullptr;
};

inline constexpr std::string_view kNoMemoryError =
    "ERR insufficient memory for a value of this size";

enum class TimeUnit : uint8_t { kSeconds, kMilliseconds };

// Reads a time as EX, PX, EXAT, PXAT, SETEX, GETEX take it: positive; `relative` to now. Latches "ERR
// invalid expire time in '...' command" when it is not, or overflows. Returns Unix ms.
int64_t ReadExpiry(const CommandContext& ctx, ArgReader& args, TimeUnit unit, bool relative);

}  // namespace spinel
