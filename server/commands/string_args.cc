#include "server/commands/string_args.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "protocol/numbers.h"
#include "storage/blob.h"

namespace spinel {

StringValueArg::StringValueArg(std::string_view bytes, BlobSource* source) : bytes_(bytes) {
  if (bytes.size() >= Blob::kMinBytes) {
    blob_ = TakeOrCopy(source, bytes);
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

void StringValueArg::Set(KeySlot* slot, int64_t expiry) {
  if (expiry != Entry::kNoExpiry && expiry <= slot->now_ms()) {
    if (slot->Delete()) slot->Notify(kNotifyGeneric, "del");
    return;
  }
  Store(slot, expiry);
  slot->Notify(kNotifyString, "set");
  if (expiry != Entry::kNoExpiry) slot->Notify(kNotifyGeneric, "expire");
}

void StringValueArg::SetKeepingExpiry(KeySlot* slot) {
  Store(slot, slot->expiry());
  slot->Notify(kNotifyString, "set");
}

namespace {

int64_t ToExpiry(const CommandContext& ctx, ArgReader& args, int64_t time, TimeUnit unit,
                 Relation relation, int64_t least) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  const int64_t scale = unit == TimeUnit::kSeconds ? 1000 : 1;
  const int64_t base = relation == Relation::kToNow ? ctx.now_ms() : 0;
  if (time < least || time > kMax / scale || time < kMin / scale || time * scale > kMax - base) {
    args.Fail(fmt::format("ERR invalid expire time in '{}' command", ctx.command().name));
    return 0;
  }
  return time * scale + base;
}

}  // namespace

int64_t ReadExpiry(const CommandContext& ctx, ArgReader& args, TimeUnit unit, Relation relation,
                   int64_t least) {
  const int64_t time = args.Int();
  return args.ok() ? ToExpiry(ctx, args, time, unit, relation, least) : 0;
}

bool ExpiryOption::Read(ArgReader& args) {
  Given given = Given::kNone;
  if (args.Tag(word_)) {
    given = Given::kWord;
  } else if (args.Tag("EX")) {
    given = Given::kEx;
  } else if (args.Tag("PX")) {
    given = Given::kPx;
  } else if (args.Tag("EXAT")) {
    given = Given::kExAt;
  } else if (args.Tag("PXAT")) {
    given = Given::kPxAt;
  } else {
    return false;
  }
  if (given_ != Given::kNone && given_ != given) args.SyntaxError();
  given_ = given;
  if (given != Given::kWord) {
    time_index_ = args.position();
    args.Skip(1);
  }
  return true;
}

int64_t ExpiryOption::Finish(const CommandContext& ctx, ArgReader& args, int64_t least) const {
  if (!args.ok() || given_ == Given::kNone || given_ == Given::kWord) return Entry::kNoExpiry;
  ArgReader time_reader(ctx.args(), time_index_);
  const int64_t time = time_reader.Int();
  if (!time_reader.ok()) {
    args.Fail(time_reader.error());
    return Entry::kNoExpiry;
  }
  const bool seconds = given_ == Given::kEx || given_ == Given::kExAt;
  const bool relative = given_ == Given::kEx || given_ == Given::kPx;
  return ToExpiry(ctx, args, time, seconds ? TimeUnit::kSeconds : TimeUnit::kMilliseconds,
                  relative ? Relation::kToNow : Relation::kAbsolute, least);
}

}  // namespace spinel
