using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Lists through StackExchange.Redis.</summary>
internal sealed class ListTests(TestServer server, RedisProtocol protocol)
    : TypeTests(server, protocol)
{
    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("list ends", Ends),
        Test("list ranges and indexes", RangesAndIndexes),
        Test("list insertion, removal, trimming", Changes),
        Test("list positions", Positions),
        Test("ListMove", Move),
        Test("popping from the first of several lists", PopFromTheFirst),
        Test("long lists", LongLists),
        Test("a list as a queue of many callers", Queue),
        Test("SORT", Sort),
        Test("list commands refuse other types", db =>
            RefusesOtherTypesAsync(db, key => db.ListLeftPushAsync(key, "v"))),
    ];

    private static async Task Ends(IDatabase db)
    {
        Check.Equal(1, await db.ListLeftPushAsync("l", "b"));
        Check.Equal(2, await db.ListLeftPushAsync("l", "a"));
        Check.Equal(4, await db.ListRightPushAsync("l", ["c", "d"]));
        Check.Equal(0, await db.ListLeftPushAsync("none", "x", When.Exists));
        Check.Equal(5, await db.ListRightPushAsync("l", "e", When.Exists));
        Check.Equal("a,b,c,d,e", Text(await db.ListRangeAsync("l")));
        Check.Equal("e", await db.ListRightPopAsync("l"));
        Check.Equal("a", await db.ListLeftPopAsync("l"));
        Check.Equal("b,c", Text(await db.ListLeftPopAsync("l", 2)));
        Check.Equal("d", Text(await db.ListRightPopAsync("l", 10)));
        Check.True(!await db.KeyExistsAsync("l"));
        Check.True((await db.ListRightPopAsync("l")).IsNull);
        Check.Equal(0, (await db.ListRightPopAsync("l", 2)).Length);
        Check.Equal(0, await db.ListLengthAsync("l"));
    }

    private static async Task RangesAndIndexes(IDatabase db)
    {
        await db.ListRightPushAsync("l", ["a", "b", "c", "d", "e"]);
        Check.Equal("b,c,d", Text(await db.ListRangeAsync("l", 1, 3)));
        Check.Equal("d,e", Text(await db.ListRangeAsync("l", -2, 100)));
        Check.Equal(0, (await db.ListRangeAsync("l", 4, 2)).Length);
        Check.Equal("c", await db.ListGetByIndexAsync("l", 2));
        Check.Equal("e", await db.ListGetByIndexAsync("l", -1));
        Check.True((await db.ListGetByIndexAsync("l", 5)).IsNull);
        await db.ListSetByIndexAsync("l", -2, "D");
        Check.Equal("D", await db.ListGetByIndexAsync("l", 3));
        var refused = await Check.ThrowsAsync<RedisServerException>(
            () => db.ListSetByIndexAsync("l", 5, "x"));
        Check.Equal("ERR index out of range", refused.Message);
        refused = await Check.ThrowsAsync<RedisServerException>(
            () => db.ListSetByIndexAsync("none", 0, "x"));
        Check.Equal("ERR no such key", refused.Message);
    }

    private static async Task Changes(IDatabase db)
    {
        await db.ListRightPushAsync("l", ["a", "b", "a", "c", "a"]);
        Check.Equal(6, await db.ListInsertBeforeAsync("l", "b", "x"));
        Check.Equal(7, await db.ListInsertAfterAsync("l", "c", "y"));
        Check.Equal(-1, await db.ListInsertAfterAsync("l", "none", "z"));
        Check.Equal("a,x,b,a,c,y,a", Text(await db.ListRangeAsync("l")));
        Check.Equal(1, await db.ListRemoveAsync("l", "a", -1));
        Check.Equal(2, await db.ListRemoveAsync("l", "a"));
        Check.Equal("x,b,c,y", Text(await db.ListRangeAsync("l")));
        await db.ListTrimAsync("l", 1, -2);
        Check.Equal("b,c", Text(await db.ListRangeAsync("l")));
        await db.ListTrimAsync("l", 5, 9);
        Check.True(!await db.KeyExistsAsync("l"));
    }

    private static async Task Positions(IDatabase db)
    {
        await db.ListRightPushAsync("l", ["a", "b", "a", "c", "a"]);
        Check.Equal(0, await db.ListPositionAsync("l", "a"));
        Check.Equal(4, await db.ListPositionAsync("l", "a", rank: -1));
        Check.Equal(-1, await db.ListPositionAsync("l", "none"));
        Check.True((await db.ListPositionsAsync("l", "a", 0)).SequenceEqual([0, 2, 4]));
        Check.True((await db.ListPositionsAsync("l", "a", 2, rank: 2)).SequenceEqual([2, 4]));
        Check.Equal(0, (await db.ListPositionsAsync("l", "a", 0, rank: 2, maxLength: 2)).Length);
    }

    private static async Task Move(IDatabase db)
    {
        await db.ListRightPushAsync("l", ["a", "b", "c"]);
        Check.Equal("a", await db.ListMoveAsync("l", "m", ListSide.Left, ListSide.Right));
        Check.Equal("c", await db.ListMoveAsync("l", "m", ListSide.Right, ListSide.Left));
        Check.Equal("a", await db.ListRightPopLeftPushAsync("m", "l"));
        Check.Equal("a,b", Text(await db.ListRangeAsync("l")));
        Check.Equal("c", Text(await db.ListRangeAsync("m")));
        Check.Equal("a", await db.ListMoveAsync("l", "l", ListSide.Left, ListSide.Right));
        Check.Equal("b,a", Text(await db.ListRangeAsync("l")));
        Check.True((await db.ListMoveAsync("none", "l", ListSide.Left, ListSide.Left)).IsNull);
        Check.True((await db.ListRightPopLeftPushAsync("none", "l")).IsNull);
    }

    private static async Task PopFromTheFirst(IDatabase db)
    {
        await db.ListRightPushAsync("second", ["a", "b", "c"]);
        ListPopResult popped = await db.ListLeftPopAsync(["first", "second"], 2);
        Check.Equal("second", popped.Key.ToString());
        Check.Equal("a,b", Text(popped.Values));
        popped = await db.ListRightPopAsync(["first", "second"], 5);
        Check.Equal("c", Text(popped.Values));
        Check.True((await db.ListRightPopAsync(["first", "second"], 5)).IsNull);
    }

    private static async Task LongLists(IDatabase db)
    {
        for (int start = 0; start < 20_000; start += 1000)
        {
            await db.ListRightPushAsync(
                "l", [.. Enumerable.Range(start, 1000).Select(i => (RedisValue)$"element:{i}")]);
        }
        byte[] big = new byte[1 << 20];
        new Random(1).NextBytes(big);
        Check.Equal(20_001, await db.ListLeftPushAsync("l", big));
        Check.Equal(RedisType.List, await db.KeyTypeAsync("l"));
        Check.Equal("quicklist", await db.KeyEncodingAsync("l"));
        Check.Equal("element:9999", await db.ListGetByIndexAsync("l", 10_000));
        Check.Equal("element:19998,element:19999", Text(await db.ListRangeAsync("l", -2)));
        Check.True(((byte[]?)await db.ListLeftPopAsync("l")).AsSpan().SequenceEqual(big));
        RedisValue[] all = await db.ListRangeAsync("l");
        Check.True(all.SequenceEqual(
            Enumerable.Range(0, 20_000).Select(i => (RedisValue)$"element:{i}")));
    }

    private static async Task Queue(IDatabase db)
    {
        const int Producers = 20, Each = 200;
        Task[] producers = [.. Enumerable.Range(0, Producers).Select(async producer =>
        {
            for (int i = 0; i < Each; i++)
            {
                await db.ListLeftPushAsync("jobs", $"{producer}:{i}");
            }
        })];
        int taken = 0;
        List<string>[] consumed = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            var own = new List<string>();
            while (Volatile.Read(ref taken) < Producers * Each)
            {
                RedisValue job = await db.ListRightPopAsync("jobs");
                if (!job.IsNull)
                {
                    own.Add(job.ToString());
                    Interlocked.Increment(ref taken);
                }
            }
            return own;
        }));
        await Task.WhenAll(producers);
        string[] jobs = [.. consumed.SelectMany(own => own)];
        Check.Equal(Producers * Each, jobs.Length);
        Check.Equal(Producers * Each, jobs.Distinct().Count());
    }

    private static async Task Sort(IDatabase db)
    {
        await db.ListRightPushAsync("l", [3, 1, 10, 2]);
        Check.Equal("1,2,3,10", Text(await db.SortAsync("l")));
        Check.Equal("3,2,10,1", Text(await db.SortAsync(
            "l", order: Order.Descending, sortType: SortType.Alphabetic)));
        Check.Equal("2,3", Text(await db.SortAsync("l", skip: 1, take: 2)));
        await db.StringSetAsync(
            [new("weight_1", 4), new("weight_2", 3), new("weight_3", 2), new("weight_10", 1)]);
        await db.HashSetAsync("user_10", "name", "ten");
        Check.Equal("10,ten,3,", Text(await db.SortAsync(
            "l", take: 2, by: "weight_*", get: ["#", "user_*->name"])));
        Check.Equal(4, await db.SortAndStoreAsync("sorted", "l"));
        Check.Equal("1,2,3,10", Text(await db.ListRangeAsync("sorted")));
    }
}
