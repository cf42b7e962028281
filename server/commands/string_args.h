// Arguments that several families share: values to be stored, and expiry options.
#pragma once

#include <cstdint>
#include <string_view>

#include "protocol/arg_reader.h"
#include "server/command_context.h"
#include "storage/key_slot.h"

namespace spinel {

// A string value in the form it will be stored in, made before any lock is taken: big values become
// a blob here, by a copy unless `source` has them.
class StringValueArg {
 public:
  explicit StringValueArg(std::string_view bytes, BlobSource* source = nullptr);
  ~StringValueArg();
  StringValueArg(StringValueArg&& other) noexcept;
  StringValueArg(const StringValueArg&) = delete;
  StringValueArg& operator=(const StringValueArg&) = delete;

  // False: there was no memory for it. Check before Store.
  bool ok() const { return form_ != Form::kNoMemory; }
  // Stores it into the slot, once, and tells nobody.
  void Store(KeySlot* slot, int64_t expiry);
  // As SET: stores it and tells so, and that there is an expiry. If its time has come already, the
  // key is removed instead.
  void Set(KeySlot* slot, int64_t expiry);
  // The same with the expiry that the key has.
  void SetKeepingExpiry(KeySlot* slot);

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

// What a time counts from.
enum class Relation : uint8_t { kToNow, kAbsolute };

// Reads a time as SETEX, EXPIRE, HEXPIREAT and the like take it. Latches "ERR invalid expire time
// in '...' command" when it is below `least` (in its unit) or overflows. Returns Unix ms.
int64_t ReadExpiry(const CommandContext& ctx, ArgReader& args, TimeUnit unit, Relation relation,
                   int64_t least = 1);

// Seconds are rounded to the nearest.
constexpr int64_t InUnit(int64_t ms, TimeUnit unit) {
  if (unit == TimeUnit::kMilliseconds) return ms;
  return ms / 1000 + (ms % 1000 >= 500 ? 1 : 0);
}

// The expiry options among others: EX, PX, EXAT, PXAT with a time, and one word without (KEEPTTL or
// PERSIST). At most one of them makes sense; the same one may be repeated.
//
//   ExpiryOption expiry("KEEPTTL");
//   while (args.HasNext()) {
//     if (expiry.Read(args)) continue;
//     ... other options ...
//   }
//   const int64_t unix_ms = expiry.Finish(ctx, args);
class ExpiryOption {
 public:
  explicit ExpiryOption(std::string_view word) : word_(word) {}

  // True: the next argument was one of these, and is consumed or an error is latched.
  bool Read(ArgReader& args);
  // Evaluates the time, so that syntax errors come before bad times. Unix ms, or Entry::kNoExpiry
  // when no time was given; latches errors as ReadExpiry does, for times below `least`.
  int64_t Finish(const CommandContext& ctx, ArgReader& args, int64_t least = 1) const;
  // Whether the word was given.
  bool has_word() const { return given_ == Given::kWord; }

 private:
  enum class Given : uint8_t { kNone, kWord, kEx, kPx, kExAt, kPxAt };

  const std::string_view word_;
  Given given_ = Given::kNone;
  size_t time_index_ = 0;  // of the argument that holds the time
};

}  // namespace spinel
