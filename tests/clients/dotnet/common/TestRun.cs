namespace Spinel.ClientTests;

/// <summary>What a test throws where the server has not got what it is about.</summary>
internal sealed class SkipException(string reason) : Exception(reason);

/// <summary>Runs tests one after the other and prints a line for each.</summary>
/// <remarks>The lines are those that tests/clients/run counts: "ok", "not ok", "# SKIP".</remarks>
internal sealed class TestRun
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);
    private int failures;

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
