// HybridCache with the distributed cache behind it, over RESP2 and RESP3.
using Spinel.ClientTests;
using StackExchange.Redis;

using var server = new TestServer();
var run = new TestRun();

foreach (RedisProtocol protocol in Connections.Protocols)
{
    string label = $"hybrid cache, {protocol.ToString().ToUpperInvariant()}";
    await run.RunAsync(label, new HybridCacheTests(server, protocol).All());
}

return run.ExitCode;
