using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Hosts with a cache in memory each, and the server's behind all of them.</summary>
/// <remarks>
/// A host writes to the server after its caller has the value, and keeps what it has seen in its
/// memory: what must come from the server is asked of a host that has not seen it.
/// </remarks>
internal sealed class HybridCacheTests(TestServer server, RedisProtocol protocol)
{
    private sealed record Product(int Id, string Name, decimal Price, string[] Labels);

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("one host makes a value, another has it from the server", SharedValues),
        Test("objects, and values of every size up to 1 MB", Values),
        Test("one run for many callers", OneRunForManyCallers),
        Test("values are set and removed", SetAndRemove),
        Test("values of a tag are made again", Tags),
        Test("values expire on the server", Expiry),
    ];

    /// <summary>Hosts of one test; each has its own connection and its own memory.</summary>
    private sealed class Hosts(TestServer server, RedisProtocol protocol, IDatabase database)
        : IAsyncDisposable
    {
        private readonly List<ServiceProvider> providers = [];

        public IDatabase Database => database;

        public HybridCache Create()
        {
            var services = new ServiceCollection();
            services.AddStackExchangeRedisCache(options =>
                options.ConfigurationOptions = Connections.Options(server.Port, protocol));
            services.AddHybridCache(options => options.MaximumPayloadBytes = 4 << 20);
            providers.Add(services.BuildServiceProvider());
            return providers[^1].GetRequiredService<HybridCache>();
        }

        public Task StoredAsync(string key) =>
            Eventually.TrueAsync(() => database.KeyExistsAsync(key), $"{key} on the server");

        public async ValueTask DisposeAsync()
        {
            foreach (ServiceProvider provider in providers)
            {
                await provider.DisposeAsync();
            }
        }
    }

    private (string Name, Func<Task> Run) Test(string name, Func<Hosts, Task> body) =>
        (name, async () =>
        {
            await using var multiplexer = await Connections.ConnectToEmptyAsync(server, protocol);
            await using var hosts = new Hosts(server, protocol, multiplexer.GetDatabase());
            await body(hosts);
        });

    private static async Task<string> GetAsync(
        HybridCache cache, string key, string made, params string[] tags) =>
        await cache.GetOrCreateAsync(key, _ => ValueTask.FromResult(made), tags: tags);

    private static async Task SharedValues(Hosts hosts)
    {
        HybridCache one = hosts.Create();
        Check.Equal("first", await GetAsync(one, "k", "first"));
        Check.Equal("first", await GetAsync(one, "k", "again"));
        await hosts.StoredAsync("k");
        Check.Equal(RedisType.Hash, await hosts.Database.KeyTypeAsync("k"));
        Check.Equal("first", await GetAsync(hosts.Create(), "k", "second"));
        await hosts.Database.KeyDeleteAsync("k");
        Check.Equal("first", await GetAsync(one, "k", "again")); // in its memory
        Check.Equal("third", await GetAsync(hosts.Create(), "k", "third"));
    }

    private static async Task Values(Hosts hosts)
    {
        var product = new Product(7, "κόσμε", 9.90m, ["new", ""]);
        await hosts.Create().SetAsync("product", product);
        Product read = await hosts.Create().GetOrCreateAsync(
            "product", _ => ValueTask.FromResult(new Product(0, "", 0, [])));
        Check.Equal(product with { Labels = read.Labels }, read);
        Check.True(read.Labels.SequenceEqual(product.Labels));
        foreach (int size in (int[])[0, 1, 64, 4096, 65_536, 1 << 20])
        {
            byte[] value = new byte[size];
            new Random(size).NextBytes(value);
            await hosts.Create().SetAsync($"size:{size}", value);
            byte[] got = await hosts.Create().GetOrCreateAsync(
                $"size:{size}", _ => ValueTask.FromResult(new byte[2]));
            Check.True(got.AsSpan().SequenceEqual(value));
        }
    }

    private static async Task OneRunForManyCallers(Hosts hosts)
    {
        HybridCache cache = hosts.Create();
        int runs = 0;
        string[] values = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ =>
            cache.GetOrCreateAsync("k", async cancel =>
            {
                await Task.Delay(200, cancel);
                return $"run {Interlocked.Increment(ref runs)}";
            }).AsTask()));
        Check.Equal(1, values.Distinct().Count());
        Check.Equal(1, runs);
        await hosts.StoredAsync("k");
        Check.Equal("run 1", await GetAsync(hosts.Create(), "k", "another"));
    }

    private static async Task SetAndRemove(Hosts hosts)
    {
        HybridCache one = hosts.Create();
        await one.SetAsync("a", "1");
        await one.SetAsync("b", "2");
        Check.Equal("1", await GetAsync(hosts.Create(), "a", "made"));
        await one.RemoveAsync(["a", "b", "none"]);
        Check.Equal(0, await hosts.Database.KeyExistsAsync(["a", "b"]));
        Check.Equal("made", await GetAsync(one, "a", "made"));
    }

    private static async Task Tags(Hosts hosts)
    {
        HybridCache one = hosts.Create();
        await one.SetAsync("cat", "old", tags: ["animals", "all"]);
        await one.SetAsync("rose", "old", tags: ["plants", "all"]);
        await Task.Delay(20); // tags end what was made before them, by the clock
        await one.RemoveByTagAsync("animals");
        Check.Equal("new", await GetAsync(one, "cat", "new", "animals", "all"));
        Check.Equal("old", await GetAsync(one, "rose", "new", "plants", "all"));
        await hosts.StoredAsync("cat");
        HybridCache other = hosts.Create();
        Check.Equal("old", await GetAsync(other, "rose", "new", "plants", "all"));
        await Task.Delay(20);
        await other.RemoveByTagAsync("all");
        Check.Equal("newer", await GetAsync(hosts.Create(), "rose", "newer", "plants", "all"));
    }

    private static async Task Expiry(Hosts hosts)
    {
        await hosts.Create().SetAsync("k", "v", new HybridCacheEntryOptions
        {
            Expiration = TimeSpan.FromMinutes(10),
        });
        Check.True(await hosts.Database.KeyTimeToLiveAsync("k")
            is { TotalMinutes: > 9 and <= 10 });
        await hosts.Create().SetAsync("soon", "v", new HybridCacheEntryOptions
        {
            Expiration = TimeSpan.FromSeconds(1),
        });
        await Eventually.TrueAsync(
            async () => !await hosts.Database.KeyExistsAsync("soon"), "the end of the value");
        Check.Equal("made", await GetAsync(hosts.Create(), "soon", "made"));
    }
}
