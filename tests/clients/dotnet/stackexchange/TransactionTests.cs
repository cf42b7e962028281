using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Transactions of StackExchange.Redis: WATCH, the conditions, MULTI, EXEC.</summary>
internal sealed class TransactionTests(TestServer server, RedisProtocol protocol)
    : TypeTests(server, protocol)
{
    /// <summary>Conditions on the keys of <see cref="FillAsync"/>, and whether they hold.</summary>
    private static readonly (string Name, Condition Condition, bool Holds)[] Conditions =
    [
        ("KeyExists", Condition.KeyExists("string"), true),
        ("KeyExists, not", Condition.KeyExists("none"), false),
        ("KeyNotExists", Condition.KeyNotExists("none"), true),
        ("KeyNotExists, not", Condition.KeyNotExists("list"), false),
        ("StringEqual", Condition.StringEqual("string", "text"), true),
        ("StringEqual, not", Condition.StringEqual("string", "other"), false),
        ("StringEqual, null", Condition.StringEqual("none", RedisValue.Null), true),
        ("StringNotEqual", Condition.StringNotEqual("string", "other"), true),
        ("StringNotEqual, not", Condition.StringNotEqual("string", "text"), false),
        ("StringLengthEqual", Condition.StringLengthEqual("string", 4), true),
        ("StringLengthLessThan, not", Condition.StringLengthLessThan("string", 4), false),
        ("StringLengthGreaterThan", Condition.StringLengthGreaterThan("string", 3), true),
        ("HashExists", Condition.HashExists("hash", "f"), true),
        ("HashExists, not", Condition.HashExists("hash", "none"), false),
        ("HashNotExists", Condition.HashNotExists("hash", "none"), true),
        ("HashEqual", Condition.HashEqual("hash", "f", "v"), true),
        ("HashEqual, not", Condition.HashEqual("hash", "f", "w"), false),
        ("HashEqual, null", Condition.HashEqual("hash", "none", RedisValue.Null), true),
        ("HashNotEqual, not", Condition.HashNotEqual("hash", "f", "v"), false),
        ("HashLengthEqual", Condition.HashLengthEqual("hash", 2), true),
        ("HashLengthGreaterThan, not", Condition.HashLengthGreaterThan("hash", 2), false),
        ("ListIndexExists", Condition.ListIndexExists("list", 2), true),
        ("ListIndexNotExists", Condition.ListIndexNotExists("list", 3), true),
        ("ListIndexEqual", Condition.ListIndexEqual("list", -1, "c"), true),
        ("ListIndexEqual, not", Condition.ListIndexEqual("list", 0, "c"), false),
        ("ListIndexNotEqual", Condition.ListIndexNotEqual("list", 0, "c"), true),
        ("ListLengthEqual", Condition.ListLengthEqual("list", 3), true),
        ("ListLengthEqual, not", Condition.ListLengthEqual("list", 2), false),
        ("ListLengthLessThan", Condition.ListLengthLessThan("list", 4), true),
        ("SetContains", Condition.SetContains("set", "a"), true),
        ("SetContains, not", Condition.SetContains("set", "z"), false),
        ("SetNotContains", Condition.SetNotContains("set", "z"), true),
        ("SetLengthEqual", Condition.SetLengthEqual("set", 2), true),
        ("SetLengthLessThan, not", Condition.SetLengthLessThan("set", 2), false),
        ("SortedSetContains", Condition.SortedSetContains("zset", "b"), true),
        ("SortedSetNotContains, not", Condition.SortedSetNotContains("zset", "b"), false),
        ("SortedSetEqual", Condition.SortedSetEqual("zset", "b", 2.5), true),
        ("SortedSetEqual, not", Condition.SortedSetEqual("zset", "b", 2), false),
        ("SortedSetNotEqual", Condition.SortedSetNotEqual("zset", "b", 2), true),
        ("SortedSetLengthEqual", Condition.SortedSetLengthEqual("zset", 3), true),
        ("SortedSetLengthEqual, range", Condition.SortedSetLengthEqual("zset", 2, 2, 9), true),
        ("SortedSetLengthGreaterThan, not",
            Condition.SortedSetLengthGreaterThan("zset", 2, 2, 9), false),
        ("SortedSetScoreExists", Condition.SortedSetScoreExists("zset", 2.5), true),
        ("SortedSetScoreExists, twice", Condition.SortedSetScoreExists("zset", 2.5, 2), false),
        ("SortedSetScoreNotExists", Condition.SortedSetScoreNotExists("zset", 7), true),
        ("SortedSetContainsStarting", Condition.SortedSetContainsStarting("names", "an"), true),
        ("SortedSetContainsStarting, not",
            Condition.SortedSetContainsStarting("names", "x"), false),
    ];

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("a transaction is all or nothing", Commits),
        .. Conditions.Select(entry => Test(
            $"condition {entry.Name}", db => Holds(db, entry.Condition, entry.Holds))),
        Test("several conditions: each tells if it held", SeveralConditions),
        Test("errors in a transaction stay with their command", Errors),
        Test("optimistic updates of many clients lose nothing", OptimisticUpdates),
        Test("transactions of many callers over one connection", ManyCallers),
        Test("a large transaction", LargeTransaction),
        Test("transactions in several databases", SeveralDatabases),
        Test("scripts and publishing in a transaction", ScriptsAndPublishing),
    ];

    private static async Task FillAsync(IDatabase db)
    {
        await db.StringSetAsync("string", "text");
        await db.HashSetAsync("hash", [new("f", "v"), new("g", "w")]);
        await db.ListRightPushAsync("list", ["a", "b", "c"]);
        await db.SetAddAsync("set", ["a", "b"]);
        await db.SortedSetAddAsync("zset", [new("a", 1), new("b", 2.5), new("c", 3)]);
        await db.SortedSetAddAsync("names", [new("ann", 0), new("bob", 0)]);
    }

    private static async Task Commits(IDatabase db)
    {
        ITransaction transaction = db.CreateTransaction();
        Task<bool> set = transaction.StringSetAsync("k", "1");
        Task<long> sum = transaction.StringIncrementAsync("k", 41);
        Task<RedisValue> none = transaction.HashGetAsync("none", "f");
        Task<RedisValue> get = transaction.StringGetAsync("k");
        Check.True(!await db.KeyExistsAsync("k"));
        Check.True(await transaction.ExecuteAsync());
        Check.True(await set);
        Check.Equal(42, await sum);
        Check.True((await none).IsNull);
        Check.Equal("42", await get);

        Check.True(await db.CreateTransaction().ExecuteAsync()); // with nothing in it

        // Without ExecuteAsync nothing is sent.
        _ = db.CreateTransaction().StringSetAsync("k", "lost");
        Check.Equal("42", await db.StringGetAsync("k"));
    }

    private static async Task Holds(IDatabase db, Condition condition, bool holds)
    {
        await FillAsync(db);
        ITransaction transaction = db.CreateTransaction();
        ConditionResult result = transaction.AddCondition(condition);
        Task<bool> write = transaction.StringSetAsync("written", "x");
        Check.Equal(holds, await transaction.ExecuteAsync());
        Check.Equal(holds, result.WasSatisfied);
        Check.Equal(holds, await db.KeyExistsAsync("written"));
        if (holds)
        {
            Check.True(await write);
        }
        else
        {
            await Check.ThrowsAsync<TaskCanceledException>(() => write);
        }
    }

    private static async Task SeveralConditions(IDatabase db)
    {
        await FillAsync(db);
        ITransaction transaction = db.CreateTransaction();
        ConditionResult first = transaction.AddCondition(Condition.HashEqual("hash", "f", "v"));
        ConditionResult second = transaction.AddCondition(Condition.KeyNotExists("list"));
        ConditionResult third = transaction.AddCondition(Condition.SetContains("set", "a"));
        _ = transaction.KeyDeleteAsync("hash");
        Check.True(!await transaction.ExecuteAsync());
        Check.True(first.WasSatisfied);
        Check.True(!second.WasSatisfied);
        Check.True(third.WasSatisfied);
        Check.True(await db.KeyExistsAsync("hash"));

        // What was watched is not watched any more.
        await db.KeyDeleteAsync("set");
        Check.True(await db.CreateTransaction().ExecuteAsync());
    }

    private static async Task Errors(IDatabase db)
    {
        await FillAsync(db);
        ITransaction transaction = db.CreateTransaction();
        Task<long> before = transaction.ListRightPushAsync("list", "d");
        Task<long> wrong = transaction.ListRightPushAsync("string", "d");
        Task<RedisValue> after = transaction.StringGetAsync("string");
        Check.True(await transaction.ExecuteAsync());
        Check.Equal(4, await before);
        var refused = await Check.ThrowsAsync<RedisServerException>(() => wrong);
        Check.Equal(WrongType, refused.Message);
        Check.Equal("text", await after);

        transaction = db.CreateTransaction();
        _ = transaction.StringSetAsync("never", "x");
        Task<RedisResult> unknown = transaction.ExecuteAsync("NONSENSE", "a");
        bool committed = false;
        try
        {
            committed = await transaction.ExecuteAsync();
        }
        catch (RedisServerException exception)
        {
            Check.True(exception.Message.StartsWith("EXECABORT", StringComparison.Ordinal));
        }
        Check.True(!committed);
        Check.True(await Task.WhenAny(unknown, Task.Delay(5000)) == unknown);
        Check.True(!unknown.IsCompletedSuccessfully);
        Check.True(!await db.KeyExistsAsync("never"));
        Check.Equal("text", await db.StringGetAsync("string"));
    }

    /// <summary>Read, compute, write if nothing has changed meanwhile.</summary>
    private async Task OptimisticUpdates(IDatabase db)
    {
        const int Clients = 8, Updates = 25;
        await db.StringSetAsync("n", 0);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            await using ConnectionMultiplexer own = await ConnectAsync();
            IDatabase database = own.GetDatabase();
            int done = 0;
            while (done < Updates)
            {
                RedisValue n = await database.StringGetAsync("n");
                ITransaction transaction = database.CreateTransaction();
                transaction.AddCondition(Condition.StringEqual("n", n));
                Task set = transaction.StringSetAsync("n", (int)n + 1);
                Task push = transaction.ListRightPushAsync("history", (int)n + 1);
                if (await transaction.ExecuteAsync())
                {
                    await Task.WhenAll(set, push);
                    done++;
                }
            }
        }));
        Check.Equal(Clients * Updates, (int)await db.StringGetAsync("n"));
        Check.True((await db.ListRangeAsync("history")).Select(value => (int)value)
            .SequenceEqual(Enumerable.Range(1, Clients * Updates)));
    }

    private static async Task ManyCallers(IDatabase db)
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async caller =>
        {
            for (int i = 1; i <= 20; i++)
            {
                ITransaction transaction = db.CreateTransaction();
                transaction.AddCondition(Condition.ListLengthEqual($"list{caller}", i - 1));
                Task<long> own = transaction.ListRightPushAsync($"list{caller}", i);
                Task<long> shared = transaction.StringIncrementAsync("shared");
                Check.True(await transaction.ExecuteAsync());
                Check.Equal(i, await own);
                Check.True(await shared > 0);
            }
        }));
        Check.Equal(1000, (int)await db.StringGetAsync("shared"));
    }

    private static async Task LargeTransaction(IDatabase db)
    {
        ITransaction transaction = db.CreateTransaction();
        Task<long>[] counts =
            [.. Enumerable.Range(0, 5000).Select(_ => transaction.StringIncrementAsync("n"))];
        byte[] value = new byte[1 << 20];
        new Random(1).NextBytes(value);
        Task<bool> set = transaction.StringSetAsync("big", value);
        Task<RedisValue> get = transaction.StringGetAsync("big");
        Check.True(await transaction.ExecuteAsync());
        Check.True((await Task.WhenAll(counts)).SequenceEqual(
            Enumerable.Range(1, 5000).Select(i => (long)i)));
        Check.True(await set);
        Check.True(((byte[]?)await get).AsSpan().SequenceEqual(value));
    }

    private static async Task SeveralDatabases(IDatabase db)
    {
        IDatabase other = db.Multiplexer.GetDatabase(9);
        ITransaction here = db.CreateTransaction();
        here.AddCondition(Condition.KeyNotExists("list"));
        _ = here.ListRightPushAsync("list", "zero");
        ITransaction there = other.CreateTransaction();
        there.AddCondition(Condition.KeyNotExists("list"));
        _ = there.ListRightPushAsync("list", "nine");
        Check.True((await Task.WhenAll(here.ExecuteAsync(), there.ExecuteAsync())).All(x => x));
        Check.Equal("zero", Text(await db.ListRangeAsync("list")));
        Check.Equal("nine", Text(await other.ListRangeAsync("list")));
    }

    private static async Task ScriptsAndPublishing(IDatabase db)
    {
        IServer server = ServerOf(db);
        if (server.Protocol == RedisProtocol.Resp3 && server.Version < new Version(7, 2))
        {
            throw new SkipException("Redis before 7.2 pushes the message into the reply of EXEC");
        }
        RedisChannel channel = RedisChannel.Literal("done");
        ChannelMessageQueue queue = await db.Multiplexer.GetSubscriber().SubscribeAsync(channel);
        ITransaction transaction = db.CreateTransaction();
        transaction.AddCondition(Condition.KeyNotExists("k"));
        Task<RedisResult> script = transaction.ScriptEvaluateAsync(
            "return redis.call('INCRBY', KEYS[1], ARGV[1])", ["k"], [5]);
        Task<long> heard = transaction.PublishAsync(channel, "message");
        Check.True(await transaction.ExecuteAsync());
        Check.Equal(5, (int)await script);
        Check.Equal(1, await heard);
        Check.Equal("message", (await queue.ReadAsync()).Message);
        await queue.UnsubscribeAsync();
    }
}
