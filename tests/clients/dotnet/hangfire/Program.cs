// Hangfire's jobs with Hangfire.Redis.StackExchange, over RESP2 and RESP3.
using Spinel.ClientTests;
using StackExchange.Redis;

using var server = new TestServer();
var run = new TestRun();

foreach (RedisProtocol protocol in Connections.Protocols)
{
    string label = $"Hangfire, {protocol.ToString().ToUpperInvariant()}";
    await run.RunAsync(label, new JobTests(server, protocol).All());
}

return run.ExitCode;
