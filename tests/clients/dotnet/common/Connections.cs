using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Multiplexers for the tests: impatient, and allowed to empty the server.</summary>
internal static class Connections
{
    public static readonly RedisProtocol[] Protocols = [RedisProtocol.Resp2, RedisProtocol.Resp3];

    public static ConfigurationOptions Options(
        int port, RedisProtocol protocol, string? password = null) => new()
    {
        EndPoints = { { "127.0.0.1", port } },
        Protocol = protocol,
        Password = password,
        AllowAdmin = true,
        ConnectTimeout = 5000,
        ReconnectRetryPolicy = new LinearRetry(100),
        HeartbeatInterval = TimeSpan.FromMilliseconds(200),
    };

    /// <summary>A connection on an empty keyspace.</summary>
    public static async Task<ConnectionMultiplexer> ConnectToEmptyAsync(
        TestServer server, RedisProtocol protocol)
    {
        var multiplexer = await ConnectionMultiplexer.ConnectAsync(Options(server.Port, protocol));
        await multiplexer.GetServers()[0].FlushAllDatabasesAsync();
        return multiplexer;
    }
}
