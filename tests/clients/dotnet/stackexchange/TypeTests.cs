using System.Globalization;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Tests of one subject, each on its own connection and an empty keyspace.</summary>
internal abstract class TypeTests(TestServer server, RedisProtocol protocol)
{
    protected const string WrongType =
        "WRONGTYPE Operation against a key holding the wrong kind of value";

    protected (string Name, Func<Task> Run) Test(string name, Func<IDatabase, Task> body) =>
        (name, async () =>
        {
            await using var multiplexer = await Connections.ConnectToEmptyAsync(server, protocol);
            await body(multiplexer.GetDatabase());
        });

    /// <summary>One more connection, which leaves the keyspace as it is.</summary>
    protected async Task<ConnectionMultiplexer> ConnectAsync() =>
        await ConnectionMultiplexer.ConnectAsync(Connections.Options(server.Port, protocol));

    /// <summary>Leaves the test out where the server does not know the command.</summary>
    protected static async Task RequireAsync(IDatabase db, string command)
    {
        RedisResult known = await db.ExecuteAsync("COMMAND", "INFO", command);
        if (known.Length == 0 || known[0].IsNull)
        {
            throw new SkipException($"the server has no {command}");
        }
    }

    protected static async Task RefusesOtherTypesAsync(IDatabase db, Func<RedisKey, Task> use)
    {
        RedisKey key = "other-type";
        await db.StringSetAsync(key, "x");
        var refused = await Check.ThrowsAsync<RedisServerException>(() => use(key));
        Check.Equal(WrongType, refused.Message);
        Check.Equal("x", await db.StringGetAsync(key));
    }

    protected static string Text(IEnumerable<RedisValue> values) => string.Join(',', values);

    protected static IServer ServerOf(IDatabase db) => db.Multiplexer.GetServers()[0];

    protected static string Sorted(IEnumerable<RedisValue> values) => string.Join(
        ',', values.Select(value => value.ToString()).Order(StringComparer.Ordinal));

    protected static string Text(IEnumerable<SortedSetEntry> entries) => string.Join(',', entries
        .Select(entry => string.Create(
            CultureInfo.InvariantCulture, $"{entry.Element}={entry.Score}")));

    protected static string Sorted(IEnumerable<HashEntry> entries) => string.Join(',', entries
        .Select(entry => $"{entry.Name}={entry.Value}").Order(StringComparer.Ordinal));

    protected static async Task<List<T>> CollectAsync<T>(IAsyncEnumerable<T> source)
    {
        var all = new List<T>();
        await foreach (T item in source)
        {
            all.Add(item);
        }
        return all;
    }
}
