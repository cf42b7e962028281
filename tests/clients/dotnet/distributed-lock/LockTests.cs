using Medallion.Threading;
using Medallion.Threading.Redis;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Two applications, with a connection each, that exclude each other.</summary>
/// <param name="servers">The first alone, or all three for a lock held by their majority.</param>
internal sealed class LockTests(TestServer[] servers, RedisProtocol protocol)
{
    private static readonly TimeSpan Never = TimeSpan.Zero;
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("a lock excludes the other application", Exclusion),
        Test("a lock is kept alive longer than its expiry", KeptAlive),
        Test("a lost lock is told", Lost),
        Test("one of many callers at a time", ManyCallers),
        Test("readers together, a writer alone", ReadersAndWriters),
        Test("a reader upgrades to a writer", Upgrade),
        Test("a semaphore lets in so many", Semaphore),
        ("a lock of three servers, one of them down", Majority),
    ];

    private (string Name, Func<Task> Run) Test(string name, Func<IDatabase, IDatabase, Task> body) =>
        (name, async () =>
        {
            await using var one = await Connections.ConnectToEmptyAsync(servers[0], protocol);
            await using var other = await Connections.ConnectToEmptyAsync(servers[0], protocol);
            await body(one.GetDatabase(), other.GetDatabase());
        });

    private static async Task Exclusion(IDatabase one, IDatabase other)
    {
        var first = new RedisDistributedLock("job", one);
        var second = new RedisDistributedLock("job", other);
        await using (RedisDistributedLockHandle held = await first.AcquireAsync(Long))
        {
            Check.True(await second.TryAcquireAsync(Never) is null);
            Check.True(await new RedisDistributedLock("another", other).TryAcquireAsync(Never)
                is not null);
            Check.True(await one.KeyTimeToLiveAsync("job") is { TotalSeconds: > 0 and <= 30 });
        }
        Check.True(!await one.KeyExistsAsync("job"));
        await using RedisDistributedLockHandle next = await second.AcquireAsync(Long);
        Check.True(first.TryAcquire(Never) is null);
    }

    private static async Task KeptAlive(IDatabase one, IDatabase other)
    {
        await using RedisDistributedLockHandle held = await new RedisDistributedLock(
            "job", one, options => options.Expiry(TimeSpan.FromSeconds(3))
                .ExtensionCadence(TimeSpan.FromMilliseconds(200))).AcquireAsync(Long);
        await one.KeyExpireAsync("job", TimeSpan.FromSeconds(2));
        await Eventually.TrueAsync(async () =>
            await one.KeyTimeToLiveAsync("job") is { TotalSeconds: > 2 }, "a longer life");
        Check.True(await new RedisDistributedLock("job", other).TryAcquireAsync(Never) is null);
    }

    private static async Task Lost(IDatabase one, IDatabase other)
    {
        await using RedisDistributedLockHandle held = await new RedisDistributedLock(
            "job", one, options => options.Expiry(TimeSpan.FromSeconds(3))
                .ExtensionCadence(TimeSpan.FromMilliseconds(200))).AcquireAsync(Long);
        CancellationToken lost = held.HandleLostToken;
        await other.StringSetAsync("job", "a thief");
        await Eventually.TrueAsync(
            () => Task.FromResult(lost.IsCancellationRequested), "the loss to be told");
        await held.DisposeAsync();
        Check.Equal("a thief", await other.StringGetAsync("job")); // not its own to delete
    }

    private static async Task ManyCallers(IDatabase one, IDatabase other)
    {
        int inside = 0, done = 0;
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            var own = new RedisDistributedLock("job", i % 2 == 0 ? one : other, options =>
                options.BusyWaitSleepTime(
                    TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(20)));
            await using RedisDistributedLockHandle held =
                await own.AcquireAsync(TimeSpan.FromSeconds(35));
            Check.Equal(1, Interlocked.Increment(ref inside));
            await Task.Delay(1);
            done++; // safe: alone
            Interlocked.Decrement(ref inside);
        }));
        Check.Equal(20, done);
    }

    private static async Task ReadersAndWriters(IDatabase one, IDatabase other)
    {
        var first = new RedisDistributedReaderWriterLock("book", one);
        var second = new RedisDistributedReaderWriterLock("book", other);
        await using (await first.AcquireReadLockAsync(Long))
        await using (await second.AcquireReadLockAsync(Long))
        await using (await second.AcquireReadLockAsync(Long))
        {
            Check.True(await second.TryAcquireWriteLockAsync(Never) is null);
        }
        await using (await second.AcquireWriteLockAsync(Long))
        {
            Check.True(await first.TryAcquireReadLockAsync(Never) is null);
            Check.True(await first.TryAcquireWriteLockAsync(Never) is null);
        }
        await using (await first.AcquireReadLockAsync(Long))
        {
        }
    }

    /// <summary>A waiting writer keeps new readers out until the old ones have gone.</summary>
    private static async Task Upgrade(IDatabase one, IDatabase other)
    {
        var first = new RedisDistributedReaderWriterLock("book", one);
        var second = new RedisDistributedReaderWriterLock("book", other);
        IDistributedSynchronizationHandle reader = await first.AcquireReadLockAsync(Long);
        Task<RedisDistributedReaderWriterLockHandle> writer =
            second.AcquireWriteLockAsync(Long).AsTask();
        await Eventually.TrueAsync(async () =>
        {
            await using var late = await first.TryAcquireReadLockAsync(Never);
            return late is null;
        }, "new readers to wait for the writer");
        Check.True(!writer.IsCompleted);
        await reader.DisposeAsync();
        await (await writer).DisposeAsync();
        await using var again = await first.AcquireReadLockAsync(Long);
    }

    private static async Task Semaphore(IDatabase one, IDatabase other)
    {
        var first = new RedisDistributedSemaphore("slots", 3, one);
        var second = new RedisDistributedSemaphore("slots", 3, other);
        await using var a = await first.AcquireAsync(Long);
        await using var b = await second.AcquireAsync(Long);
        RedisDistributedSemaphoreHandle c = await second.AcquireAsync(Long);
        Check.True(await first.TryAcquireAsync(Never) is null);
        Task<RedisDistributedSemaphoreHandle> waiting = first.AcquireAsync(Long).AsTask();
        await Task.Delay(50);
        Check.True(!waiting.IsCompleted);
        await c.DisposeAsync();
        await using var d = await waiting;
        Check.True(await second.TryAcquireAsync(Never) is null);
        Check.Equal(3, await one.SortedSetLengthAsync("slots"));
    }

    private async Task Majority()
    {
        var multiplexers = await Task.WhenAll(servers.Select(
            server => Connections.ConnectToEmptyAsync(server, protocol)));
        try
        {
            IDatabase[] all = [.. multiplexers.Select(each => each.GetDatabase())];
            var first = new RedisDistributedLock("job", all);
            var second = new RedisDistributedLock("job", all);
            await using (await first.AcquireAsync(Long))
            {
                Check.True(await second.TryAcquireAsync(Never) is null);
            }
            servers[2].Stop();
            await using (await first.AcquireAsync(Long))
            {
                Check.True(await second.TryAcquireAsync(Never) is null);
            }
        }
        finally
        {
            servers[2].Restart();
            foreach (ConnectionMultiplexer multiplexer in multiplexers)
            {
                await multiplexer.DisposeAsync();
            }
        }
    }
}
