#include "server/commands/debug_protocol.h"

#include "protocol/ascii.h"

namespace spinel {
namespace {

constexpr int kSampleSize = 3;

void Elements(ReplyWriter& reply) {
  for (int i = 0; i < kSampleSize; ++i) reply.Integer(i);
}

void SampleMap(ReplyWriter& reply) {
  reply.Map(kSampleSize);
  for (int i = 0; i < kSampleSize; ++i) {
    reply.Integer(i);
    reply.Bool(i == 1);
  }
}

void SampleAttribute(ReplyWriter& reply) {
  if (reply.resp3()) {
    reply.Attribute(1);
    reply.Bulk("key-popularity");
    reply.Array(2);
    reply.Bulk("key:123");
    reply.Integer(90);
  }
  reply.Bulk("Some real reply following the attribute");
}

void SamplePush(ReplyWriter& reply) {
  if (!reply.resp3()) return reply.Error("ERR RESP2 is not supported by this command");
  reply.Push(2);
  reply.Bulk("server-cpu-usage");
  reply.Integer(42);
  reply.Bulk("Some real reply following the push reply");
}

struct Sample {
  std::string_view type;
  void (*write)(ReplyWriter& reply);
};

constexpr Sample kSamples[] = {
    {"string", [](ReplyWriter& reply) { reply.Bulk("Hello World"); }},
    {"integer", [](ReplyWriter& reply) { reply.Integer(12345); }},
    {"double", [](ReplyWriter& reply) { reply.Double(3.141); }},
    {"bignum",
     [](ReplyWriter& reply) { reply.BigNumber("1234567999999999999999999999999999999"); }},
    {"null", [](ReplyWriter& reply) { reply.Null(); }},
    {"array",
     [](ReplyWriter& reply) {
       reply.Array(kSampleSize);
       Elements(reply);
     }},
    {"set",
     [](ReplyWriter& reply) {
       reply.Set(kSampleSize);
       Elements(reply);
     }},
    {"map", SampleMap},
    {"attrib", SampleAttribute},
    {"push", SamplePush},
    {"verbatim", [](ReplyWriter& reply) { reply.Verbatim("txt", "This is a verbatim\nstring"); }},
    {"true", [](ReplyWriter& reply) { reply.Bool(true); }},
    {"false", [](ReplyWriter& reply) { reply.Bool(false); }},
};

}  // namespace

void ReplySample(std::string_view type, ReplyWriter& reply) {
  for (const Sample& sample : kSamples) {
    if (EqualsIgnoreCase(type, sample.type)) return sample.write(reply);
  }
  reply.Error(
      "ERR Wrong protocol type name. Please use one of the following: "
      "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
}

}  // namespace spinel
