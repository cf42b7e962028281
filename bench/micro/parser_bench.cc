// Requests per second that the parser understands, pipelined as clients send them.

#include <benchmark/benchmark.h>

#include <string>
#include <string_view>
#include <vector>

#include "protocol/resp_parser.h"

namespace spinel {
namespace {

constexpr int kRequests = 64;

void ParseAll(benchmark::State& state, std::string_view request) {
  std::string input;
  for (int i = 0; i < kRequests; ++i) input += request;
  RespParser parser;
  const ParserLimits limits;
  std::vector<std::string_view> args;
  while (state.KeepRunning()) {
    size_t position = 0;
    while (position < input.size()) {
      args.clear();
      size_t consumed = 0;
      const auto status =
          parser.Parse(&input[position], input.size() - position, limits, &args, &consumed);
      if (status != RespParser::Status::kRequest) return state.SkipWithError("no request");
      benchmark::DoNotOptimize(args.data());
      position += consumed;
    }
  }
  state.SetItemsProcessed(state.iterations() * kRequests);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(input.size()));
}

void ParseGet(benchmark::State& state) {
  ParseAll(state, "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000001\r\n");
}
BENCHMARK(ParseGet);

void ParseSet(benchmark::State& state) {
  ParseAll(state,
           "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000001\r\n$64\r\n" + std::string(64, 'x') + "\r\n");
}
BENCHMARK(ParseSet);

void ParseInline(benchmark::State& state) { ParseAll(state, "GET key:000000000001\r\n"); }
BENCHMARK(ParseInline);

void Parse100Arguments(benchmark::State& state) {
  std::string request = "*101\r\n$4\r\nMGET\r\n";
  for (int i = 0; i < 100; ++i) request += "$16\r\nkey:000000000001\r\n";
  ParseAll(state, request);
}
BENCHMARK(Parse100Arguments);

}  // namespace
}  // namespace spinel
