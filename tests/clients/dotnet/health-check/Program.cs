// AspNetCore.HealthChecks.Redis in an application, over RESP2 and RESP3.
using Spinel.ClientTests;
using StackExchange.Redis;

var run = new TestRun();

foreach (RedisProtocol protocol in Connections.Protocols)
{
    string label = $"health check, {protocol.ToString().ToUpperInvariant()}";
    await run.RunAsync(label, new HealthTests(protocol).All());
}

return run.ExitCode;
