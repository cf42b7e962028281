using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>A web application with cached endpoints, and a client of it.</summary>
/// <remarks>
/// Every response names the run of the endpoint that made it, so a cached one is told by its text.
/// </remarks>
internal sealed class CachingApplication : IAsyncDisposable
{
    /// <summary>1 MB of text.</summary>
    public static readonly string Large =
        string.Concat(Enumerable.Repeat("0123456789abcdef", 1 << 16));

    private readonly WebApplication application;
    private readonly HttpClient client;
    private readonly ConcurrentDictionary<string, int> runs = new();

    private CachingApplication(int port, RedisProtocol protocol)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddOutputCache();
        builder.Services.AddStackExchangeRedisOutputCache(options =>
        {
            options.ConfigurationOptions = Connections.Options(port, protocol);
            options.InstanceName = "web:";
        });
        application = builder.Build();
        application.Urls.Add("http://127.0.0.1:0");
        application.UseOutputCache();
        Map();
        client = new HttpClient();
        client.DefaultRequestHeaders.Host = "shop.example"; // a part of what responses are kept by
    }

    public static async Task<CachingApplication> StartAsync(int port, RedisProtocol protocol)
    {
        var started = new CachingApplication(port, protocol);
        await started.application.StartAsync();
        started.client.BaseAddress = new Uri(started.application.Urls.Single());
        return started;
    }

    /// <summary>How often the endpoints of this application have run for a name.</summary>
    public int Runs(string name) => runs.GetValueOrDefault(name);

    public Task<string> GetAsync(string path) => client.GetStringAsync(path);

    public Task<HttpResponseMessage> RequestAsync(HttpRequestMessage request) =>
        client.SendAsync(request);

    public async Task EvictAsync(string tag)
    {
        using HttpResponseMessage response = await client.PostAsync($"/evict/{tag}", null);
        Check.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await application.DisposeAsync();
    }

    private string Answer(string name)
    {
        int run = runs.AddOrUpdate(name, 1, (_, before) => before + 1);
        return $"{name}, run {run} of {application.Urls.Single()}";
    }

    private void Map()
    {
        TimeSpan hour = TimeSpan.FromHours(1);
        application.MapGet("/products/{id}", (string id) => Answer($"product {id}"))
            .CacheOutput(policy => policy.Expire(hour).Tag("products", "all"));
        application.MapGet("/news/{id}", (string id) => Answer($"news {id}"))
            .CacheOutput(policy => policy.Expire(hour).Tag("news", "all"));
        application.MapGet("/search", (string q, string? noise) => Answer($"search {q}{noise}"))
            .CacheOutput(policy => policy.Expire(hour).SetVaryByQuery("q").Tag("search"));
        application.MapGet("/soon", () => Answer("soon"))
            .CacheOutput(policy => policy.Expire(TimeSpan.FromSeconds(2)));
        application.MapGet("/slow", async () =>
        {
            await Task.Delay(300);
            return Answer("slow");
        }).CacheOutput(policy => policy.Expire(hour));
        application.MapGet("/large", () => Answer("large") + Large)
            .CacheOutput(policy => policy.Expire(hour).Tag("large"));
        application.MapGet("/uncached", () => Answer("uncached"));
        application.MapPost("/evict/{tag}", async (string tag, IOutputCacheStore store) =>
            await store.EvictByTagAsync(tag, default));
    }
}
