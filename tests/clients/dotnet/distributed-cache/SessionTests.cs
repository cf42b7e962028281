using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>ASP.NET's session state on the distributed cache, in a small application.</summary>
internal sealed class SessionTests(TestServer server, RedisProtocol protocol)
{
    private const string Prefix = "session:";

    public IEnumerable<(string Name, Func<Task> Run)> All() => [("session state", SessionState)];

    private async Task<WebApplication> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
        builder.Services.AddStackExchangeRedisCache(options =>
        {
            options.ConfigurationOptions = Connections.Options(server.Port, protocol);
            options.InstanceName = Prefix;
        });
        builder.Services.AddSession(options => options.IdleTimeout = TimeSpan.FromMinutes(10));
        WebApplication application = builder.Build();
        application.Urls.Add("http://127.0.0.1:0");
        application.UseSession();
        application.MapGet("/visit", (HttpContext context) =>
        {
            int visits = (context.Session.GetInt32("visits") ?? 0) + 1;
            context.Session.SetInt32("visits", visits);
            return $"{visits}";
        });
        application.MapGet("/leave", (HttpContext context) => context.Session.Clear());
        await application.StartAsync();
        return application;
    }

    private async Task SessionState()
    {
        await using var multiplexer = await Connections.ConnectToEmptyAsync(server, protocol);
        IServer first = multiplexer.GetServers()[0];
        await using WebApplication application = await StartAsync();
        var address = new Uri(application.Urls.Single());
        using var ann = new HttpClient { BaseAddress = address }; // each keeps its own cookies
        using var bob = new HttpClient { BaseAddress = address };
        Check.Equal("1", await ann.GetStringAsync("/visit"));
        Check.Equal("2", await ann.GetStringAsync("/visit"));
        Check.Equal("1", await bob.GetStringAsync("/visit"));
        Check.Equal("3", await ann.GetStringAsync("/visit"));
        RedisKey[] sessions = [.. first.Keys(pattern: $"{Prefix}*")];
        Check.Equal(2, sessions.Length);
        foreach (RedisKey session in sessions)
        {
            Check.True(await multiplexer.GetDatabase().KeyTimeToLiveAsync(session)
                is { TotalMinutes: > 9 and <= 10 });
        }
        await ann.GetStringAsync("/leave");
        Check.Equal("1", await ann.GetStringAsync("/visit"));
        Check.Equal("2", await bob.GetStringAsync("/visit"));
        await multiplexer.GetDatabase().KeyDeleteAsync(sessions);
        Check.Equal("1", await bob.GetStringAsync("/visit"));
    }
}
