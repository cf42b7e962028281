using Microsoft.Extensions.Caching.Distributed;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Reading, writing and removing entries; expiry: <see cref="ExpiryTests"/>.</summary>
internal sealed class DistributedCacheTests(TestServer server, RedisProtocol protocol)
{
    private static readonly DistributedCacheEntryOptions Forever = new();

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("entries, async", EntriesAsync),
        Test("entries, sync", Entries),
        Test("an entry is replaced whole", Replaced),
        Test("strings", Strings),
        Test("instance names keep applications apart", InstanceNames),
        Test("values of every size up to 1 MB", Sizes),
        Test("odd keys", OddKeys),
        Test("many callers share one cache", ManyCallers),
        Test("two applications share one server", TwoApplications),
        Test("a key of another type is an error", OtherType),
        Test("works again after a restart", WorksAfterARestart),
    ];

    private (string Name, Func<Task> Run) Test(string name, Func<CacheFixture, Task> body) =>
        (name, async () =>
        {
            await using CacheFixture fixture = await CacheFixture.CreateAsync(server, protocol);
            await body(fixture);
        });

    private static byte[] Bytes(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static void Same(byte[] expected, byte[]? actual) =>
        Check.True(actual is not null && actual.AsSpan().SequenceEqual(expected));

    private static async Task EntriesAsync(CacheFixture fixture)
    {
        IDistributedCache cache = fixture.Cache;
        Check.True(await cache.GetAsync("k") is null);
        await cache.SetAsync("k", [1, 0, 255], Forever);
        Same([1, 0, 255], await cache.GetAsync("k"));
        Check.Equal(RedisType.Hash, await fixture.Database.KeyTypeAsync("k"));
        Check.True(await fixture.Database.KeyTimeToLiveAsync("k") is null);
        await cache.RefreshAsync("k");
        await cache.RefreshAsync("none");
        Check.True(!await fixture.Database.KeyExistsAsync("none"));
        await cache.RemoveAsync("k");
        await cache.RemoveAsync("k");
        Check.True(await cache.GetAsync("k") is null);
        Check.True(!await fixture.Database.KeyExistsAsync("k"));
    }

    private static Task Entries(CacheFixture fixture)
    {
        IDistributedCache cache = fixture.Cache;
        Check.True(cache.Get("k") is null);
        cache.Set("k", [1, 0, 255], Forever);
        Same([1, 0, 255], cache.Get("k"));
        cache.Refresh("k");
        cache.Refresh("none");
        Same([1, 0, 255], cache.Get("k"));
        cache.Remove("k");
        cache.Remove("k");
        Check.True(cache.Get("k") is null);
        return Task.CompletedTask;
    }

    private static async Task Replaced(CacheFixture fixture)
    {
        await fixture.Cache.SetAsync("k", Bytes(100_000), Forever);
        await fixture.Cache.SetAsync("k", [7], new DistributedCacheEntryOptions
        {
            AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(1),
        });
        Same([7], await fixture.Cache.GetAsync("k"));
        TimeSpan? left = await fixture.Database.KeyTimeToLiveAsync("k");
        Check.True(left is { TotalSeconds: > 50 and <= 60 });
        await fixture.Cache.SetAsync("k", [], new DistributedCacheEntryOptions
        {
            SlidingExpiration = TimeSpan.FromHours(1),
        });
        Same([], await fixture.Cache.GetAsync("k"));
        Check.True(await fixture.Database.KeyTimeToLiveAsync("k") is { TotalMinutes: > 55 });
    }

    private static async Task Strings(CacheFixture fixture)
    {
        await fixture.Cache.SetStringAsync("k", "κόσμε");
        Check.Equal("κόσμε", await fixture.Cache.GetStringAsync("k"));
        fixture.Cache.SetString("k", "");
        Check.Equal("", fixture.Cache.GetString("k"));
        Check.True(await fixture.Cache.GetStringAsync("none") is null);
    }

    private static async Task InstanceNames(CacheFixture fixture)
    {
        IDistributedCache shop = fixture.Create("shop:"), blog = fixture.Create("blog:");
        await shop.SetStringAsync("k", "shop");
        await blog.SetStringAsync("k", "blog");
        Check.Equal("shop", await shop.GetStringAsync("k"));
        Check.Equal("blog", await blog.GetStringAsync("k"));
        Check.True(await fixture.Cache.GetAsync("k") is null);
        Check.Equal("shop", await fixture.Cache.GetStringAsync("shop:k"));
        Check.Equal(2, await fixture.Database.KeyExistsAsync(["shop:k", "blog:k"]));
        await shop.RemoveAsync("k");
        Check.True(await shop.GetAsync("k") is null);
        Check.Equal("blog", await blog.GetStringAsync("k"));
    }

    private static async Task Sizes(CacheFixture fixture)
    {
        foreach (int size in (int[])[0, 1, 63, 64, 65, 511, 4096, 65_535, 65_536, 1 << 20])
        {
            await fixture.Cache.SetAsync($"size:{size}", Bytes(size), Forever);
            Same(Bytes(size), await fixture.Cache.GetAsync($"size:{size}"));
            Same(Bytes(size), fixture.Cache.Get($"size:{size}"));
        }
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            await fixture.Cache.SetAsync($"big:{i}", Bytes(1 << 20, i), Forever);
            Same(Bytes(1 << 20, i), await fixture.Cache.GetAsync($"big:{i}"));
        }));
    }

    private static async Task OddKeys(CacheFixture fixture)
    {
        string[] keys =
            [" ", "a b", "{tag}", "line\r\nend", "nul\0", "ключ", new string('k', 9999)];
        foreach (string key in keys)
        {
            await fixture.Cache.SetStringAsync(key, key);
        }
        foreach (string key in keys)
        {
            Check.Equal(key, await fixture.Cache.GetStringAsync(key));
        }
    }

    private static async Task ManyCallers(CacheFixture fixture)
    {
        var options = new DistributedCacheEntryOptions
        {
            AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(1),
            SlidingExpiration = TimeSpan.FromMinutes(10),
        };
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async caller =>
        {
            string own = $"caller:{caller}";
            for (int i = 0; i < 50; i++)
            {
                byte[] value = Bytes(100 + i, caller * 100 + i);
                await fixture.Cache.SetAsync(own, value, options);
                Same(value, await fixture.Cache.GetAsync(own));
                await fixture.Cache.SetAsync("shared", value, options);
                await fixture.Cache.RefreshAsync("shared");
                Check.True(await fixture.Cache.GetAsync("shared") is { Length: >= 100 });
            }
            await fixture.Cache.RemoveAsync(own);
            Check.True(await fixture.Cache.GetAsync(own) is null);
        }));
        Check.True(await fixture.Database.KeyTimeToLiveAsync("shared") is { TotalMinutes: > 9 });
        Parallel.For(0, 8, caller =>
        {
            for (int i = 0; i < 50; i++)
            {
                byte[] value = Bytes(50 + i, caller);
                fixture.Cache.Set($"thread:{caller}", value, options);
                Same(value, fixture.Cache.Get($"thread:{caller}"));
            }
        });
    }

    private static async Task TwoApplications(CacheFixture fixture)
    {
        IDistributedCache other = fixture.Create();
        await fixture.Cache.SetStringAsync("k", "first");
        Check.Equal("first", await other.GetStringAsync("k"));
        await other.SetStringAsync("k", "second");
        Check.Equal("second", await fixture.Cache.GetStringAsync("k"));
        await other.RemoveAsync("k");
        Check.True(await fixture.Cache.GetAsync("k") is null);
    }

    private static async Task OtherType(CacheFixture fixture)
    {
        await fixture.Database.StringSetAsync("k", "text");
        var refused = await Check.ThrowsAsync<RedisServerException>(
            () => fixture.Cache.GetAsync("k"));
        Check.Equal(
            "WRONGTYPE Operation against a key holding the wrong kind of value", refused.Message);
        Check.Equal("text", await fixture.Database.StringGetAsync("k"));
    }

    private async Task WorksAfterARestart(CacheFixture fixture)
    {
        await fixture.Cache.SetStringAsync("k", "before");
        server.Restart();
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                await fixture.Cache.SetStringAsync("k", "after");
                return await fixture.Cache.GetStringAsync("k") == "after";
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                return false;
            }
        }, "the cache to come back");
    }
}
