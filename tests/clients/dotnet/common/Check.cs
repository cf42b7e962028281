using System.Runtime.CompilerServices;
using StackExchange.Redis;

namespace Spinel.ClientTests;

internal sealed class CheckFailedException(string message) : Exception(message);

/// <summary>Assertions that name the expression that failed.</summary>
internal static class Check
{
    public static void Equal<T>(
        T expected, T actual, [CallerArgumentExpression(nameof(actual))] string expression = "")
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
        {
            throw new CheckFailedException($"{expression} is {actual}, not {expected}");
        }
    }

    public static void Equal(
        RedisValue expected, RedisValue actual,
        [CallerArgumentExpression(nameof(actual))] string expression = "") =>
        Equal<RedisValue>(expected, actual, expression);

    public static void True(
        bool condition, [CallerArgumentExpression(nameof(condition))] string expression = "")
    {
        if (!condition)
        {
            throw new CheckFailedException($"not true: {expression}");
        }
    }

    public static async Task<TException> ThrowsAsync<TException>(Func<Task> action)
        where TException : Exception
    {
        try
        {
            await action();
        }
        catch (TException exception)
        {
            return exception;
        }
        throw new CheckFailedException($"no {typeof(TException).Name}");
    }
}

/// <summary>Conditions that become true within a while.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    public static void True(Func<bool> condition, string what) =>
        TrueAsync(() => Task.FromResult(condition()), what).GetAwaiter().GetResult();

    public static async Task TrueAsync(Func<Task<bool>> condition, string what)
    {
        DateTime deadline = DateTime.UtcNow + Limit;
        while (!await condition())
        {
            if (DateTime.UtcNow > deadline)
            {
                throw new TimeoutException($"waited {Limit.TotalSeconds} s for {what}");
            }
            await Task.Delay(10);
        }
    }
}
