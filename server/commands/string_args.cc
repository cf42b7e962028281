#include "server/commands/string_args.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "protocol/numbers.h"
#include "storage/blob.h"

namespace spinel {

StringValueArg::StringValueArg(std::string_view bytes) : bytes_(bytes) {
  if (bytes.size() >= Blob::kMinBytes) {
    blob_ = Blob::Copy(bytes);
    form_ = blob_ != nullptr ? Form::kBlob : Form::kNoMemory;
  } else if (bytes.size() <= kMaxInt64Chars && ParseInt64(bytes, &integer_)) {
    form_ = Form::kInteger;
  }
}

StringValueArg::~StringValueArg() {
  if (blob_ != nullptr) blob_->Release();
}

StringValueArg::StringValueArg(StringValueArg&& other) noexcept
    : form_(other.form_),
      bytes_(other.bytes_),
      integer_(other.integer_),
      blob_(std::exchange(other.blob_, nullptr)) {}

void StringValueArg::Store(KeySlot* slot, int64_t expiry) {
  switch (form_) {
    case Form::kBytes:
      return slot->SetString(bytes_, expiry);
    case Form::kInteger:
      return slot->SetInteger(integer_, expiry);
    case Form::kBlob:
      return slot->SetBlob(std::exchange(blob_, nullptr), expiry);
    case Form::kNoMemory:
      return;
  }
}

int64_t ReadExpiry(const CommandContext& ctx, ArgReader& args, TimeUnit unit, bool relative) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  int64_t time = args.Int();
  if (!args.ok()) return 0;
  const int64_t scale = unit == TimeUnit::kSeconds ? 1000 : 1;
  const int64_t base = relative ? ctx.now_ms() : 0;
  if (time <= 0 || time > kMax / scale || time * scale > kMax - base) {
    args.Fail(fmt::format("ERR invalid expire time in '{}' command", ctx.command().name));
    return 0;
  }
  return time * scale + base;
}

}  // namespace spinel
