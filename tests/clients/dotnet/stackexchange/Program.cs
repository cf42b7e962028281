// StackExchange.Redis against a server of its own, over RESP2 and RESP3.
using Spinel.ClientTests;
using StackExchange.Redis;

using var server = new TestServer();
using var guarded = new TestServer("--requirepass", StackExchangeTests.Password);
var run = new TestRun();

foreach (RedisProtocol protocol in Connections.Protocols)
{
    string label = $"StackExchange.Redis, {protocol.ToString().ToUpperInvariant()}";
    await run.RunAsync(label, new StackExchangeTests(server, guarded, protocol).All());
    await run.RunAsync(label, new HashTests(server, protocol).All());
    await run.RunAsync(label, new ListTests(server, protocol).All());
    await run.RunAsync(label, new LockTests(server, protocol).All());
    await run.RunAsync(label, new ScriptTests(server, protocol).All());
    await run.RunAsync(label, new SetTests(server, protocol).All());
    await run.RunAsync(label, new SortedSetTests(server, protocol).All());
    await run.RunAsync(label, new SubscriptionTests(server, protocol).All());
    await run.RunAsync(label, new TransactionTests(server, protocol).All());
}

return run.ExitCode;
