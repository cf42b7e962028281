using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Caches as an application gets them, and a connection that looks behind them.</summary>
/// <remarks>The keyspace is emptied; one fixture belongs to one test.</remarks>
internal sealed class CacheFixture : IAsyncDisposable
{
    private readonly TestServer server;
    private readonly RedisProtocol protocol;
    private readonly ConnectionMultiplexer multiplexer;
    private readonly List<ServiceProvider> providers = [];

    private CacheFixture(
        TestServer server, RedisProtocol protocol, ConnectionMultiplexer multiplexer)
    {
        this.server = server;
        this.protocol = protocol;
        this.multiplexer = multiplexer;
        Cache = Create();
    }

    /// <summary>The cache under test, without an instance name.</summary>
    public IDistributedCache Cache { get; }

    /// <summary>What the server holds, seen past the cache.</summary>
    public IDatabase Database => multiplexer.GetDatabase();

    public static async Task<CacheFixture> CreateAsync(TestServer server, RedisProtocol protocol) =>
        new(server, protocol, await Connections.ConnectToEmptyAsync(server, protocol));

    /// <summary>Another cache on the same server, with a connection of its own.</summary>
    public IDistributedCache Create(string? instanceName = null)
    {
        var services = new ServiceCollection();
        services.AddStackExchangeRedisCache(options =>
        {
            options.ConfigurationOptions = Connections.Options(server.Port, protocol);
            options.InstanceName = instanceName;
        });
        providers.Add(services.BuildServiceProvider());
        return providers[^1].GetRequiredService<IDistributedCache>();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ServiceProvider provider in providers)
        {
            await provider.DisposeAsync();
        }
        await multiplexer.DisposeAsync();
    }
}
