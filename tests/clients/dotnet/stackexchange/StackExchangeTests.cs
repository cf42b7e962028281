using System.Collections.Concurrent;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>What .NET applications do with StackExchange.Redis, over one protocol.</summary>
/// <param name="server">Without a password; emptied and restarted by the tests.</param>
/// <param name="guarded">Requires <see cref="Password"/>.</param>
internal sealed class StackExchangeTests(
    TestServer server, TestServer guarded, RedisProtocol protocol)
{
    public const string Password = "s3cret";

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        ("connects and knows the server", ConnectsAndKnowsTheServer),
        ("strings", Strings),
        ("strings with expiry", StringsWithExpiry),
        ("expiry of keys", ExpiryOfKeys),
        ("conditional and expiry-keeping writes", ConditionalWrites),
        ("counters", Counters),
        ("keys", Keys),
        ("IServer.Keys", ServerKeys),
        ("batches", Batches),
        ("many callers share one connection", ManyCallers),
        ("large and binary values", LargeValues),
        ("publish and subscribe", PublishAndSubscribe),
        ("errors are exceptions", Errors),
        ("databases", Databases),
        ("password", RightAndWrongPassword),
        ("reconnects after a restart", ReconnectsAfterARestart),
    ];

    private Task<ConnectionMultiplexer> ConnectAsync() =>
        Connections.ConnectToEmptyAsync(server, protocol);

    private async Task ConnectsAndKnowsTheServer()
    {
        await using var multiplexer = await ConnectAsync();
        IServer first = multiplexer.GetServers()[0];
        Check.True(multiplexer.IsConnected);
        Check.Equal(ServerType.Standalone, first.ServerType);
        Check.Equal(protocol, first.Protocol);
        Check.True(!first.IsReplica);
        Check.Equal(16, first.DatabaseCount);
        Check.True(first.Version >= new Version(7, 0));
        Check.True(await multiplexer.GetDatabase().PingAsync() < TimeSpan.FromSeconds(5));
        ClientInfo[] clients = await first.ClientListAsync();
        Check.True(clients.Any(client => client.Name == multiplexer.ClientName));
        Check.Equal($"{server.Port}", (await first.InfoAsync("server")).Single()
            .Single(field => field.Key == "tcp_port").Value);
    }

    private async Task Strings()
    {
        await using var multiplexer = await ConnectAsync();
        IDatabase db = multiplexer.GetDatabase();
        Check.True(await db.StringSetAsync("k", "v"));
        Check.Equal("v", await db.StringGetAsync("k"));
        Check.True((await db.StringGetAsync("none")).IsNull);
        Check.Equal(3, await db.StringAppendAsync("k", "12"));
        Check.Equal(3, await db.StringLengthAsync("k"));
        Check.Equal("12", await db.StringGetRangeAsync("k", 1, -1));
        Check.Equal("v12", await db.StringGetSetAsync("k", "new"));
        Check.Equal("new", await db.StringGetDeleteAsync("k"));
        Check.True(await db.StringSetAsync([new("a", "1"), new("b", "2")]));
        RedisValue[] values = await db.StringGetAsync(["a", "none", "b"]);
        Check.Equal("1,,2", string.Join(',', values));
    }

    private async Task StringsWithExpiry()
    {
        await using var multiplexer = await ConnectAsync();
        IDatabase db = multiplexer.GetDatabase();
        await db.StringSetAsync("k", "v", TimeSpan.FromMinutes(1));
        Check.True(await db.KeyTimeToLiveAsync("k") is { TotalSeconds: > 55 and <= 60 });
        RedisValueWithExpiry both = await db.StringGetWithExpiryAsync("k");
        Check.Equal("v", both.Value);
        Check.True(both.Expiry is { TotalSeconds: > 55 and <= 60 });
        Check.Equal("v", await db.StringGetSetExpiryAsync("k", TimeSpan.FromHours(1)));
        Check.True(await db.KeyTimeToLiveAsync("k") is { TotalMinutes: > 59 });
        await db.StringSetAsync("short", "v", TimeSpan.FromMilliseconds(40));
        await Eventually.TrueAsync(async () => !await db.KeyExistsAsync("short"), "40 ms to pass");
    }

    private async Task ExpiryOfKeys()
    {
        await using var multiplexer = await ConnectAsync();
        IDatabase db = multiplexer.GetDatabase();
        await db.StringSetAsync("k", "v");
        Check.True(await db.KeyTimeToLiveAsync("k") is null);
        Check.True(await db.KeyExpireAsync("k", TimeSpan.FromMinutes(10)));
        Check.True(!await db.KeyExpireAsync("k", TimeSpan.FromMinutes(5),
            ExpireWhen.GreaterThanCurrentExpiry));
        DateTime moment = DateTime.UtcNow.AddHours(2);
        Check.True(await db.KeyExpireAsync("k", moment));
        Check.True((await db.KeyExpireTimeAsync("k") - moment)!.Value.Duration().TotalSeconds < 1);
        Check.True(await db.KeyPersistAsync("k"));
        Check.True(await db.KeyTimeToLiveAsync("k") is null);
        Check.True(!await db.KeyExpireAsync("none", TimeSpan.FromMinutes(1)));
    }

    private async Task ConditionalWrites()
    {
        await using var multiplexer = await ConnectAsync();
        IDatabase db = multiplexer.GetDatabase();
        Check.True(!await db.StringSetAsync("k", "1", when: When.Exists));
        TimeSpan minute = TimeSpan.FromMinutes(1);
        Check.True(await db.StringSetAsync("k", "2", minute, when: When.NotExists));
        Check.True(!await db.StringSetAsync("k", "3", when: When.NotExists));
        Check.True(await db.StringSetAsync("k", "4", expiry: null, keepTtl: true));
        Check.True(await db.KeyTimeToLiveAsync("k") is not null);
        Check.Equal("4", await db.StringSetAndGetAsync("k", "5"));
        Check.True(await db.KeyTimeToLiveAsync("k") is null);
        Check.True(!await db.StringSetAsync([new("k", "6"), new("other", "6")], When.NotExists));
        Check.Equal("5", await db.StringGetAsync("k"));
    }

    private async Task Counters()
    {
        await using var multiplexer = await ConnectAsync();
        IDatabase db = multiplexer.GetDatabase();
        Check.Equal(1, await db.StringIncrementAsync("n"));
        Check.Equal(42, await db.StringIncrementAsync("n", 41));
        Check.Equal(40, await db.StringDecrementAsync("n", 2));
        Check.Equal(40.5, await db.StringIncrementAsync("n", 0.5));
        long[] counts = await Task.WhenAll(
            Enumerable.Range(0, 1000).Select(_ => db.StringIncrementAsync("m")));
        Check.True(counts.Order().SequenceEqual(Enumerable.Range(1, 1000).Select(i => (long)i)));
    }

    private async Task Keys()
    {
        await using var multiplexer = await ConnectAsync();
        IDatabase db = multiplexer.GetDatabase();
        await db.StringSetAsync([new("a", "1"), new("b", "2"), new("c", "3")]);
        Check.Equal(2, await db.KeyExistsAsync(["a", "b", "none"]));
        Check.True(await db.KeyRenameAsync("a", "d"));
        Check.True(!await db.KeyRenameAsync("b", "d", When.NotExists));
        Check.Equal(2, await db.KeyTouchAsync(["b", "c", "none"]));
        Check.True(await db.KeyCopyAsync("d", "e"));
        Check.Equal(RedisType.String, await db.KeyTypeAsync("d"));
        Check.Equal(RedisType.None, await db.KeyTypeAsync("none"));
        Check.Equal("int", await db.KeyEncodingAsync("d"));
        Check.True(await db.KeyIdleTimeAsync("d") is { TotalSeconds: < 60 });
        Check.True((await db.KeyRandomAsync()).ToString().Length == 1);
        Check.True(await db.KeyDeleteAsync("b"));
        Check.Equal(3, await db.KeyDeleteAsync(["c", "d", "e", "none"]));
        Check.Equal(0, await multiplexer.GetServers()[0].DatabaseSizeAsync());
    }

    private async Task ServerKeys()
    {
        await using var multiplexer = await ConnectAsync();
        IDatabase db = multiplexer.GetDatabase();
        string[] names = [.. Enumerable.Range(0, 2000).Select(i => $"user:{i}")];
        await db.StringSetAsync(
            [.. names.Select(name => KeyValuePair.Create((RedisKey)name, (RedisValue)1))]);
        await db.StringSetAsync("other", 1);
        IServer first = multiplexer.GetServers()[0];
        Check.True(first.Keys(pattern: "user:*", pageSize: 100).Select(key => key.ToString())
            .ToHashSet().SetEquals(names));
        var found = new HashSet<string>();
        await foreach (RedisKey key in first.KeysAsync(pageSize: 10))
        {
            found.Add(key.ToString());
        }
        Check.True(found.SetEquals([.. names, "other"]));
    }

    private async Task Batches()
    {
        await using var multiplexer = await ConnectAsync();
        IBatch batch = multiplexer.GetDatabase().CreateBatch();
        List<Task> writes = [];
        List<Task<RedisValue>> reads = [];
        for (int i = 0; i < 5000; i++)
        {
            writes.Add(batch.StringSetAsync($"k{i}", i));
            reads.Add(batch.StringGetAsync($"k{i}"));
        }
        batch.Execute();
        await Task.WhenAll(writes);
        RedisValue[] values = await Task.WhenAll(reads);
        Check.True(values.Select(value => (int)value).SequenceEqual(Enumerable.Range(0, 5000)));
    }

    private async Task ManyCallers()
    {
        await using var multiplexer = await ConnectAsync();
        IDatabase db = multiplexer.GetDatabase();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async caller =>
        {
            for (int i = 0; i < 100; i++)
            {
                await db.StringSetAsync($"caller:{caller}", i);
                Check.Equal(i, (int)await db.StringGetAsync($"caller:{caller}"));
            }
        }));
    }

    private async Task LargeValues()
    {
        await using var multiplexer = await ConnectAsync();
        IDatabase db = multiplexer.GetDatabase();
        byte[] value = new byte[5 << 20];
        new Random(1).NextBytes(value);
        byte[] key = [0, 13, 10, 255, 36];
        await db.StringSetAsync(key, value);
        Check.True(((byte[]?)await db.StringGetAsync(key)).AsSpan().SequenceEqual(value));
    }

    private async Task PublishAndSubscribe()
    {
        await using var publisher = await ConnectAsync();
        await using var listener = await ConnectAsync();
        var received = new ConcurrentQueue<string>();
        RedisChannel channel = RedisChannel.Literal("news");
        ISubscriber subscriber = listener.GetSubscriber();
        ChannelMessageQueue queue = await subscriber.SubscribeAsync(channel); // keeps the order
        queue.OnMessage(message => received.Enqueue(message.Message.ToString()));
        for (int i = 0; i < 100; i++)
        {
            Check.Equal(1, await publisher.GetSubscriber().PublishAsync(channel, i));
        }
        Eventually.True(() => received.Count == 100, "100 messages");
        Check.True(received.SequenceEqual(Enumerable.Range(0, 100).Select(i => $"{i}")));
        await queue.UnsubscribeAsync();
        Check.Equal(0, await publisher.GetSubscriber().PublishAsync(channel, "late"));
        Check.True(await listener.GetDatabase().StringSetAsync("k", "v"));
    }

    private async Task Errors()
    {
        await using var multiplexer = await ConnectAsync();
        IDatabase db = multiplexer.GetDatabase();
        await db.StringSetAsync("text", "x");
        var notAnInteger = await Check.ThrowsAsync<RedisServerException>(
            () => db.StringIncrementAsync("text"));
        Check.Equal("ERR value is not an integer or out of range", notAnInteger.Message);
        var unknown = await Check.ThrowsAsync<RedisServerException>(
            () => db.ExecuteAsync("NONSENSE", "a"));
        Check.Equal(
            "ERR unknown command 'NONSENSE', with args beginning with: 'a' ", unknown.Message);
        Check.Equal("x", await db.StringGetAsync("text"));
    }

    private async Task Databases()
    {
        await using var multiplexer = await ConnectAsync();
        await multiplexer.GetDatabase(0).StringSetAsync("k", "zero");
        await multiplexer.GetDatabase(7).StringSetAsync("k", "seven");
        Check.Equal("zero", await multiplexer.GetDatabase(0).StringGetAsync("k"));
        Check.Equal("seven", await multiplexer.GetDatabase(7).StringGetAsync("k"));
        Check.True(!await multiplexer.GetDatabase(0).KeyMoveAsync("k", 7));
        await multiplexer.GetServers()[0].SwapDatabasesAsync(0, 7);
        Check.Equal("seven", await multiplexer.GetDatabase(0).StringGetAsync("k"));
        await multiplexer.GetServers()[0].FlushDatabaseAsync(7);
        Check.True(await multiplexer.GetDatabase(0).KeyExistsAsync("k"));
    }

    private async Task RightAndWrongPassword()
    {
        ConfigurationOptions rightOptions = Connections.Options(guarded.Port, protocol, Password);
        await using (var right = await ConnectionMultiplexer.ConnectAsync(rightOptions))
        {
            Check.True(await right.GetDatabase().StringSetAsync("k", "v"));
        }
        foreach (string? wrong in (string?[])["wrong", null])
        {
            var options = Connections.Options(guarded.Port, protocol, wrong);
            options.ConnectTimeout = 1500;
            options.ConnectRetry = 1;
            var refused = await Check.ThrowsAsync<RedisConnectionException>(
                () => ConnectionMultiplexer.ConnectAsync(options));
            Check.True(refused.ToString().Contains("AUTH", StringComparison.OrdinalIgnoreCase)
                || refused.ToString().Contains("WRONGPASS", StringComparison.Ordinal));
        }
    }

    private async Task ReconnectsAfterARestart()
    {
        await using var multiplexer = await ConnectAsync();
        IDatabase db = multiplexer.GetDatabase();
        int received = 0;
        RedisChannel channel = RedisChannel.Literal("news");
        await multiplexer.GetSubscriber().SubscribeAsync(
            channel, (_, _) => Interlocked.Increment(ref received));
        await db.StringSetAsync("k", "v");
        server.Restart();
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return await db.StringSetAsync("k", "again");
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                return false;
            }
        }, "the multiplexer to come back");
        Check.Equal("again", await db.StringGetAsync("k"));
        await Eventually.TrueAsync(async () => await db.PublishAsync(channel, "x") == 1,
            "the subscription to come back");
        Eventually.True(() => Volatile.Read(ref received) > 0, "a message");
    }
}
