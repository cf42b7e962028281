using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Hashes through StackExchange.Redis.</summary>
internal sealed class HashTests(TestServer server, RedisProtocol protocol)
    : TypeTests(server, protocol)
{
    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("hash fields", Fields),
        Test("whole hashes", WholeHashes),
        Test("hash counters", Counters),
        Test("hash counters of many callers", CountersOfManyCallers),
        Test("HashScan", Scan),
        Test("HashScan without values", ScanWithoutValues),
        Test("random hash fields", RandomFields),
        Test("large and binary hash values", LargeValues),
        Test("expiry of hash fields", FieldExpiry),
        Test("hash fields read and written with expiry", FieldsWithExpiry),
        Test("hash commands refuse other types", db =>
            RefusesOtherTypesAsync(db, key => db.HashSetAsync(key, "f", "v"))),
    ];

    private static async Task Fields(IDatabase db)
    {
        Check.True(await db.HashSetAsync("h", "a", "1"));
        Check.True(!await db.HashSetAsync("h", "a", "2"));
        Check.True(!await db.HashSetAsync("h", "a", "3", When.NotExists));
        Check.True(await db.HashSetAsync("h", "b", "4", When.NotExists));
        Check.Equal("2", await db.HashGetAsync("h", "a"));
        Check.True((await db.HashGetAsync("h", "none")).IsNull);
        Check.Equal("2,,4", Text(await db.HashGetAsync("h", ["a", "none", "b"])));
        Check.Equal(",", Text(await db.HashGetAsync("none", ["a", "b"])));
        Check.True(await db.HashExistsAsync("h", "a"));
        Check.True(!await db.HashExistsAsync("h", "none"));
        Check.Equal(1, await db.HashStringLengthAsync("h", "a"));
        Check.True(await db.HashDeleteAsync("h", "a"));
        Check.True(!await db.HashDeleteAsync("h", "a"));
        Check.Equal(1, await db.HashDeleteAsync("h", ["b", "none"]));
        Check.True(!await db.KeyExistsAsync("h"));
    }

    private static async Task WholeHashes(IDatabase db)
    {
        await db.HashSetAsync("h", [new("a", "1"), new("b", "2"), new("c", "")]);
        Check.Equal("a=1,b=2,c=", Sorted(await db.HashGetAllAsync("h")));
        Check.Equal("a,b,c", Sorted(await db.HashKeysAsync("h")));
        Check.Equal(",1,2", Sorted(await db.HashValuesAsync("h")));
        Check.Equal(3, await db.HashLengthAsync("h"));
        Check.Equal(0, (await db.HashGetAllAsync("none")).Length);
        Check.Equal(RedisType.Hash, await db.KeyTypeAsync("h"));
        Check.Equal("listpack", await db.KeyEncodingAsync("h"));
        await db.HashSetAsync(
            "h", [.. Enumerable.Range(0, 1000).Select(i => new HashEntry($"f{i}", i))]);
        Check.Equal("hashtable", await db.KeyEncodingAsync("h"));
        Dictionary<string, string> all = (await db.HashGetAllAsync("h")).ToStringDictionary();
        Check.Equal(1003, all.Count);
        Check.True(Enumerable.Range(0, 1000).All(i => all[$"f{i}"] == $"{i}"));
    }

    private static async Task Counters(IDatabase db)
    {
        Check.Equal(5, await db.HashIncrementAsync("h", "n", 5));
        Check.Equal(3, await db.HashDecrementAsync("h", "n", 2));
        Check.Equal(3.5, await db.HashIncrementAsync("h", "n", 0.5));
        Check.Equal(3.25, await db.HashDecrementAsync("h", "n", 0.25));
        await db.HashSetAsync("h", "text", "x");
        var refused = await Check.ThrowsAsync<RedisServerException>(
            () => db.HashIncrementAsync("h", "text"));
        Check.Equal("ERR hash value is not an integer", refused.Message);
        await db.HashSetAsync("h", "most", long.MaxValue);
        refused = await Check.ThrowsAsync<RedisServerException>(
            () => db.HashIncrementAsync("h", "most"));
        Check.Equal("ERR increment or decrement would overflow", refused.Message);
        Check.Equal(long.MaxValue, (long)await db.HashGetAsync("h", "most"));
    }

    private static async Task CountersOfManyCallers(IDatabase db)
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async caller =>
        {
            for (int i = 0; i < 100; i++)
            {
                await db.HashIncrementAsync("h", "shared");
                await db.HashIncrementAsync("h", $"own{caller}");
            }
        }));
        Check.Equal(5000, (long)await db.HashGetAsync("h", "shared"));
        Check.True((await db.HashGetAllAsync("h")).Where(entry => entry.Name != "shared")
            .All(entry => entry.Value == 100));
    }

    private static async Task Scan(IDatabase db)
    {
        await db.HashSetAsync("small", [new("a", "1"), new("b", "2"), new("other", "3")]);
        Check.Equal("a=1,b=2,other=3", Sorted(await CollectAsync(db.HashScanAsync("small"))));
        Check.Equal("other=3", Sorted(await CollectAsync(db.HashScanAsync("small", "o*"))));
        await db.HashSetAsync(
            "big", [.. Enumerable.Range(0, 10_000).Select(i => new HashEntry($"f{i}", i))]);
        var found = new Dictionary<string, int>();
        await foreach (HashEntry entry in db.HashScanAsync("big", pageSize: 100))
        {
            found[entry.Name.ToString()] = (int)entry.Value;
            await db.HashDeleteAsync("big", entry.Name); // what is still there must be found
        }
        Check.True(Enumerable.Range(0, 10_000).All(i => found[$"f{i}"] == i));
        Check.True(!await db.KeyExistsAsync("big"));
        Check.Equal(0, (await CollectAsync(db.HashScanAsync("none"))).Count);
    }

    private static async Task ScanWithoutValues(IDatabase db)
    {
        await RequireAsync(db, "HEXPIRE"); // Redis 7.4 brought both
        RedisValue[] names = [.. Enumerable.Range(0, 2000).Select(i => (RedisValue)$"f{i}")];
        await db.HashSetAsync("h", [.. names.Select(name => new HashEntry(name, "v"))]);
        List<RedisValue> found = await CollectAsync(db.HashScanNoValuesAsync("h", pageSize: 100));
        Check.True(found.ToHashSet().SetEquals(names));
    }

    private static async Task RandomFields(IDatabase db)
    {
        await db.HashSetAsync("h", [new("a", "1"), new("b", "2"), new("c", "3")]);
        Check.True(await db.HashExistsAsync("h", await db.HashRandomFieldAsync("h")));
        Check.Equal("a,b,c", Sorted(await db.HashRandomFieldsAsync("h", 10)));
        Check.Equal(10, (await db.HashRandomFieldsAsync("h", -10)).Length);
        Check.Equal("a=1,b=2,c=3", Sorted(await db.HashRandomFieldsWithValuesAsync("h", 3)));
        Check.True((await db.HashRandomFieldAsync("none")).IsNull);
        Check.Equal(0, (await db.HashRandomFieldsAsync("none", 3)).Length);
    }

    private static async Task LargeValues(IDatabase db)
    {
        byte[] value = new byte[1 << 20];
        new Random(1).NextBytes(value);
        byte[] field = [0, 13, 10, 255];
        await db.HashSetAsync("h", field, value);
        Check.True(((byte[]?)await db.HashGetAsync("h", field)).AsSpan().SequenceEqual(value));
        using Lease<byte>? lease = await db.HashGetLeaseAsync("h", field);
        Check.True(lease is not null && lease.Span.SequenceEqual(value));
        Check.Equal(value.Length, await db.HashStringLengthAsync("h", field));
    }

    private static async Task FieldExpiry(IDatabase db)
    {
        await RequireAsync(db, "HEXPIRE");
        await db.HashSetAsync("h", [new("a", "1"), new("b", "2"), new("short", "3")]);
        TimeSpan minute = TimeSpan.FromMinutes(1);
        ExpireResult[] results = await db.HashFieldExpireAsync("h", ["a", "none"], minute);
        Check.True(results.SequenceEqual([ExpireResult.Success, ExpireResult.NoSuchField]));
        results = await db.HashFieldExpireAsync("h", ["a"], minute, ExpireWhen.HasNoExpiry);
        Check.True(results.SequenceEqual([ExpireResult.ConditionNotMet]));
        long[] left = await db.HashFieldGetTimeToLiveAsync("h", ["a", "b", "none"]);
        Check.True(left[0] is > 55_000 and <= 60_000);
        Check.Equal(-1, left[1]);
        Check.Equal(-2, left[2]);
        PersistResult[] kept = await db.HashFieldPersistAsync("h", ["a", "b", "none"]);
        Check.True(kept.SequenceEqual(
            [PersistResult.Success, PersistResult.ConditionNotMet, PersistResult.NoSuchField]));
        await db.HashFieldExpireAsync("h", ["short"], TimeSpan.FromMilliseconds(50));
        await Eventually.TrueAsync(
            async () => !await db.HashExistsAsync("h", "short"), "50 ms to pass");
        Check.Equal("a=1,b=2", Sorted(await db.HashGetAllAsync("h")));
        results = await db.HashFieldExpireAsync("h", ["a"], DateTime.UtcNow.AddSeconds(-5));
        Check.True(results.SequenceEqual([ExpireResult.Due]));
        // A field that is over is invisible at once, but counted until it is removed.
        await Eventually.TrueAsync(async () => await db.HashLengthAsync("h") == 1, "its removal");
    }

    private static async Task FieldsWithExpiry(IDatabase db)
    {
        await RequireAsync(db, "HGETEX");
        TimeSpan minute = TimeSpan.FromMinutes(1);
        Check.Equal(1, (int)await db.HashFieldSetAndSetExpiryAsync("h", "a", "1", minute));
        Check.Equal(0, (int)await db.HashFieldSetAndSetExpiryAsync(
            "h", "a", "2", minute, when: When.NotExists));
        Check.True((await db.HashFieldGetTimeToLiveAsync("h", ["a"]))[0] is > 55_000 and <= 60_000);
        Check.Equal("1", await db.HashFieldGetAndSetExpiryAsync("h", "a", TimeSpan.FromHours(1)));
        Check.True((await db.HashFieldGetTimeToLiveAsync("h", ["a"]))[0] > 3_500_000);
        Check.Equal("1", await db.HashFieldGetAndSetExpiryAsync("h", "a", null, persist: true));
        Check.Equal(-1, (await db.HashFieldGetTimeToLiveAsync("h", ["a"]))[0]);
        await RequireAsync(db, "HGETDEL");
        Check.Equal("1,", Text(await db.HashFieldGetAndDeleteAsync("h", ["a", "none"])));
        Check.True(!await db.KeyExistsAsync("h"));
    }
}
