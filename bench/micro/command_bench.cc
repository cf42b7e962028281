// Commands without sockets: finding, checking, executing, and the reply in the output buffer.

#include <benchmark/benchmark.h>

#include <string_view>
#include <vector>

#include "protocol/output_buffer.h"
#include "server/dispatcher.h"
#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

void Execute(benchmark::State& state, const std::vector<std::string_view>& prepare,
             const std::vector<std::string_view>& command) {
  CommandFixture fixture;
  OutputBuffer out;
  const auto execute = [&](const std::vector<std::string_view>& args) {
    const Request request = Dispatcher::Prepare(fixture.server().commands(), args);
    Dispatcher::Execute(&fixture.server(), &fixture.state(), &fixture.client().session(), request,
                        &out);
  };
  if (!prepare.empty()) execute(prepare);
  while (state.KeepRunning()) {
    const OutputBuffer::Mark mark = out.mark();
    execute(command);
    out.TruncateTo(mark);
  }
  state.SetItemsProcessed(state.iterations());
}

void Ping(benchmark::State& state) { Execute(state, {}, {"PING"}); }
BENCHMARK(Ping);
void Get(benchmark::State& state) { Execute(state, {"SET", "key", "value"}, {"GET", "key"}); }
BENCHMARK(Get);
void Set(benchmark::State& state) { Execute(state, {}, {"SET", "key", "value"}); }
BENCHMARK(Set);
void Incr(benchmark::State& state) { Execute(state, {}, {"INCR", "key"}); }
BENCHMARK(Incr);
void HashGet(benchmark::State& state) {
  Execute(state, {"HSET", "key", "a", "1", "b", "2", "c", "3"}, {"HGET", "key", "c"});
}
BENCHMARK(HashGet);
void SortedSetAdd(benchmark::State& state) { Execute(state, {}, {"ZADD", "key", "1.5", "member"}); }
BENCHMARK(SortedSetAdd);

}  // namespace
}  // namespace spinel
