// SignalR's Redis backplane between two hosts, over RESP2 and RESP3.
using Spinel.ClientTests;
using StackExchange.Redis;

using var server = new TestServer();
var run = new TestRun();

foreach (RedisProtocol protocol in Connections.Protocols)
{
    string label = $"SignalR, {protocol.ToString().ToUpperInvariant()}";
    await run.RunAsync(label, new BackplaneTests(server, protocol).All());
}

return run.ExitCode;
