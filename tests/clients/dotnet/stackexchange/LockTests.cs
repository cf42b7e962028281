using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>LockTake and its companions: SET NX, and transactions that compare the owner.</summary>
internal sealed class LockTests(TestServer server, RedisProtocol protocol)
    : TypeTests(server, protocol)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("a lock belongs to who took it", Ownership),
        Test("a lock is extended by its owner only", Extension),
        Test("a lock ends by itself", Expiry),
        Test("one of many callers has the lock", MutualExclusion),
    ];

    private static async Task Ownership(IDatabase db)
    {
        Check.True(await db.LockTakeAsync("lock", "ann", Minute));
        Check.True(!await db.LockTakeAsync("lock", "bob", Minute));
        Check.True(!await db.LockTakeAsync("lock", "ann", Minute));
        Check.Equal("ann", await db.LockQueryAsync("lock"));
        Check.True(await db.KeyTimeToLiveAsync("lock") is { TotalSeconds: > 55 and <= 60 });
        Check.True(!await db.LockReleaseAsync("lock", "bob"));
        Check.Equal("ann", await db.LockQueryAsync("lock"));
        Check.True(await db.LockReleaseAsync("lock", "ann"));
        Check.True(!await db.LockReleaseAsync("lock", "ann"));
        Check.True((await db.LockQueryAsync("lock")).IsNull);
        Check.True(await db.LockTakeAsync("lock", "bob", Minute));
    }

    private static async Task Extension(IDatabase db)
    {
        Check.True(!await db.LockExtendAsync("lock", "ann", Minute));
        Check.True(await db.LockTakeAsync("lock", "ann", Minute));
        Check.True(!await db.LockExtendAsync("lock", "bob", 10 * Minute));
        Check.True(await db.KeyTimeToLiveAsync("lock") is { TotalSeconds: <= 60 });
        Check.True(await db.LockExtendAsync("lock", "ann", 10 * Minute));
        Check.True(await db.KeyTimeToLiveAsync("lock") is { TotalMinutes: > 9 and <= 10 });
    }

    private static async Task Expiry(IDatabase db)
    {
        Check.True(await db.LockTakeAsync("lock", "ann", TimeSpan.FromMilliseconds(50)));
        await Eventually.TrueAsync(
            () => db.LockTakeAsync("lock", "bob", Minute), "the lock to end");
        Check.True(!await db.LockReleaseAsync("lock", "ann"));
        Check.True(!await db.LockExtendAsync("lock", "ann", Minute));
        Check.Equal("bob", await db.LockQueryAsync("lock"));
    }

    private async Task MutualExclusion(IDatabase db)
    {
        const int Clients = 8, Rounds = 10;
        int inside = 0, together = 0;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
        {
            await using ConnectionMultiplexer own = await ConnectAsync();
            IDatabase database = own.GetDatabase();
            for (int round = 0; round < Rounds; round++)
            {
                RedisValue owner = $"{client}:{round}";
                while (!await database.LockTakeAsync("lock", owner, Minute))
                {
                    await Task.Delay(1);
                }
                together += Interlocked.Increment(ref inside) == 1 ? 0 : 1;
                RedisValue seen = await database.StringGetAsync("n");
                await database.StringSetAsync("n", (int)seen + 1); // not atomic but for the lock
                Interlocked.Decrement(ref inside);
                Check.True(await database.LockReleaseAsync("lock", owner));
            }
        }));
        Check.Equal(0, together);
        Check.Equal(Clients * Rounds, (int)await db.StringGetAsync("n"));
    }
}
