using System.Collections.Concurrent;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Publish/subscribe of StackExchange.Redis, keyspace notifications included.</summary>
internal sealed class SubscriptionTests(TestServer server, RedisProtocol protocol)
    : TypeTests(server, protocol)
{
    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("literal and pattern subscriptions", LiteralsAndPatterns),
        Test("sharded subscriptions", Sharded),
        Test("handlers come and go", Handlers),
        Test("message queues keep their order", Queues),
        Test("binary channels, empty and large messages", Payloads),
        Test("what IServer tells about subscriptions", Introspection),
        Test("many subscribers hear many publishers, each in its order", ManyToMany),
        Test("subscriptions beside other commands", BesideOtherCommands),
        Test("a thousand channels of one client", ManyChannels),
        Test("keyspace notifications by pattern", KeyspaceNotifications),
        Test("key events: expired, and deleted by a script", KeyEvents),
    ];

    private async Task LiteralsAndPatterns(IDatabase db)
    {
        await using ConnectionMultiplexer listener = await ConnectAsync();
        ISubscriber subscriber = listener.GetSubscriber();
        var heard = new ConcurrentQueue<string>();
        RedisChannel[] channels =
        [
            RedisChannel.Literal("news.cat"), RedisChannel.Pattern("news.*"),
            RedisChannel.Pattern("*.[a-c]?t"), RedisChannel.Literal("news.*"),
        ];
        foreach (RedisChannel channel in channels)
        {
            await subscriber.SubscribeAsync(channel, (from, message) =>
                heard.Enqueue($"{(channel.IsPattern ? "p" : "l")} {channel} {from} {message}"));
        }
        Check.Equal(3, await db.PublishAsync(RedisChannel.Literal("news.cat"), 1));
        Check.Equal(1, await db.PublishAsync(RedisChannel.Literal("news.dog"), 2));
        Check.Equal(2, await db.PublishAsync(RedisChannel.Literal("news.*"), 3));
        Check.Equal(0, await db.PublishAsync(RedisChannel.Literal("weather"), 4));
        await HeardAsync(heard, "l news.* news.* 3", "l news.cat news.cat 1",
            "p *.[a-c]?t news.cat 1", "p news.* news.* 3", "p news.* news.cat 1",
            "p news.* news.dog 2");

        await subscriber.UnsubscribeAsync(channels[1]);
        Check.Equal(2, await db.PublishAsync(RedisChannel.Literal("news.cat"), 5));
        await subscriber.UnsubscribeAllAsync();
        Check.Equal(0, await db.PublishAsync(RedisChannel.Literal("news.cat"), 6));
    }

    /// <summary>Exactly these, in any order.</summary>
    private static async Task HeardAsync(ConcurrentQueue<string> heard, params string[] expected)
    {
        await Eventually.TrueAsync(
            () => Task.FromResult(heard.Count >= expected.Length), "the messages");
        Check.Equal(string.Join('\n', expected.Order(StringComparer.Ordinal)),
            string.Join('\n', heard.Order(StringComparer.Ordinal)));
    }

    private async Task Sharded(IDatabase db)
    {
        await using ConnectionMultiplexer listener = await ConnectAsync();
        RedisChannel shard = RedisChannel.Sharded("orders");
        RedisChannel plain = RedisChannel.Literal("orders");
        var heard = new ConcurrentQueue<string>();
        await listener.GetSubscriber().SubscribeAsync(
            shard, (from, message) => heard.Enqueue($"shard {from} {message}"));
        await listener.GetSubscriber().SubscribeAsync(
            plain, (from, message) => heard.Enqueue($"plain {from} {message}"));
        Check.Equal(1, await db.PublishAsync(shard, 1));
        Check.Equal(1, await db.PublishAsync(plain, 2));
        await HeardAsync(heard, "plain orders 2", "shard orders 1");
        await listener.GetSubscriber().UnsubscribeAsync(shard);
        Check.Equal(0, await db.PublishAsync(shard, 3));
        Check.Equal(1, await db.PublishAsync(plain, 4));
    }

    private async Task Handlers(IDatabase db)
    {
        await using ConnectionMultiplexer listener = await ConnectAsync();
        ISubscriber subscriber = listener.GetSubscriber();
        RedisChannel channel = RedisChannel.Literal("news");
        var heard = new ConcurrentQueue<string>();
        void First(RedisChannel _, RedisValue message) => heard.Enqueue($"first {message}");
        void Second(RedisChannel _, RedisValue message) => heard.Enqueue($"second {message}");
        await subscriber.SubscribeAsync(channel, First);
        await subscriber.SubscribeAsync(channel, Second);
        Check.Equal(1, await db.PublishAsync(channel, 1)); // one subscription for both
        await HeardAsync(heard, "first 1", "second 1");
        await subscriber.UnsubscribeAsync(channel, First);
        Check.Equal(1, await db.PublishAsync(channel, 2));
        await HeardAsync(heard, "first 1", "second 1", "second 2");
        await subscriber.UnsubscribeAsync(channel, Second);
        Check.Equal(0, await db.PublishAsync(channel, 3));
        await subscriber.SubscribeAsync(channel, First);
        Check.Equal(1, await db.PublishAsync(channel, 4));
        await HeardAsync(heard, "first 1", "first 4", "second 1", "second 2");
        Check.True(subscriber.IsConnected(channel));
    }

    private async Task Queues(IDatabase db)
    {
        await using ConnectionMultiplexer listener = await ConnectAsync();
        ISubscriber subscriber = listener.GetSubscriber();
        ChannelMessageQueue all = await subscriber.SubscribeAsync(RedisChannel.Pattern("job.*"));
        ChannelMessageQueue one = await subscriber.SubscribeAsync(RedisChannel.Literal("job.1"));
        const int Count = 2000;
        Task<long>[] published = [.. Enumerable.Range(0, Count).Select(i =>
            db.PublishAsync(RedisChannel.Literal($"job.{i % 2}"), i))];
        Check.Equal(Count * 3 / 2, (await Task.WhenAll(published)).Sum());
        for (int i = 0; i < Count; i++)
        {
            ChannelMessage message = await all.ReadAsync();
            Check.Equal(i, (int)message.Message);
            Check.Equal($"job.{i % 2}", message.Channel.ToString());
        }
        for (int i = 1; i < Count; i += 2)
        {
            Check.Equal(i, (int)(await one.ReadAsync()).Message);
        }
        await all.UnsubscribeAsync();
        await all.Completion;
        Check.Equal(1, await db.PublishAsync(RedisChannel.Literal("job.1"), "last"));
    }

    private async Task Payloads(IDatabase db)
    {
        await using ConnectionMultiplexer listener = await ConnectAsync();
        RedisChannel channel = RedisChannel.Literal((byte[])[0, 13, 10, 255]);
        ChannelMessageQueue queue = await listener.GetSubscriber().SubscribeAsync(channel);
        byte[] large = new byte[4 << 20];
        new Random(1).NextBytes(large);
        foreach (byte[] payload in (byte[][])[[], [0], "\r\n$-1\r\n"u8.ToArray(), large, [1]])
        {
            Check.Equal(1, await db.PublishAsync(channel, payload));
            ChannelMessage message = await queue.ReadAsync();
            Check.True(message.Channel == channel);
            Check.True(((byte[]?)message.Message).AsSpan().SequenceEqual(payload));
        }
    }

    private async Task Introspection(IDatabase db)
    {
        await using ConnectionMultiplexer one = await ConnectAsync();
        await using ConnectionMultiplexer two = await ConnectAsync();
        await one.GetSubscriber().SubscribeAsync(RedisChannel.Literal("news.a"));
        await two.GetSubscriber().SubscribeAsync(RedisChannel.Literal("news.a"));
        await two.GetSubscriber().SubscribeAsync(RedisChannel.Literal("news.b"));
        await two.GetSubscriber().SubscribeAsync(RedisChannel.Pattern("news.*"));
        IServer server = ServerOf(db);
        RedisChannel[] channels =
            await server.SubscriptionChannelsAsync(RedisChannel.Pattern("news.?"));
        Check.Equal("news.a,news.b", string.Join(
            ',', channels.Select(channel => channel.ToString()).Order(StringComparer.Ordinal)));
        Check.Equal(2, await server.SubscriptionSubscriberCountAsync(
            RedisChannel.Literal("news.a")));
        Check.Equal(0, await server.SubscriptionSubscriberCountAsync(
            RedisChannel.Literal("none")));
        Check.Equal(1, await server.SubscriptionPatternCountAsync());
        ClientInfo[] clients = await server.ClientListAsync();
        Check.True(clients.Any(client => client.PatternSubscriptionCount == 1));
        Check.True(clients.Count(client => client.SubscriptionCount > 0) >= 2);
    }

    private async Task ManyToMany(IDatabase db)
    {
        const int Subscribers = 12, Publishers = 4, Messages = 250;
        RedisChannel channel = RedisChannel.Literal("all");
        var connections = new ConcurrentBag<ConnectionMultiplexer>();
        ChannelMessageQueue[] queues = await Task.WhenAll(
            Enumerable.Range(0, Subscribers).Select(async _ =>
            {
                ConnectionMultiplexer own = await ConnectAsync();
                connections.Add(own);
                return await own.GetSubscriber().SubscribeAsync(channel);
            }));
        await Task.WhenAll(Enumerable.Range(0, Publishers).Select(async publisher =>
        {
            await using ConnectionMultiplexer own = await ConnectAsync();
            long[] counts = await Task.WhenAll(Enumerable.Range(0, Messages).Select(i =>
                own.GetDatabase().PublishAsync(channel, publisher * Messages + i)));
            Check.True(counts.All(count => count == Subscribers));
        }));
        foreach (ChannelMessageQueue queue in queues)
        {
            int[] next = [.. Enumerable.Range(0, Publishers).Select(i => i * Messages)];
            for (int i = 0; i < Publishers * Messages; i++)
            {
                int number = (int)(await queue.ReadAsync()).Message;
                Check.Equal(next[number / Messages]++, number);
            }
        }
        foreach (ConnectionMultiplexer connection in connections)
        {
            await connection.DisposeAsync();
        }
    }

    /// <summary>On RESP3 both go over one connection.</summary>
    private static async Task BesideOtherCommands(IDatabase db)
    {
        RedisChannel channel = RedisChannel.Literal("n");
        ChannelMessageQueue queue = await db.Multiplexer.GetSubscriber().SubscribeAsync(channel);
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(async i =>
        {
            Task<bool> set = db.StringSetAsync($"k{i}", i);
            Task<long> published = db.PublishAsync(channel, i);
            Task<RedisValue> get = db.StringGetAsync($"k{i}");
            Check.True(await set);
            Check.Equal(1, await published);
            Check.Equal(i, (int)await get);
        }));
        for (int i = 0; i < 1000; i++)
        {
            Check.Equal(i, (int)(await queue.ReadAsync()).Message);
        }
        await queue.UnsubscribeAsync();
    }

    private async Task ManyChannels(IDatabase db)
    {
        await using ConnectionMultiplexer listener = await ConnectAsync();
        ISubscriber subscriber = listener.GetSubscriber();
        int heard = 0;
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => subscriber.SubscribeAsync(
            RedisChannel.Literal($"user:{i}"), (_, message) =>
                Interlocked.Add(ref heard, (int)message == i ? 1 : 1_000_000))));
        long[] counts = await Task.WhenAll(Enumerable.Range(0, 1000).Select(i =>
            db.PublishAsync(RedisChannel.Literal($"user:{i}"), i)));
        Check.Equal(1000, counts.Sum());
        Eventually.True(() => Volatile.Read(ref heard) >= 1000, "1000 messages");
        Check.Equal(1000, heard);
        await subscriber.UnsubscribeAllAsync();
        await Eventually.TrueAsync(async () => (await ServerOf(db).SubscriptionChannelsAsync(
            RedisChannel.Pattern("user:*"))).Length == 0, "the end of all subscriptions");
    }

    private async Task KeyspaceNotifications(IDatabase db)
    {
        await ServerOf(db).ConfigSetAsync("notify-keyspace-events", "KEA");
        await using ConnectionMultiplexer listener = await ConnectAsync();
        ChannelMessageQueue keys = await listener.GetSubscriber().SubscribeAsync(
            RedisChannel.Pattern("__keyspace@0__:user:*"));
        ChannelMessageQueue any = await listener.GetSubscriber().SubscribeAsync(
            RedisChannel.Pattern("__keyevent@*__:*"));
        await db.StringSetAsync("user:1", "x", TimeSpan.FromMilliseconds(30));
        await Eventually.TrueAsync(async () => !await db.KeyExistsAsync("user:1"), "the expiry");
        await db.HashSetAsync("user:2", "f", "v");
        await db.Multiplexer.GetDatabase(3).ListLeftPushAsync("list", "x");
        await db.KeyRenameAsync("user:2", "user:3");
        await db.KeyDeleteAsync("user:3"); // UNLINK
        foreach (string expected in (string[])
            ["user:1 set", "user:1 expire", "user:1 expired", "user:2 hset",
             "user:2 rename_from", "user:3 rename_to", "user:3 del"])
        {
            ChannelMessage message = await keys.ReadAsync();
            Check.Equal($"__keyspace@0__:{expected.Split(' ')[0]}", message.Channel.ToString());
            Check.Equal(expected.Split(' ')[1], message.Message);
        }
        foreach (string expected in (string[])
            ["0 set user:1", "0 expire user:1", "0 expired user:1", "0 hset user:2", "3 lpush list",
             "0 rename_from user:2", "0 rename_to user:3", "0 del user:3"])
        {
            string[] words = expected.Split(' ');
            ChannelMessage message = await any.ReadAsync();
            Check.Equal($"__keyevent@{words[0]}__:{words[1]}", message.Channel.ToString());
            Check.Equal(words[2], message.Message);
        }
        await ServerOf(db).ConfigSetAsync("notify-keyspace-events", "");
    }

    private async Task KeyEvents(IDatabase db)
    {
        await ServerOf(db).ConfigSetAsync("notify-keyspace-events", "Exg");
        await using ConnectionMultiplexer listener = await ConnectAsync();
        var heard = new ConcurrentQueue<string>();
        foreach (var type in (KeyNotificationType[])
            [KeyNotificationType.Expired, KeyNotificationType.Del])
        {
            await listener.GetSubscriber().SubscribeAsync(
                RedisChannel.KeyEvent(type, 0), (channel, message) =>
                {
                    bool parsed = KeyNotification.TryParse(
                        in channel, in message, out KeyNotification notification);
                    heard.Enqueue($"{parsed} {notification.Type} {notification.GetKey()}");
                });
        }
        await db.ScriptEvaluateAsync(
            "redis.call('PSETEX', KEYS[1], 20, 'x'); redis.call('SET', KEYS[2], 'x')", ["a", "b"]);
        await db.ScriptEvaluateAsync("return redis.call('DEL', KEYS[1])", ["b"]);
        await HeardAsync(heard, "True Del b", "True Expired a"); // without a read in between
        await ServerOf(db).ConfigSetAsync("notify-keyspace-events", "");
    }
}
