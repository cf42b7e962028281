// ASP.NET's distributed cache and the session state on top of it, over RESP2 and RESP3.
using Spinel.ClientTests;
using StackExchange.Redis;

using var server = new TestServer();
var run = new TestRun();

foreach (RedisProtocol protocol in Connections.Protocols)
{
    string label = $"distributed cache, {protocol.ToString().ToUpperInvariant()}";
    await run.RunAsync(label, new DistributedCacheTests(server, protocol).All());
    await run.RunAsync(label, new BufferTests(server, protocol).All());
    await run.RunAsync(label, new ExpiryTests(server, protocol).All());
    await run.RunAsync(label, new SessionTests(server, protocol).All());
}

return run.ExitCode;
