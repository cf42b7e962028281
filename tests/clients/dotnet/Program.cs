// StackExchange.Redis against a server of its own, over RESP2 and RESP3. One "ok" or "not ok" line
// per test, as tests/clients/run counts them.
using Spinel.ClientTests;
using StackExchange.Redis;

TimeSpan limit = TimeSpan.FromSeconds(40);
int failures = 0;

using var server = new TestServer();
using var guarded = new TestServer("--requirepass", StackExchangeTests.Password);

foreach (RedisProtocol protocol in (RedisProtocol[])[RedisProtocol.Resp2, RedisProtocol.Resp3])
{
    foreach (var (name, run) in new StackExchangeTests(server, guarded, protocol).All())
    {
        string test = $"StackExchange.Redis, {protocol.ToString().ToUpperInvariant()}: {name}";
        try
        {
            await run().WaitAsync(limit);
            Console.WriteLine($"ok - {test}");
        }
        catch (Exception exception)
        {
            failures++;
            Console.WriteLine($"not ok - {test}");
            foreach (string line in exception.ToString().Split('\n'))
            {
                Console.WriteLine($"#   {line}");
            }
        }
    }
}

return failures == 0 ? 0 : 1;
