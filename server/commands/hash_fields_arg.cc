#include "server/commands/hash_fields_arg.h"

#include "protocol/ascii.h"

namespace spinel {

size_t FindFieldsWord(const CommandContext& ctx, size_t from) {
  for (size_t i = from; i + 1 < ctx.argc(); ++i) {
    if (EqualsIgnoreCase(ctx.arg(i), "FIELDS")) return i;
  }
  return ctx.argc();
}

std::span<const std::string_view> ReadHashFields(const CommandContext& ctx, ArgReader& args,
                                                 size_t word, size_t per_field,
                                                 std::string_view mismatch) {
  if (word >= ctx.argc()) {
    args.Fail(mismatch);
    return {};
  }
  ArgReader reader(ctx.args(), word + 1);
  const int64_t count = reader.Int();
  const std::span<const std::string_view> fields = reader.Rest();
  if (!reader.ok()) {
    args.Fail(reader.error());
  } else if (count < 1 || fields.size() % per_field != 0 ||
             static_cast<uint64_t>(count) != fields.size() / per_field) {
    args.Fail(mismatch);
  }
  return fields;
}

}  // namespace spinel
