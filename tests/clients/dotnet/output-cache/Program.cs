// ASP.NET's output cache, its store and a small application, over RESP2 and RESP3.
using Spinel.ClientTests;
using StackExchange.Redis;

using var server = new TestServer();
var run = new TestRun();

foreach (RedisProtocol protocol in Connections.Protocols)
{
    string label = $"output cache, {protocol.ToString().ToUpperInvariant()}";
    await run.RunAsync(label, new StoreTests(server, protocol).All());
    await run.RunAsync(label, new ApplicationTests(server, protocol).All());
}

return run.ExitCode;
