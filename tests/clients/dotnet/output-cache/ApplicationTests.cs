using System.Diagnostics;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Two applications behind one cache, driven over HTTP.</summary>
internal sealed class ApplicationTests(TestServer server, RedisProtocol protocol)
{
    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("serves a cached response, from either application", ServesCachedResponses),
        Test("evicts by tag, for both applications", EvictsByTag),
        Test("varies by query", VariesByQuery),
        Test("responses expire", ResponsesExpire),
        Test("a large response", LargeResponse),
        Test("one run for many requests at once", OneRunForManyRequests),
        Test("many requests for many pages", ManyPages),
    ];

    private (string Name, Func<Task> Run) Test(
        string name, Func<CachingApplication, CachingApplication, Task> body) =>
        (name, async () =>
        {
            await using var multiplexer = await Connections.ConnectToEmptyAsync(server, protocol);
            await using var one = await CachingApplication.StartAsync(server.Port, protocol);
            await using var other = await CachingApplication.StartAsync(server.Port, protocol);
            await body(one, other);
        });

    private static async Task ServesCachedResponses(
        CachingApplication one, CachingApplication other)
    {
        string first = await one.GetAsync("/products/1");
        Check.Equal(first, await one.GetAsync("/products/1"));
        Check.Equal(first, await other.GetAsync("/products/1"));
        Check.Equal(1, one.Runs("product 1"));
        Check.Equal(0, other.Runs("product 1"));
        Check.True(await one.GetAsync("/products/2") != first);
        Check.True(await one.GetAsync("/uncached") != await one.GetAsync("/uncached"));

        using var request = new HttpRequestMessage(HttpMethod.Get, "/products/1");
        using HttpResponseMessage response = await other.RequestAsync(request);
        Check.True(response.Headers.Age is not null); // the mark of a cached response
    }

    private static async Task EvictsByTag(CachingApplication one, CachingApplication other)
    {
        string product = await one.GetAsync("/products/1");
        string product2 = await other.GetAsync("/products/2");
        string news = await other.GetAsync("/news/1");
        await one.EvictAsync("none");
        Check.Equal(product, await one.GetAsync("/products/1"));

        await one.EvictAsync("products");
        await ChangesAsync(one, "/products/1", product);
        await ChangesAsync(other, "/products/2", product2);
        Check.Equal(news, await one.GetAsync("/news/1"));
        Check.Equal(news, await other.GetAsync("/news/1"));
        product = await one.GetAsync("/products/1");
        Check.Equal(product, await other.GetAsync("/products/1")); // and it is cached again

        await other.EvictAsync("all");
        await ChangesAsync(one, "/products/1", product);
        await ChangesAsync(one, "/news/1", news);
    }

    /// <summary>Evictions are not waited for: they reach another connection in a while.</summary>
    private static Task ChangesAsync(CachingApplication application, string path, string old) =>
        Eventually.TrueAsync(
            async () => await application.GetAsync(path) != old, $"{path} to be evicted");

    private static async Task VariesByQuery(CachingApplication one, CachingApplication other)
    {
        string shoes = await one.GetAsync("/search?q=shoes");
        Check.True(await one.GetAsync("/search?q=hats") != shoes);
        Check.Equal(shoes, await other.GetAsync("/search?q=shoes&noise=1"));
        await one.EvictAsync("search");
        await ChangesAsync(one, "/search?q=shoes", shoes);
    }

    private static async Task ResponsesExpire(CachingApplication one, CachingApplication other)
    {
        var started = Stopwatch.StartNew();
        string first = await one.GetAsync("/soon");
        await ChangesAsync(other, "/soon", first);
        Check.True(started.Elapsed > TimeSpan.FromSeconds(1.5)); // until then it was cached
    }

    private static async Task LargeResponse(CachingApplication one, CachingApplication other)
    {
        string first = await one.GetAsync("/large");
        Check.True(first.EndsWith(CachingApplication.Large, StringComparison.Ordinal));
        Check.True(await one.GetAsync("/large") == first);
        Check.True(await other.GetAsync("/large") == first);
        Check.Equal(0, other.Runs("large"));
    }

    private static async Task OneRunForManyRequests(
        CachingApplication one, CachingApplication other)
    {
        string[] responses = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => one.GetAsync("/slow")));
        Check.Equal(1, responses.Distinct().Count());
        Check.Equal(1, one.Runs("slow"));
        Check.Equal(responses[0], await other.GetAsync("/slow"));
    }

    private static async Task ManyPages(CachingApplication one, CachingApplication other)
    {
        string[] paths = [.. Enumerable.Range(0, 200).Select(i => $"/products/{i}")];
        string[] first = await Task.WhenAll(paths.Select(one.GetAsync));
        string[] again = await Task.WhenAll(paths.Select(other.GetAsync));
        Check.True(first.SequenceEqual(again));
        await one.EvictAsync("products");
        await Task.WhenAll(paths.Zip(first).Select(
            pair => ChangesAsync(other, pair.First, pair.Second)));
    }
}
