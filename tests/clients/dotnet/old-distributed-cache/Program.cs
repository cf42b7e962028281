// The distributed cache as of .NET 6, which writes by a Lua script, on StackExchange.Redis 2: it
// must hold what the present one does.
using Spinel.ClientTests;
using StackExchange.Redis;

using var server = new TestServer();
var run = new TestRun();

foreach (RedisProtocol protocol in Connections.Protocols)
{
    string label = $"old distributed cache, {protocol.ToString().ToUpperInvariant()}";
    await run.RunAsync(label, new DistributedCacheTests(server, protocol).All());
    await run.RunAsync(label, new ExpiryTests(server, protocol).All());
    await run.RunAsync(label, [("entries are written by a script", WrittenByAScriptAsync)]);

    async Task WrittenByAScriptAsync()
    {
        await using CacheFixture fixture = await CacheFixture.CreateAsync(server, protocol);
        fixture.Cache.Set("k", [1], new());
        IServer first = fixture.Database.Multiplexer.GetServers()[0];
        Check.True((await first.InfoAsync("commandstats")).Single()
            .Any(row => row.Key is "cmdstat_eval" or "cmdstat_evalsha"));
    }
}

return run.ExitCode;
