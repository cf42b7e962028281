using System.Collections.Concurrent;
using Hangfire;
using Hangfire.Logging;
using Hangfire.Redis.StackExchange;
using Hangfire.Storage;
using Hangfire.Storage.Monitoring;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>The jobs: called by the workers, through reflection, so they are public.</summary>
public static class Jobs
{
    private static readonly ConcurrentDictionary<string, int> Runs = new();

    public static int RunsOf(string name) => Runs.GetValueOrDefault(name);

    public static void Do(string name) => Runs.AddOrUpdate(name, 1, (_, before) => before + 1);

    [AutomaticRetry(Attempts = 5, DelaysInSeconds = [1])]
    public static void FailTwice(string name)
    {
        Do(name);
        if (RunsOf(name) <= 2)
        {
            throw new InvalidOperationException("not yet");
        }
    }

    [AutomaticRetry(Attempts = 0)]
    public static void Fail(string name)
    {
        Do(name);
        throw new InvalidOperationException($"{name} fails");
    }
}

/// <summary>Jobs of every kind, done by two servers of workers.</summary>
internal sealed class JobTests(TestServer server, RedisProtocol protocol)
{
    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("hundreds of jobs, each done once", ManyJobs),
        Test("delayed jobs", DelayedJobs),
        Test("failing jobs are tried again, or kept as failed", FailingJobs),
        Test("continuations", Continuations),
        Test("recurring jobs", RecurringJobs),
        Test("deleted jobs are not done", DeletedJobs),
        Test("locks exclude", Locks),
    ];

    private sealed record Queue(RedisStorage Storage, BackgroundJobClient Client)
    {
        public StatisticsDto Statistics => Storage.GetMonitoringApi().GetStatistics();

        public string? StateOf(string job)
        {
            using IStorageConnection connection = Storage.GetConnection();
            return connection.GetJobData(job)?.State;
        }

        public Task BecomesAsync(string job, string state) =>
            Eventually.TrueAsync(
                () => Task.FromResult(StateOf(job) == state), $"job {job} to be {state}");
    }

    private (string Name, Func<Task> Run) Test(string name, Func<Queue, Task> body) =>
        (name, async () =>
        {
            LogProvider.SetCurrentLogProvider(null);
            await using var multiplexer = await Connections.ConnectToEmptyAsync(server, protocol);
            var storage = new RedisStorage(multiplexer, new RedisStorageOptions
            {
                FetchTimeout = TimeSpan.FromMilliseconds(500),
            });
            var options = new BackgroundJobServerOptions
            {
                WorkerCount = 4,
                SchedulePollingInterval = TimeSpan.FromMilliseconds(200),
            };
            using var one = new BackgroundJobServer(options, storage);
            using var two = new BackgroundJobServer(options, storage);
            await body(new Queue(storage, new BackgroundJobClient(storage)));
        });

    private static string Unique(string name) => $"{name} {Guid.NewGuid()}";

    private static async Task ManyJobs(Queue queue)
    {
        const int Count = 300;
        string name = Unique("many");
        for (int i = 0; i < Count; i++)
        {
            string own = $"{name} {i}";
            queue.Client.Enqueue(() => Jobs.Do(own));
        }
        await Eventually.TrueAsync(
            () => Task.FromResult(queue.Statistics.Succeeded == Count), "all jobs");
        Check.True(Enumerable.Range(0, Count).All(i => Jobs.RunsOf($"{name} {i}") == 1));
        StatisticsDto statistics = queue.Statistics;
        Check.Equal(0L, statistics.Enqueued + statistics.Processing + statistics.Failed);
        Check.Equal(2L, statistics.Servers);
        Check.Equal(
            100, queue.Storage.GetMonitoringApi().SucceededJobs(0, 100).Count);
    }

    private static async Task DelayedJobs(Queue queue)
    {
        string name = Unique("delayed");
        string soon = queue.Client.Schedule(() => Jobs.Do(name), TimeSpan.FromSeconds(1));
        string later = queue.Client.Schedule(() => Jobs.Do(name), TimeSpan.FromHours(1));
        Check.Equal(2L, queue.Statistics.Scheduled);
        Check.Equal(0, Jobs.RunsOf(name));
        await queue.BecomesAsync(soon, "Succeeded");
        Check.Equal("Scheduled", queue.StateOf(later));
        Check.True(queue.Client.Requeue(later));
        await queue.BecomesAsync(later, "Succeeded");
        Check.Equal(2, Jobs.RunsOf(name));
    }

    private static async Task FailingJobs(Queue queue)
    {
        string again = Unique("again"), never = Unique("never");
        string retried = queue.Client.Enqueue(() => Jobs.FailTwice(again));
        string failed = queue.Client.Enqueue(() => Jobs.Fail(never));
        await queue.BecomesAsync(failed, "Failed");
        await queue.BecomesAsync(retried, "Succeeded");
        Check.Equal(3, Jobs.RunsOf(again));
        Check.Equal(1, Jobs.RunsOf(never));
        FailedJobDto kept = queue.Storage.GetMonitoringApi().FailedJobs(0, 10).Single().Value;
        Check.Equal($"{never} fails", kept.ExceptionMessage);
    }

    private static async Task Continuations(Queue queue)
    {
        string first = Unique("first"), then = Unique("then");
        string parent = queue.Client.Schedule(() => Jobs.Do(first), TimeSpan.FromHours(1));
        string child = queue.Client.ContinueJobWith(parent, () => Jobs.Do(then));
        Check.Equal("Awaiting", queue.StateOf(child));
        queue.Client.Requeue(parent);
        await queue.BecomesAsync(child, "Succeeded");
        Check.Equal(1, Jobs.RunsOf(first));
        Check.Equal(1, Jobs.RunsOf(then));
    }

    private static async Task RecurringJobs(Queue queue)
    {
        string name = Unique("recurring");
        var manager = new RecurringJobManager(queue.Storage);
        manager.AddOrUpdate("nightly", () => Jobs.Do(name), Cron.Yearly());
        using IStorageConnection connection = queue.Storage.GetConnection();
        RecurringJobDto job = connection.GetRecurringJobs().Single();
        Check.Equal("nightly", job.Id);
        Check.True(job.NextExecution > DateTime.UtcNow);
        manager.Trigger("nightly");
        await Eventually.TrueAsync(
            () => Task.FromResult(Jobs.RunsOf(name) == 1), "the triggered job");
        manager.RemoveIfExists("nightly");
        Check.Equal(0, connection.GetRecurringJobs().Count);
    }

    private static async Task DeletedJobs(Queue queue)
    {
        string name = Unique("deleted");
        string job = queue.Client.Schedule(() => Jobs.Do(name), TimeSpan.FromSeconds(1));
        Check.True(queue.Client.Delete(job));
        Check.Equal("Deleted", queue.StateOf(job));
        string after = queue.Client.Schedule(() => Jobs.Do(name + 2), TimeSpan.FromSeconds(2));
        await queue.BecomesAsync(after, "Succeeded");
        Check.Equal(0, Jobs.RunsOf(name));
        Check.Equal(1L, queue.Statistics.Deleted);
    }

    private static async Task Locks(Queue queue)
    {
        using IStorageConnection connection = queue.Storage.GetConnection();
        int inside = 0, most = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            using IStorageConnection own = queue.Storage.GetConnection();
            using IDisposable held = own.AcquireDistributedLock("mine", TimeSpan.FromSeconds(20));
            int now = Interlocked.Increment(ref inside);
            most = Math.Max(most, now);
            Thread.Sleep(20);
            Interlocked.Decrement(ref inside);
        })));
        Check.Equal(1, most);
    }
}
