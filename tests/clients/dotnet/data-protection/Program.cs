// ASP.NET's data protection keys kept on the server, over RESP2 and RESP3.
using Spinel.ClientTests;
using StackExchange.Redis;

using var server = new TestServer();
var run = new TestRun();

foreach (RedisProtocol protocol in Connections.Protocols)
{
    string label = $"data protection, {protocol.ToString().ToUpperInvariant()}";
    await run.RunAsync(label, new KeyTests(server, protocol).All());
}

return run.ExitCode;
