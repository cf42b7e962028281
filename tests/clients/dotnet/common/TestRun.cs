namespace Spinel.ClientTests;

/// <summary>What a test throws where the server has not got what it is about.</summary>
internal sealed class SkipException(string reason) : Exception(reason);

/// <summary>Runs tests one after the other and prints a line for each.</summary>
/// <remarks>The lines are those that tests/clients/run counts: "ok", "not ok", "# SKIP".</remarks>
internal sealed class TestRun
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);
    private int failures;

    /// <summary>Threads for tests that block several at once, as frameworks do.</summary>
    /// <remarks>
    /// With as many threads as processors, which is the default, calls that block hold all of them,
    /// and the replies that would release them wait for one more, which the pool adds twice a second.
    /// </remarks>
    static TestRun() => ThreadPool.SetMinThreads(64, 64);

    public int ExitCode => failures == 0 ? 0 : 1;

    public async Task RunAsync(string label, IEnumerable<(string Name, Func<Task> Run)> tests)
    {
        foreach (var (name, run) in tests)
        {
            string test = $"{label}: {name}";
            try
            {
                await run().WaitAsync(Limit);
                Console.WriteLine($"ok - {test}");
            }
            catch (SkipException skipped)
            {
                Console.WriteLine($"ok - {test} # SKIP {skipped.Message}");
            }
            catch (Exception exception)
            {
                failures++;
                Console.WriteLine($"not ok - {test}");
                foreach (string line in exception.ToString().Split('\n'))
                {
                    Console.WriteLine($"#   {line}");
                }
            }
        }
    }
}
