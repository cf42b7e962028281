// The entries of COMMAND DOCS: what redis-cli makes its hints and its help from.

#include <string>
#include <vector>

#include "protocol/reply_writer.h"
#include "server/command_syntax.h"
#include "server/commands/command_reply.h"

namespace spinel {
namespace {

// Writes the pairs of a map whose size is known only when they are all written.
class MapWriter {
 public:
  explicit MapWriter(ReplyWriter* reply) : reply_(reply), begin_(reply->Begin()) {}

  ReplyWriter& Name(std::string_view name) {
    ++size_;
    reply_->Bulk(name);
    return *reply_;
  }
  void End() { reply_->EndMap(begin_, size_); }

 private:
  ReplyWriter* reply_;
  const OutputBuffer::Mark begin_;
  int64_t size_ = 0;
};

// `next_key` is the number of key specifications that earlier arguments used up, of `key_specs`.
void ReplyArguments(const std::vector<SyntaxArg>& args, int key_specs, int* next_key,
                    ReplyWriter& reply);

void ReplyArgumentFlags(const SyntaxArg& arg, MapWriter* map) {
  const int count = (arg.optional ? 1 : 0) + (arg.multiple ? 1 : 0) + (arg.multiple_token ? 1 : 0);
  if (count == 0) return;
  ReplyWriter& reply = map->Name("flags");
  reply.Set(count);
  if (arg.optional) reply.Simple("optional");
  if (arg.multiple) reply.Simple("multiple");
  if (arg.multiple_token) reply.Simple("multiple_token");
}

void ReplyArgument(const SyntaxArg& arg, int key_specs, int* next_key, ReplyWriter& reply) {
  const bool nested = arg.type == SyntaxArg::Type::kOneOf || arg.type == SyntaxArg::Type::kBlock;
  MapWriter map(&reply);
  map.Name("name").Bulk(arg.name);
  map.Name("type").Bulk(SyntaxTypeName(arg.type));
  if (!nested) map.Name("display_text").Bulk(arg.name);
  if (arg.type == SyntaxArg::Type::kKey && *next_key < key_specs) {
    map.Name("key_spec_index").Integer((*next_key)++);
  }
  if (!arg.token.empty()) map.Name("token").Bulk(arg.token);
  ReplyArgumentFlags(arg, &map);
  if (nested) ReplyArguments(arg.args, key_specs, next_key, map.Name("arguments"));
  map.End();
}

void ReplyArguments(const std::vector<SyntaxArg>& args, int key_specs, int* next_key,
                    ReplyWriter& reply) {
  reply.Array(static_cast<int64_t>(args.size()));
  for (const SyntaxArg& arg : args) ReplyArgument(arg, key_specs, next_key, reply);
}

}  // namespace

void ReplyCommandDocs(const Command& command, ReplyWriter& reply) {
  const CommandSpec& spec = *command.spec;
  MapWriter map(&reply);
  map.Name("summary").Bulk(spec.summary);
  map.Name("since").Bulk(spec.since);
  map.Name("group").Bulk(spec.group);
  map.Name("complexity").Bulk(spec.complexity);
  std::vector<SyntaxArg> args;
  std::string error;
  // Every row's syntax parses: a test sees to it.
  if (ParseSyntax(spec.syntax, &args, &error) && !args.empty()) {
    const int key_specs = (spec.keys.first != 0 ? 1 : 0) + (spec.extractor != nullptr ? 1 : 0);
    int next_key = 0;
    ReplyArguments(args, key_specs, &next_key, map.Name("arguments"));
  }
  if (!command.subcommands.empty()) {
    map.Name("subcommands").Map(static_cast<int64_t>(command.subcommands.size()));
    for (const Command* sub : command.subcommands) {
      reply.Bulk(sub->name);
      ReplyCommandDocs(*sub, reply);
    }
  }
  map.End();
}

}  // namespace spinel
