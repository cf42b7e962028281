using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>What an application's health checks say of a server.</summary>
/// <remarks>The check keeps one connection for each connection string in the process.</remarks>
internal sealed class HealthTests(RedisProtocol protocol)
{
    private const string Password = "s3cret";

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        ("healthy, unhealthy without the server, healthy again", FollowsTheServer),
        ("password", PasswordIsChecked),
        ("of a connection that the application has", OwnConnection),
        ("as an endpoint", Endpoint),
    ];

    private string ConnectionString(TestServer server, string more = "") =>
        $"127.0.0.1:{server.Port},protocol={protocol.ToString().ToLowerInvariant()},"
        + $"connectTimeout=3000,connectRetry=1,asyncTimeout=3000{more}";

    private static async Task<HealthReportEntry> AskAsync(Action<IHealthChecksBuilder> add)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        add(services.AddHealthChecks());
        await using ServiceProvider provider = services.BuildServiceProvider();
        HealthReport report =
            await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        return report.Entries.Single().Value;
    }

    private static async Task<HealthStatus> StatusAsync(string connectionString) =>
        (await AskAsync(checks => checks.AddRedis(connectionString))).Status;

    private async Task FollowsTheServer()
    {
        using var server = new TestServer();
        string connection = ConnectionString(server);
        await BecomesAsync(HealthStatus.Healthy, connection);
        server.Stop();
        await BecomesAsync(HealthStatus.Unhealthy, connection);
        server.Restart();
        await BecomesAsync(HealthStatus.Healthy, connection);
    }

    private static Task BecomesAsync(HealthStatus status, string connection) =>
        Eventually.TrueAsync(
            async () => await StatusAsync(connection) == status, $"the server to be {status}");

    private async Task PasswordIsChecked()
    {
        using var server = new TestServer("--requirepass", Password);
        await BecomesAsync(
            HealthStatus.Healthy, ConnectionString(server, $",password={Password}"));
        foreach (string more in (string[])["", ",password=wrong"])
        {
            string connection = ConnectionString(server, more);
            Check.Equal(HealthStatus.Unhealthy, await StatusAsync(connection));
        }
    }

    private async Task OwnConnection()
    {
        using var server = new TestServer();
        await using var multiplexer = await Connections.ConnectToEmptyAsync(server, protocol);
        HealthReportEntry entry =
            await AskAsync(checks => checks.AddRedis(multiplexer, tags: ["cache"]));
        Check.Equal(HealthStatus.Healthy, entry.Status);
        Check.Equal("cache", entry.Tags.Single());
    }

    private async Task Endpoint()
    {
        using var server = new TestServer();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddHealthChecks().AddRedis(ConnectionString(server));
        await using WebApplication application = builder.Build();
        application.Urls.Add("http://127.0.0.1:0");
        application.MapHealthChecks("/health");
        await application.StartAsync();
        var address = new Uri($"{application.Urls.Single()}/health");
        using var client = new HttpClient();
        async Task AnswersAsync(HttpStatusCode code, string text)
        {
            await Eventually.TrueAsync(async () =>
            {
                using HttpResponseMessage response = await client.GetAsync(address);
                return response.StatusCode == code
                    && await response.Content.ReadAsStringAsync() == text;
            }, text);
        }
        await AnswersAsync(HttpStatusCode.OK, "Healthy");
        server.Stop();
        await AnswersAsync(HttpStatusCode.ServiceUnavailable, "Unhealthy");
    }
}
