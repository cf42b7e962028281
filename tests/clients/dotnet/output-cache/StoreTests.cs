using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>The output cache's store, used as the middleware uses it.</summary>
/// <remarks>
/// The store does not wait for the replies to what it sends about tags; what comes after on its
/// own connection sees it done, other connections see it eventually.
/// </remarks>
internal sealed class StoreTests(TestServer server, RedisProtocol protocol)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("entries", Entries),
        Test("entries expire", EntriesExpire),
        Test("evicts exactly the tagged entries", EvictsByTag),
        Test("evicts a tag of thousands of entries", EvictsManyEntries),
        Test("tags are indexed with their expiry", TagIndex),
        Test("an entry stored again under other tags", StoredAgain),
        Test("instance names keep applications apart", InstanceNames),
        Test("values of every size up to 1 MB", Sizes),
        Test("buffers and pipes", BuffersAndPipes),
        Test("many callers, two stores", ManyCallers),
    ];

    private (string Name, Func<Task> Run) Test(
        string name, Func<IDatabase, Func<string?, IOutputCacheStore>, Task> body) =>
        (name, async () =>
        {
            await using var multiplexer = await Connections.ConnectToEmptyAsync(server, protocol);
            var providers = new List<ServiceProvider>();
            try
            {
                await body(multiplexer.GetDatabase(), instance =>
                {
                    providers.Add(Provide(instance));
                    return providers[^1].GetRequiredService<IOutputCacheStore>();
                });
            }
            finally
            {
                foreach (ServiceProvider provider in providers)
                {
                    await provider.DisposeAsync();
                }
            }
        });

    private ServiceProvider Provide(string? instance)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddStackExchangeRedisOutputCache(options =>
        {
            options.ConfigurationOptions = Connections.Options(server.Port, protocol);
            options.InstanceName = instance;
        });
        return services.BuildServiceProvider();
    }

    private static ValueTask SetAsync(
        IOutputCacheStore store, string key, byte[] value, params string[] tags) =>
        store.SetAsync(key, value, tags, Hour, default);

    private static ValueTask<byte[]?> GetAsync(IOutputCacheStore store, string key) =>
        store.GetAsync(key, default);

    /// <summary>Those of the keys that have an entry.</summary>
    private static async Task<string> PresentAsync(IOutputCacheStore store, params string[] keys)
    {
        var present = new List<string>();
        foreach (string key in keys)
        {
            if (await GetAsync(store, key) is not null)
            {
                present.Add(key);
            }
        }
        return string.Join(',', present);
    }

    private static byte[] Bytes(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static async Task Entries(IDatabase db, Func<string?, IOutputCacheStore> create)
    {
        IOutputCacheStore store = create(null);
        Check.True(await GetAsync(store, "k") is null);
        await SetAsync(store, "k", [1, 0, 255]);
        Check.True(await GetAsync(store, "k") is [1, 0, 255]);
        await SetAsync(store, "k", [2]);
        Check.True(await GetAsync(store, "k") is [2]);
        await store.SetAsync("untagged", [3], null, Hour, default);
        Check.True(await GetAsync(store, "untagged") is [3]);
        await store.EvictByTagAsync("none", default);
        Check.Equal("k,untagged", await PresentAsync(store, "k", "untagged"));
    }

    private static async Task EntriesExpire(IDatabase db, Func<string?, IOutputCacheStore> create)
    {
        IOutputCacheStore store = create(null);
        await store.SetAsync("short", [1], ["t"], TimeSpan.FromMilliseconds(300), default);
        await store.SetAsync("long", [2], ["t"], Hour, default);
        await Eventually.TrueAsync(
            async () => await GetAsync(store, "short") is null, "300 ms to pass");
        Check.True(await GetAsync(store, "long") is [2]);
        await store.EvictByTagAsync("t", default); // an entry that is gone does no harm
        Check.Equal("", await PresentAsync(store, "short", "long"));
        await store.SetAsync("short", [3], ["t"], TimeSpan.FromMilliseconds(1), default);
        await store.SetAsync("short", [4], ["t"], Hour, default);
        await Task.Delay(20);
        Check.True(await GetAsync(store, "short") is [4]);
    }

    private static async Task EvictsByTag(IDatabase db, Func<string?, IOutputCacheStore> create)
    {
        IOutputCacheStore store = create(null);
        await SetAsync(store, "a", [1], "red");
        await SetAsync(store, "b", [1], "red", "blue");
        await SetAsync(store, "c", [1], "blue");
        await SetAsync(store, "d", [1], "green", "redder");
        await SetAsync(store, "e", [1]);
        await store.EvictByTagAsync("red", default);
        Check.Equal("c,d,e", await PresentAsync(store, "a", "b", "c", "d", "e"));
        await SetAsync(store, "a", [2], "red");
        await store.EvictByTagAsync("blue", default);
        Check.Equal("a,d,e", await PresentAsync(store, "a", "b", "c", "d", "e"));
        await store.EvictByTagAsync("red", default);
        await store.EvictByTagAsync("green", default);
        Check.Equal("e", await PresentAsync(store, "a", "b", "c", "d", "e"));
    }

    private static async Task EvictsManyEntries(
        IDatabase db, Func<string?, IOutputCacheStore> create)
    {
        const int Count = 5000;
        IOutputCacheStore store = create(null);
        await Task.WhenAll(Enumerable.Range(0, Count).Select(i =>
            SetAsync(store, $"page:{i}", [1], "all", i % 2 == 0 ? "even" : "odd").AsTask()));
        await store.EvictByTagAsync("even", default);
        for (int i = 0; i < Count; i++)
        {
            Check.Equal(i % 2 == 1, await GetAsync(store, $"page:{i}") is [1]);
        }
        await store.EvictByTagAsync("all", default);
        for (int i = 1; i < Count; i += 2)
        {
            Check.True(await GetAsync(store, $"page:{i}") is null);
        }
    }

    private static async Task TagIndex(IDatabase db, Func<string?, IOutputCacheStore> create)
    {
        IOutputCacheStore store = create("app:");
        long before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await store.SetAsync("long", [1], ["t"], TimeSpan.FromHours(2), default);
        await store.SetAsync("short", [1], ["t"], Hour, default); // the tag keeps the later expiry
        await GetAsync(store, "long");
        long after = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        IServer first = db.Multiplexer.GetServers()[0];
        RedisKey[] keys = [.. first.Keys()];
        Check.True(keys.All(key => key.ToString().StartsWith("app:", StringComparison.Ordinal)));
        var scores = new List<double>();
        foreach (RedisKey key in keys)
        {
            if (await db.KeyTypeAsync(key) == RedisType.SortedSet)
            {
                scores.AddRange((await db.SortedSetRangeByRankWithScoresAsync(key))
                    .Select(entry => entry.Score));
                continue;
            }
            Check.True(await db.KeyTimeToLiveAsync(key) is { TotalMinutes: > 59 and <= 120 });
        }
        double hour = Hour.TotalMilliseconds;
        Check.Equal(4, keys.Length); // two entries, the tag's own set and the set of all tags
        Check.Equal(3, scores.Count);
        Check.Equal(1, scores.Count(score => score >= before + hour && score <= after + hour));
        Check.Equal(2, scores.Count(
            score => score >= before + 2 * hour && score <= after + 2 * hour));
    }

    private static async Task StoredAgain(IDatabase db, Func<string?, IOutputCacheStore> create)
    {
        IOutputCacheStore store = create(null);
        await SetAsync(store, "k", [1], "first");
        await SetAsync(store, "k", [2], "second");
        await store.EvictByTagAsync("second", default);
        Check.True(await GetAsync(store, "k") is null);
        await store.EvictByTagAsync("first", default);
        await SetAsync(store, "k", [3], "third");
        await store.EvictByTagAsync("first", default);
        await store.EvictByTagAsync("second", default);
        Check.True(await GetAsync(store, "k") is [3]);
    }

    private static async Task InstanceNames(IDatabase db, Func<string?, IOutputCacheStore> create)
    {
        IOutputCacheStore shop = create("shop:"), blog = create("blog:"), blogToo = create("blog:");
        await SetAsync(shop, "k", [1], "t");
        await SetAsync(blog, "k", [2], "t");
        Check.True(await GetAsync(blogToo, "k") is [2]);
        await blogToo.EvictByTagAsync("t", default);
        await Eventually.TrueAsync(async () => await GetAsync(blog, "k") is null, "the eviction");
        Check.True(await GetAsync(shop, "k") is [1]);
    }

    private static async Task Sizes(IDatabase db, Func<string?, IOutputCacheStore> create)
    {
        IOutputCacheStore store = create(null);
        foreach (int size in (int[])[0, 1, 64, 4096, 65_536, 1 << 20])
        {
            await SetAsync(store, $"size:{size}", Bytes(size), "t");
            Check.True(await GetAsync(store, $"size:{size}") is { } got
                && got.AsSpan().SequenceEqual(Bytes(size)));
        }
    }

    private static async Task BuffersAndPipes(IDatabase db, Func<string?, IOutputCacheStore> create)
    {
        var store = (IOutputCacheBufferStore)create(null);
        byte[] value = Bytes(300_000);
        string[] tags = ["a", "b"];
        await store.SetAsync("k", new ReadOnlySequence<byte>(value), tags, Hour, default);
        var stream = new MemoryStream();
        PipeWriter writer = PipeWriter.Create(stream);
        Check.True(await store.TryGetAsync("k", writer, default));
        await writer.CompleteAsync();
        Check.True(stream.ToArray().AsSpan().SequenceEqual(value));
        await store.EvictByTagAsync("b", default);
        writer = PipeWriter.Create(new MemoryStream());
        Check.True(!await store.TryGetAsync("k", writer, default));
        await writer.CompleteAsync();
    }

    private static async Task ManyCallers(IDatabase db, Func<string?, IOutputCacheStore> create)
    {
        IOutputCacheStore[] stores = [create(null), create(null)];
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async caller =>
        {
            IOutputCacheStore store = stores[caller % 2];
            string tag = $"caller:{caller}";
            for (int i = 0; i < 25; i++)
            {
                byte[] value = Bytes(200 + i, caller);
                await SetAsync(store, $"{tag}:{i}", value, tag, "everyone");
                Check.True(await GetAsync(store, $"{tag}:{i}") is { } got
                    && got.AsSpan().SequenceEqual(value));
            }
            if (caller % 4 == 0)
            {
                await store.EvictByTagAsync(tag, default);
            }
            for (int i = 0; i < 25; i++)
            {
                Check.Equal(caller % 4 != 0, await GetAsync(store, $"{tag}:{i}") is not null);
            }
        }));
        await stores[0].EvictByTagAsync("everyone", default);
        for (int caller = 0; caller < 40; caller++)
        {
            Check.True(await GetAsync(stores[0], $"caller:{caller}:0") is null);
        }
    }
}
