using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Sets through StackExchange.Redis.</summary>
internal sealed class SetTests(TestServer server, RedisProtocol protocol)
    : TypeTests(server, protocol)
{
    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("set members", Members),
        Test("SetCombine", Combine),
        Test("SetCombine on large sets", CombineLargeSets),
        Test("SetPop and random members", PopAndRandom),
        Test("SetPop of many callers", PopOfManyCallers),
        Test("SetScan", Scan),
        Test("encodings of sets", Encodings),
        Test("set commands refuse other types", db =>
            RefusesOtherTypesAsync(db, key => db.SetAddAsync(key, "v"))),
    ];

    private static async Task Members(IDatabase db)
    {
        Check.True(await db.SetAddAsync("s", "a"));
        Check.True(!await db.SetAddAsync("s", "a"));
        Check.Equal(2, await db.SetAddAsync("s", ["a", "b", "c"]));
        Check.Equal(3, await db.SetLengthAsync("s"));
        Check.True(await db.SetContainsAsync("s", "b"));
        Check.True(!await db.SetContainsAsync("s", "none"));
        Check.True((await db.SetContainsAsync("s", ["c", "none"])).SequenceEqual([true, false]));
        Check.Equal("a,b,c", Sorted(await db.SetMembersAsync("s")));
        Check.True(await db.SetMoveAsync("s", "t", "a"));
        Check.True(!await db.SetMoveAsync("s", "t", "none"));
        Check.Equal("a", Sorted(await db.SetMembersAsync("t")));
        Check.True(await db.SetRemoveAsync("s", "b"));
        Check.Equal(1, await db.SetRemoveAsync("s", ["b", "c", "none"]));
        Check.True(!await db.KeyExistsAsync("s"));
        Check.Equal(0, (await db.SetMembersAsync("s")).Length);
    }

    private static async Task Combine(IDatabase db)
    {
        await db.SetAddAsync("s", ["a", "b", "c"]);
        await db.SetAddAsync("t", ["b", "c", "d"]);
        await db.SetAddAsync("u", ["c", "e"]);
        Check.Equal("a,b,c,d", Sorted(await db.SetCombineAsync(SetOperation.Union, "s", "t")));
        Check.Equal("b,c", Sorted(await db.SetCombineAsync(SetOperation.Intersect, "s", "t")));
        Check.Equal("a", Sorted(await db.SetCombineAsync(SetOperation.Difference, "s", "t")));
        Check.Equal("c", Sorted(
            await db.SetCombineAsync(SetOperation.Intersect, ["s", "t", "u"])));
        Check.Equal(0, (await db.SetCombineAsync(SetOperation.Intersect, "s", "none")).Length);
        Check.Equal(5, await db.SetCombineAndStoreAsync(
            SetOperation.Union, "stored", ["s", "t", "u"]));
        Check.Equal("a,b,c,d,e", Sorted(await db.SetMembersAsync("stored")));
        Check.Equal(1, await db.SetCombineAndStoreAsync(SetOperation.Difference, "s", "s", "t"));
        Check.Equal("a", Sorted(await db.SetMembersAsync("s")));
        Check.Equal(0, await db.SetCombineAndStoreAsync(
            SetOperation.Intersect, "stored", "s", "none"));
        Check.True(!await db.KeyExistsAsync("stored"));
        Check.Equal(1, await db.SetIntersectionLengthAsync(["t", "u"]));
        Check.Equal(2, await db.SetIntersectionLengthAsync(["t", "t"], limit: 2));
    }

    private static async Task CombineLargeSets(IDatabase db)
    {
        static RedisValue[] Range(int start) =>
            [.. Enumerable.Range(start, 10_000).Select(i => (RedisValue)$"member:{i}")];
        await db.SetAddAsync("s", Range(0));
        await db.SetAddAsync("t", Range(5000));
        RedisValue[] both = await db.SetCombineAsync(SetOperation.Intersect, "s", "t");
        Check.True(both.ToHashSet().SetEquals(
            Enumerable.Range(5000, 5000).Select(i => (RedisValue)$"member:{i}")));
        Check.Equal(15_000, (await db.SetCombineAsync(SetOperation.Union, "s", "t")).Length);
        Check.Equal(5000, await db.SetCombineAndStoreAsync(
            SetOperation.Difference, "only-s", "s", "t"));
    }

    private static async Task PopAndRandom(IDatabase db)
    {
        await db.SetAddAsync("s", ["a", "b", "c", "d"]);
        Check.True(await db.SetContainsAsync("s", await db.SetRandomMemberAsync("s")));
        Check.Equal("a,b,c,d", Sorted(await db.SetRandomMembersAsync("s", 10)));
        Check.Equal(10, (await db.SetRandomMembersAsync("s", -10)).Length);
        RedisValue one = await db.SetPopAsync("s");
        Check.True(!await db.SetContainsAsync("s", one));
        RedisValue[] rest = await db.SetPopAsync("s", 10);
        Check.Equal("a,b,c,d", Sorted([one, .. rest]));
        Check.True((await db.SetPopAsync("s")).IsNull);
        Check.Equal(0, (await db.SetPopAsync("s", 2)).Length);
        Check.True((await db.SetRandomMemberAsync("s")).IsNull);
    }

    private static async Task PopOfManyCallers(IDatabase db)
    {
        RedisValue[] members = [.. Enumerable.Range(0, 5000).Select(i => (RedisValue)$"m{i}")];
        await db.SetAddAsync("s", members);
        var popped = await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
        {
            var own = new List<RedisValue>();
            for (int i = 0; i < 100; i++)
            {
                own.Add(await db.SetPopAsync("s"));
            }
            return own;
        }));
        Check.True(popped.SelectMany(own => own).ToHashSet().SetEquals(members));
        Check.True(!await db.KeyExistsAsync("s"));
    }

    private static async Task Scan(IDatabase db)
    {
        await db.SetAddAsync("small", ["a", "b", "other"]);
        Check.Equal("a,b,other", Sorted(await CollectAsync(db.SetScanAsync("small"))));
        Check.Equal("other", Sorted(await CollectAsync(db.SetScanAsync("small", "o*"))));
        RedisValue[] members = [.. Enumerable.Range(0, 10_000).Select(i => (RedisValue)$"m{i}")];
        await db.SetAddAsync("big", members);
        var found = new HashSet<RedisValue>();
        await foreach (RedisValue member in db.SetScanAsync("big", pageSize: 100))
        {
            found.Add(member);
            await db.SetRemoveAsync("big", member); // what is still there must be found
        }
        Check.True(found.SetEquals(members));
        Check.True(!await db.KeyExistsAsync("big"));
    }

    private static async Task Encodings(IDatabase db)
    {
        await db.SetAddAsync("numbers", [.. Enumerable.Range(0, 500).Select(i => (RedisValue)i)]);
        Check.Equal(RedisType.Set, await db.KeyTypeAsync("numbers"));
        Check.Equal("intset", await db.KeyEncodingAsync("numbers"));
        Check.True(await db.SetAddAsync("numbers", 1 << 20));
        Check.True(await db.SetContainsAsync("numbers", 499));
        await db.SetAddAsync("numbers", "text");
        Check.Equal("hashtable", await db.KeyEncodingAsync("numbers"));
        Check.Equal(502, (await db.SetMembersAsync("numbers")).Distinct().Count());
        byte[] big = new byte[1 << 20];
        new Random(1).NextBytes(big);
        Check.True(await db.SetAddAsync("numbers", big));
        Check.True(await db.SetContainsAsync("numbers", big));
    }
}
