// DistributedLock.Redis: locks, reader-writer locks and semaphores over RESP2 and RESP3.
using Spinel.ClientTests;
using StackExchange.Redis;

using var server = new TestServer();
using var second = new TestServer();
using var third = new TestServer();
var run = new TestRun();

foreach (RedisProtocol protocol in Connections.Protocols)
{
    string label = $"DistributedLock, {protocol.ToString().ToUpperInvariant()}";
    await run.RunAsync(label, new LockTests([server, second, third], protocol).All());
}

return run.ExitCode;
