using System.Diagnostics;
using Microsoft.Extensions.Caching.Distributed;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Absolute and sliding expiry of the distributed cache's entries.</summary>
/// <remarks>
/// Most tests do not wait: they shorten the key's time to live behind the cache's back and look
/// whether using the entry restores it. The cache counts in whole seconds.
/// </remarks>
internal sealed class ExpiryTests(TestServer server, RedisProtocol protocol)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("absolute expiry", Absolute),
        Test("absolute expiry relative to now", AbsoluteRelativeToNow),
        Test("reading does not prolong an absolute expiry", AbsoluteDoesNotSlide),
        Test("sliding expiry slides by every way of use", Slides),
        Test("sliding expiry ends at the absolute one", SlidesUpToTheAbsoluteExpiry),
        Test("entries expire in time", EntriesExpireInTime),
        Test("a used entry outlives its sliding window, an unused one does not", SlidesInTime),
        Test("an absolute expiry ends a used entry", AbsoluteEndsAUsedEntry),
    ];

    private (string Name, Func<Task> Run) Test(string name, Func<CacheFixture, Task> body) =>
        (name, async () =>
        {
            await using CacheFixture fixture = await CacheFixture.CreateAsync(server, protocol);
            await body(fixture);
        });

    private static DistributedCacheEntryOptions In(
        TimeSpan? absolute = null, TimeSpan? sliding = null) => new()
    {
        AbsoluteExpirationRelativeToNow = absolute,
        SlidingExpiration = sliding,
    };

    /// <summary>Every way of using an entry that must keep it alive.</summary>
    private static IEnumerable<Func<string, Task>> Uses(IDistributedCache cache) =>
    [
        key => cache.GetAsync(key),
        key => cache.RefreshAsync(key),
        key => Task.Run(() => cache.Get(key)),
        key => Task.Run(() => cache.Refresh(key)),
    ];

    private static async Task<TimeSpan> TimeToLiveAsync(CacheFixture fixture, string key) =>
        await fixture.Database.KeyTimeToLiveAsync(key)
            ?? throw new CheckFailedException($"{key} does not expire");

    private static async Task Absolute(CacheFixture fixture)
    {
        DateTimeOffset moment = DateTimeOffset.UtcNow + Hour;
        var options = new DistributedCacheEntryOptions { AbsoluteExpiration = moment };
        await fixture.Cache.SetAsync("async", [1], options);
        fixture.Cache.Set("sync", [1], options);
        foreach (string key in (string[])["async", "sync"])
        {
            DateTime? expiry = await fixture.Database.KeyExpireTimeAsync(key);
            Check.True((expiry!.Value - moment.UtcDateTime).Duration().TotalSeconds < 5);
            Check.True(await fixture.Cache.GetAsync(key) is [1]);
        }
        options = new DistributedCacheEntryOptions
        {
            AbsoluteExpiration = DateTimeOffset.UtcNow.AddSeconds(-1),
        };
        await Check.ThrowsAsync<ArgumentOutOfRangeException>(
            () => fixture.Cache.SetAsync("past", [1], options));
        Check.True(!await fixture.Database.KeyExistsAsync("past"));
    }

    private static async Task AbsoluteRelativeToNow(CacheFixture fixture)
    {
        await fixture.Cache.SetAsync("async", [1], In(absolute: Hour));
        fixture.Cache.Set("sync", [1], In(absolute: Minute));
        Check.True(await TimeToLiveAsync(fixture, "async") is { TotalMinutes: > 59 and <= 60 });
        Check.True(await TimeToLiveAsync(fixture, "sync") is { TotalSeconds: > 50 and <= 60 });
    }

    private static async Task AbsoluteDoesNotSlide(CacheFixture fixture)
    {
        await fixture.Cache.SetAsync("k", [1], In(absolute: Hour));
        await fixture.Database.KeyExpireAsync("k", Minute);
        foreach (Func<string, Task> use in Uses(fixture.Cache))
        {
            await use("k");
            await fixture.Cache.GetAsync("k"); // whatever the use has sent was sent before
            Check.True(await TimeToLiveAsync(fixture, "k") <= Minute);
        }
    }

    private static async Task Slides(CacheFixture fixture)
    {
        await fixture.Cache.SetAsync("k", [1], In(sliding: Hour));
        Check.True(await TimeToLiveAsync(fixture, "k") is { TotalMinutes: > 59 and <= 60 });
        foreach (Func<string, Task> use in Uses(fixture.Cache))
        {
            await fixture.Database.KeyExpireAsync("k", Minute);
            await use("k");
            await Eventually.TrueAsync(
                async () => await TimeToLiveAsync(fixture, "k") is { TotalMinutes: > 59 and <= 60 },
                "the window to slide");
        }
    }

    private static async Task SlidesUpToTheAbsoluteExpiry(CacheFixture fixture)
    {
        TimeSpan ten = TimeSpan.FromMinutes(10);
        await fixture.Cache.SetAsync("near", [1], In(absolute: ten, sliding: Hour));
        await fixture.Cache.SetAsync("far", [1], In(absolute: Hour, sliding: ten));
        foreach (string key in (string[])["near", "far"])
        {
            Check.True(await TimeToLiveAsync(fixture, key) is { TotalMinutes: > 9 and <= 10 });
            foreach (Func<string, Task> use in Uses(fixture.Cache))
            {
                await fixture.Database.KeyExpireAsync(key, Minute);
                await use(key);
                await Eventually.TrueAsync(
                    async () => await TimeToLiveAsync(fixture, key) > Minute,
                    "the window to slide");
                Check.True(await TimeToLiveAsync(fixture, key) is { TotalMinutes: > 9 and <= 10 });
            }
        }
    }

    private static async Task EntriesExpireInTime(CacheFixture fixture)
    {
        TimeSpan two = TimeSpan.FromSeconds(2);
        var started = Stopwatch.StartNew();
        await fixture.Cache.SetAsync("relative", [1], In(absolute: two));
        await fixture.Cache.SetAsync("sliding", [1], In(sliding: two));
        await fixture.Cache.SetAsync("moment", [1], new DistributedCacheEntryOptions
        {
            AbsoluteExpiration = DateTimeOffset.UtcNow + two,
        });
        await fixture.Cache.SetAsync("stays", [1], In());
        // Looked at past the cache: that prolongs nothing.
        Check.True(await fixture.Database.KeyExistsAsync("relative")
            || started.Elapsed > TimeSpan.FromSeconds(1.5));
        string[] passing = ["relative", "sliding", "moment"];
        RedisKey[] keys = [.. passing.Select(key => (RedisKey)key)];
        await Eventually.TrueAsync(
            async () => await fixture.Database.KeyExistsAsync(keys) == 0, "two seconds to pass");
        Check.True(started.Elapsed > TimeSpan.FromSeconds(1.5)); // counted in whole seconds
        foreach (string key in passing)
        {
            Check.True(await fixture.Cache.GetAsync(key) is null);
        }
        Check.True(await fixture.Cache.GetAsync("stays") is [1]);
    }

    private static async Task SlidesInTime(CacheFixture fixture)
    {
        TimeSpan window = TimeSpan.FromSeconds(3);
        foreach (string key in (string[])["read", "refreshed", "left"])
        {
            await fixture.Cache.SetAsync(key, [1], In(sliding: window));
        }
        var started = Stopwatch.StartNew();
        while (started.Elapsed < 2 * window)
        {
            Check.True(await fixture.Cache.GetAsync("read") is [1]);
            await fixture.Cache.RefreshAsync("refreshed");
            await Task.Delay(200);
        }
        Check.True(await fixture.Cache.GetAsync("refreshed") is [1]);
        Check.True(await fixture.Cache.GetAsync("left") is null);
        await Eventually.TrueAsync(
            async () => await fixture.Database.KeyExistsAsync(["read", "refreshed"]) == 0,
            "the window to pass");
        Check.True(started.Elapsed > 3 * window - TimeSpan.FromSeconds(1));
    }

    private static async Task AbsoluteEndsAUsedEntry(CacheFixture fixture)
    {
        await fixture.Cache.SetAsync(
            "k", [1], In(absolute: TimeSpan.FromSeconds(5), sliding: TimeSpan.FromSeconds(3)));
        var started = Stopwatch.StartNew();
        await Eventually.TrueAsync(
            async () => await fixture.Cache.GetAsync("k") is null, "the absolute expiry");
        Check.True(started.Elapsed > TimeSpan.FromSeconds(3.5)); // it has slid
        Check.True(started.Elapsed < TimeSpan.FromSeconds(10));
    }
}
