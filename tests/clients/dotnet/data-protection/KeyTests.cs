using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Hosts that protect data by keys which only the server keeps.</summary>
internal sealed class KeyTests(TestServer server, RedisProtocol protocol)
{
    private static readonly RedisKey List = "DataProtection-Keys";

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("one host reads what another has protected", OneKeyForTwoHosts),
        Test("hosts that start together read each other", HostsThatStartTogether),
        Test("a new key is the one of later hosts, the old one still reads", NewKey),
        Test("revoked keys read nothing", Revocation),
        Test("applications do not read each other", Applications),
        Test("keys outlive a restart with a snapshot", KeysOutliveARestart),
    ];

    /// <summary>A host: providers keep their keys for a day, so what is new needs a new one.</summary>
    private sealed class Host(IConnectionMultiplexer multiplexer, string application)
    {
        private readonly ServiceProvider services = Provide(multiplexer, application);

        public IKeyManager Keys => services.GetRequiredService<IKeyManager>();

        private IDataProtector Protector => services.GetDataProtector("cookies");

        public string Protect(string text) => Protector.Protect(text);

        public string Unprotect(string text) => Protector.Unprotect(text);

        private static ServiceProvider Provide(
            IConnectionMultiplexer multiplexer, string application)
        {
            var services = new ServiceCollection();
            services.AddDataProtection().SetApplicationName(application)
                .PersistKeysToStackExchangeRedis(multiplexer, List);
            return services.BuildServiceProvider();
        }
    }

    private (string Name, Func<Task> Run) Test(
        string name, Func<IDatabase, Func<string, Host>, Task> body) =>
        (name, async () =>
        {
            await using var multiplexer = await Connections.ConnectToEmptyAsync(server, protocol);
            await body(
                multiplexer.GetDatabase(), application => new Host(multiplexer, application));
        });

    private static async Task OneKeyForTwoHosts(IDatabase db, Func<string, Host> create)
    {
        string text = create("shop").Protect("ann");
        Check.Equal(1, await db.ListLengthAsync(List));
        Check.True(((string?)await db.ListGetByIndexAsync(List, 0))!
            .StartsWith("<key id=", StringComparison.Ordinal));
        Host other = create("shop");
        Check.Equal("ann", other.Unprotect(text));
        Check.Equal("bob", create("shop").Unprotect(other.Protect("bob")));
        Check.Equal(1, await db.ListLengthAsync(List));
    }

    private static async Task HostsThatStartTogether(IDatabase db, Func<string, Host> create)
    {
        string[] texts = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            Task.Run(() => create("shop").Protect($"{i}"))));
        Check.True(await db.ListLengthAsync(List) is >= 1 and <= 8);
        Host later = create("shop");
        for (int i = 0; i < texts.Length; i++)
        {
            Check.Equal($"{i}", later.Unprotect(texts[i]));
        }
    }

    private static async Task NewKey(IDatabase db, Func<string, Host> create)
    {
        Host first = create("shop");
        string old = first.Protect("old");
        DateTimeOffset now = DateTimeOffset.UtcNow;
        IKey key = first.Keys.CreateNewKey(now, now.AddDays(90));
        Check.Equal(2, await db.ListLengthAsync(List));
        Host later = create("shop");
        Check.Equal(2, later.Keys.GetAllKeys().Count);
        Check.True(later.Keys.GetAllKeys().Any(known => known.KeyId == key.KeyId));
        Check.Equal("old", later.Unprotect(old));
        Check.Equal("new", create("shop").Unprotect(later.Protect("new")));
    }

    private static async Task Revocation(IDatabase db, Func<string, Host> create)
    {
        Host first = create("shop");
        string text = first.Protect("ann");
        first.Keys.RevokeKey(first.Keys.GetAllKeys().Single().KeyId, "it leaked");
        Check.Equal(2, await db.ListLengthAsync(List)); // a revocation is one more element
        Host later = create("shop");
        await Check.ThrowsAsync<CryptographicException>(
            () => Task.Run(() => later.Unprotect(text)));
        Check.Equal("bob", create("shop").Unprotect(later.Protect("bob")));
    }

    private static async Task Applications(IDatabase db, Func<string, Host> create)
    {
        string text = create("shop").Protect("ann");
        Host blog = create("blog");
        await Check.ThrowsAsync<CryptographicException>(
            () => Task.Run(() => blog.Unprotect(text)));
        Check.Equal(1, await db.ListLengthAsync(List)); // they share the keys all the same
    }

    private async Task KeysOutliveARestart(IDatabase db, Func<string, Host> create)
    {
        string text = create("shop").Protect("ann");
        await db.Multiplexer.GetServers()[0].SaveAsync(SaveType.BackgroundSave);
        await Eventually.TrueAsync(async () => await SavedAsync(db), "the snapshot");
        server.Restart();
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                return await db.ListLengthAsync(List) == 1;
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                return false;
            }
        }, "the keys after the restart");
        Check.Equal("ann", create("shop").Unprotect(text));
    }

    private static async Task<bool> SavedAsync(IDatabase db)
    {
        var rows = (await db.Multiplexer.GetServers()[0].InfoAsync("persistence")).Single();
        string Row(string name) => rows.Single(row => row.Key == name).Value;
        return Row("rdb_bgsave_in_progress") == "0" && Row("rdb_changes_since_last_save") == "0"
            && Row("rdb_last_bgsave_status") == "ok";
    }
}
