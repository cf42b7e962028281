using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Sorted sets through StackExchange.Redis.</summary>
internal sealed class SortedSetTests(TestServer server, RedisProtocol protocol)
    : TypeTests(server, protocol)
{
    private static readonly SortedSetEntry[] Letters =
        [new("a", 1), new("b", 2), new("c", 3), new("d", 4), new("e", 5)];

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("sorted set members and scores", MembersAndScores),
        Test("conditional SortedSetAdd", ConditionalAdd),
        Test("scores come back as they went", Scores),
        Test("sorted set ranges by score", RangesByScore),
        Test("sorted set ranges by rank", RangesByRank),
        Test("sorted set ranges by value", RangesByValue),
        Test("SortedSetRangeAndStore", RangeAndStore),
        Test("removal of sorted set ranges", RangeRemoval),
        Test("SortedSetCombine", Combine),
        Test("SortedSetPop", Pop),
        Test("random sorted set members", RandomMembers),
        Test("SortedSetScan", Scan),
        Test("large sorted sets", LargeSortedSets),
        Test("a tag index swept by age", TagIndex),
        Test("sorted set commands refuse other types", db =>
            RefusesOtherTypesAsync(db, key => db.SortedSetAddAsync(key, "m", 1))),
    ];

    private static async Task MembersAndScores(IDatabase db)
    {
        Check.True(await db.SortedSetAddAsync("z", "a", 1));
        Check.True(!await db.SortedSetAddAsync("z", "a", 2));
        Check.Equal(2, await db.SortedSetAddAsync("z", [new("a", 3), new("b", 4), new("c", 5)]));
        Check.Equal(3, await db.SortedSetLengthAsync("z"));
        Check.Equal(2, await db.SortedSetLengthAsync("z", 4, 5));
        Check.Equal(1, await db.SortedSetLengthAsync("z", 4, 5, Exclude.Start));
        Check.Equal(3.0, await db.SortedSetScoreAsync("z", "a"));
        Check.True(await db.SortedSetScoreAsync("z", "none") is null);
        Check.True((await db.SortedSetScoresAsync("z", ["b", "none"])).SequenceEqual([4, null]));
        Check.Equal(0L, await db.SortedSetRankAsync("z", "a"));
        Check.Equal(2L, await db.SortedSetRankAsync("z", "a", Order.Descending));
        Check.True(await db.SortedSetRankAsync("z", "none") is null);
        Check.Equal(3.5, await db.SortedSetIncrementAsync("z", "a", 0.5));
        Check.Equal(-1.0, await db.SortedSetDecrementAsync("z", "new", 1));
        Check.True(await db.SortedSetRemoveAsync("z", "new"));
        Check.Equal(2, await db.SortedSetRemoveAsync("z", ["a", "b", "none"]));
        Check.True(await db.SortedSetRemoveAsync("z", "c"));
        Check.True(!await db.KeyExistsAsync("z"));
    }

    private static async Task ConditionalAdd(IDatabase db)
    {
        await db.SortedSetAddAsync("z", "a", 5);
        Check.True(!await db.SortedSetAddAsync("z", "a", 1, SortedSetWhen.GreaterThan));
        Check.Equal(5.0, await db.SortedSetScoreAsync("z", "a"));
        Check.True(await db.SortedSetUpdateAsync("z", "a", 6, SortedSetWhen.GreaterThan));
        Check.True(!await db.SortedSetUpdateAsync("z", "a", 7, SortedSetWhen.LessThan));
        Check.True(!await db.SortedSetAddAsync("z", "none", 1, SortedSetWhen.Exists));
        Check.True(!await db.SortedSetAddAsync("z", "a", 1, SortedSetWhen.NotExists));
        Check.True(await db.SortedSetAddAsync("z", "b", 1, SortedSetWhen.GreaterThan));
        Check.Equal("b=1,a=6", Text(await db.SortedSetRangeByRankWithScoresAsync("z")));
        Check.Equal(2, await db.SortedSetUpdateAsync("z", [new("a", 0), new("b", 0)]));
    }

    private static async Task Scores(IDatabase db)
    {
        double[] scores =
        [
            double.NegativeInfinity, double.MinValue, -1.5, -double.Epsilon, 0, 0.1, 1.0 / 3,
            9007199254740993, 1e21, double.MaxValue, double.PositiveInfinity,
        ];
        await db.SortedSetAddAsync("z", [.. scores.Select((score, i) =>
            new SortedSetEntry(i, score))]);
        for (int i = 0; i < scores.Length; i++)
        {
            Check.Equal((double?)scores[i], await db.SortedSetScoreAsync("z", i));
        }
        SortedSetEntry[] all = await db.SortedSetRangeByRankWithScoresAsync("z");
        Check.True(all.Select(entry => entry.Score).SequenceEqual(scores));
        var refused = await Check.ThrowsAsync<RedisServerException>(
            () => db.SortedSetIncrementAsync("z", 0, double.PositiveInfinity));
        Check.Equal("ERR resulting score is not a number (NaN)", refused.Message);
        refused = await Check.ThrowsAsync<RedisServerException>(
            () => db.ExecuteAsync("ZADD", "z", "nan", "m"));
        Check.Equal("ERR value is not a valid float", refused.Message);
    }

    private static async Task RangesByScore(IDatabase db)
    {
        await db.SortedSetAddAsync("z", Letters);
        Check.Equal("b,c,d", Text(await db.SortedSetRangeByScoreAsync("z", 2, 4)));
        Check.Equal("c", Text(await db.SortedSetRangeByScoreAsync("z", 2, 4, Exclude.Both)));
        Check.Equal("d,c,b", Text(
            await db.SortedSetRangeByScoreAsync("z", 2, 4, order: Order.Descending)));
        Check.Equal("b,c", Text(await db.SortedSetRangeByScoreAsync("z", skip: 1, take: 2)));
        Check.Equal("a=1,b=2,c=3,d=4,e=5",
            Text(await db.SortedSetRangeByScoreWithScoresAsync("z")));
        Check.Equal("e=5,d=4", Text(await db.SortedSetRangeByScoreWithScoresAsync(
            "z", order: Order.Descending, take: 2)));
        Check.Equal(0, (await db.SortedSetRangeByScoreAsync("z", 6, 9)).Length);
    }

    private static async Task RangesByRank(IDatabase db)
    {
        await db.SortedSetAddAsync("z", Letters);
        Check.Equal("b,c", Text(await db.SortedSetRangeByRankAsync("z", 1, 2)));
        Check.Equal("d,e", Text(await db.SortedSetRangeByRankAsync("z", -2)));
        Check.Equal("e=5,d=4", Text(
            await db.SortedSetRangeByRankWithScoresAsync("z", 0, 1, Order.Descending)));
        Check.Equal("a=1,b=2,c=3,d=4,e=5",
            Text(await db.SortedSetRangeByRankWithScoresAsync("z")));
        Check.Equal(0, (await db.SortedSetRangeByRankWithScoresAsync("none")).Length);
    }

    private static async Task RangesByValue(IDatabase db)
    {
        await db.SortedSetAddAsync(
            "z", [.. Letters.Select(entry => new SortedSetEntry(entry.Element, 0))]);
        Check.Equal("a,b,c,d,e", Text(await db.SortedSetRangeByValueAsync("z")));
        Check.Equal("c,d", Text(
            await db.SortedSetRangeByValueAsync("z", "b", "d", Exclude.Start)));
        Check.Equal("d,c", Text(await db.SortedSetRangeByValueAsync(
            "z", "b", "d", Exclude.Start, Order.Descending, 0, -1)));
        Check.Equal("b", Text(await db.SortedSetRangeByValueAsync(
            "z", skip: 1, take: 1)));
        Check.Equal(3, await db.SortedSetLengthByValueAsync("z", "b", "d"));
        Check.Equal(2, await db.SortedSetRemoveRangeByValueAsync("z", "b", "d", Exclude.Stop));
        Check.Equal("a,d,e", Text(await db.SortedSetRangeByRankAsync("z")));
    }

    private static async Task RangeAndStore(IDatabase db)
    {
        await db.SortedSetAddAsync("z", Letters);
        Check.Equal(2, await db.SortedSetRangeAndStoreAsync("z", "stored", 1, 2));
        Check.Equal("b=2,c=3", Text(await db.SortedSetRangeByRankWithScoresAsync("stored")));
        Check.Equal(3, await db.SortedSetRangeAndStoreAsync(
            "z", "stored", 3, 5, SortedSetOrder.ByScore));
        Check.Equal("c,d,e", Text(await db.SortedSetRangeByRankAsync("stored")));
        Check.Equal(0, await db.SortedSetRangeAndStoreAsync("none", "stored", 0, -1));
        Check.True(!await db.KeyExistsAsync("stored"));
    }

    private static async Task RangeRemoval(IDatabase db)
    {
        await db.SortedSetAddAsync("z", Letters);
        Check.Equal(2, await db.SortedSetRemoveRangeByRankAsync("z", 0, 1));
        Check.Equal(1, await db.SortedSetRemoveRangeByScoreAsync("z", 3, 4, Exclude.Start));
        Check.Equal("c=3,e=5", Text(await db.SortedSetRangeByRankWithScoresAsync("z")));
        Check.Equal(2, await db.SortedSetRemoveRangeByScoreAsync(
            "z", double.NegativeInfinity, double.PositiveInfinity));
        Check.True(!await db.KeyExistsAsync("z"));
    }

    private static async Task Combine(IDatabase db)
    {
        await db.SortedSetAddAsync("z", [new("a", 1), new("b", 2)]);
        await db.SortedSetAddAsync("y", [new("b", 10), new("c", 20)]);
        await db.SetAddAsync("plain", ["a", "b"]);
        Check.Equal("a,b,c", Text(await db.SortedSetCombineAsync(SetOperation.Union, ["z", "y"])));
        Check.Equal("a=1,b=12,c=20", Text(
            await db.SortedSetCombineWithScoresAsync(SetOperation.Union, ["z", "y"])));
        Check.Equal("b=34", Text(await db.SortedSetCombineWithScoresAsync(
            SetOperation.Intersect, ["z", "y"], [2, 3])));
        Check.Equal("b=10", Text(await db.SortedSetCombineWithScoresAsync(
            SetOperation.Intersect, ["z", "y"], aggregate: Aggregate.Max)));
        Check.Equal("a=1", Text(await db.SortedSetCombineWithScoresAsync(
            SetOperation.Difference, ["z", "y"])));
        Check.Equal("a=2,b=3", Text(await db.SortedSetCombineWithScoresAsync(
            SetOperation.Intersect, ["z", "plain"])));
        Check.Equal(3, await db.SortedSetCombineAndStoreAsync(
            SetOperation.Union, "stored", ["z", "y"], [1, 0.5], Aggregate.Min));
        Check.Equal("a=1,b=2,c=10", Text(await db.SortedSetRangeByRankWithScoresAsync("stored")));
        Check.Equal(0, await db.SortedSetCombineAndStoreAsync(
            SetOperation.Intersect, "stored", "z", "none"));
        Check.True(!await db.KeyExistsAsync("stored"));
        Check.Equal(1, await db.SortedSetIntersectionLengthAsync(["z", "y"]));
    }

    private static async Task Pop(IDatabase db)
    {
        await db.SortedSetAddAsync("z", Letters);
        SortedSetEntry? least = await db.SortedSetPopAsync("z");
        Check.Equal("a=1", Text([least!.Value]));
        Check.Equal("e=5,d=4", Text(await db.SortedSetPopAsync("z", 2, Order.Descending)));
        SortedSetPopResult popped = await db.SortedSetPopAsync(["none", "z"], 1);
        Check.Equal("z", popped.Key.ToString());
        Check.Equal("b=2", Text(popped.Entries));
        popped = await db.SortedSetPopAsync(["none", "z"], 5, Order.Descending);
        Check.Equal("c=3", Text(popped.Entries));
        Check.True((await db.SortedSetPopAsync(["none", "z"], 1)).IsNull);
        Check.True(await db.SortedSetPopAsync("z") is null);
        Check.Equal(0, (await db.SortedSetPopAsync("z", 2)).Length);
    }

    private static async Task RandomMembers(IDatabase db)
    {
        await db.SortedSetAddAsync("z", Letters);
        RedisValue one = await db.SortedSetRandomMemberAsync("z");
        Check.True(await db.SortedSetScoreAsync("z", one) is not null);
        Check.Equal("a,b,c,d,e", Sorted(await db.SortedSetRandomMembersAsync("z", 10)));
        Check.Equal(10, (await db.SortedSetRandomMembersAsync("z", -10)).Length);
        SortedSetEntry[] all = await db.SortedSetRandomMembersWithScoresAsync("z", 5);
        Check.Equal("a=1,b=2,c=3,d=4,e=5", Text(all.OrderBy(entry => entry.Score)));
        Check.True((await db.SortedSetRandomMemberAsync("none")).IsNull);
    }

    private static async Task Scan(IDatabase db)
    {
        await db.SortedSetAddAsync("small", [new("a", 1.5), new("b", 2), new("other", 3)]);
        Check.Equal("a=1.5,b=2,other=3", Text(
            (await CollectAsync(db.SortedSetScanAsync("small"))).OrderBy(entry => entry.Score)));
        Check.Equal("other=3", Text(await CollectAsync(db.SortedSetScanAsync("small", "o*"))));
        await db.SortedSetAddAsync(
            "big", [.. Enumerable.Range(0, 10_000).Select(i => new SortedSetEntry($"m{i}", i))]);
        var found = new Dictionary<string, double>();
        await foreach (SortedSetEntry entry in db.SortedSetScanAsync("big", pageSize: 100))
        {
            found[entry.Element.ToString()] = entry.Score;
            await db.SortedSetRemoveAsync("big", entry.Element); // what is still there is found
        }
        Check.True(Enumerable.Range(0, 10_000).All(i => found[$"m{i}"] == i));
        Check.True(!await db.KeyExistsAsync("big"));
    }

    private static async Task LargeSortedSets(IDatabase db)
    {
        await db.SortedSetAddAsync("z", [new("first", -1)]);
        Check.Equal(RedisType.SortedSet, await db.KeyTypeAsync("z"));
        Check.Equal("listpack", await db.KeyEncodingAsync("z"));
        int[] scores = [.. Enumerable.Range(0, 20_000)];
        new Random(1).Shuffle(scores);
        foreach (int[] part in scores.Chunk(1000))
        {
            await db.SortedSetAddAsync(
                "z", [.. part.Select(score => new SortedSetEntry($"m{score}", score))]);
        }
        Check.Equal("skiplist", await db.KeyEncodingAsync("z"));
        Check.Equal(12_346L, await db.SortedSetRankAsync("z", "m12345"));
        Check.Equal("m9999=9999,m10000=10000",
            Text(await db.SortedSetRangeByRankWithScoresAsync("z", 10_000, 10_001)));
        RedisValue[] all = await db.SortedSetRangeByScoreAsync("z", 0);
        Check.True(all.SequenceEqual(
            Enumerable.Range(0, 20_000).Select(i => (RedisValue)$"m{i}")));
    }

    /// <summary>What the output cache's own sweep does with its index of tags.</summary>
    private static async Task TagIndex(IDatabase db)
    {
        foreach (var (tag, expiry) in (ReadOnlySpan<(string, long)>)[("old", 100), ("new", 900)])
        {
            db.SortedSetAdd(
                "tags", tag, expiry, SortedSetWhen.GreaterThan, CommandFlags.FireAndForget);
            db.SortedSetAdd($"tag:{tag}", $"page:{tag}", expiry, SortedSetWhen.Always);
        }
        TimeSpan lifetime = TimeSpan.FromMinutes(5);
        Check.True(await db.StringSetAsync("sweep", "x", lifetime, when: When.NotExists));
        Check.True(!await db.StringSetAsync("sweep", "x", lifetime, when: When.NotExists));
        await foreach (SortedSetEntry tag in db.SortedSetScanAsync("tags"))
        {
            _ = db.SortedSetRemoveRangeByScoreAsync(
                $"tag:{tag.Element}", 0, 500, flags: CommandFlags.FireAndForget);
            Check.True(await db.KeyExpireAsync("sweep", lifetime));
        }
        Check.Equal(1, await db.SortedSetRemoveRangeByScoreAsync("tags", 0, 500));
        Check.True(await db.KeyDeleteAsync("sweep"));
        Check.True(!await db.KeyExistsAsync("tag:old"));
        Check.Equal("page:new", Text(await db.SortedSetRangeByRankAsync("tag:new")));
        Check.Equal("new=900", Text(await db.SortedSetRangeByRankWithScoresAsync("tags")));
    }
}
