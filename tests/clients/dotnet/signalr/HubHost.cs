using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>What clients call; everything goes to other clients as "Hear".</summary>
internal sealed class ChatHub : Hub
{
    public Task Arrive() => Task.CompletedTask;

    public Task Say(string text) => Clients.All.SendAsync("Hear", text);

    public Task SayToOthers(string text) => Clients.Others.SendAsync("Hear", text);

    public Task Whisper(string connection, string text) =>
        Clients.Client(connection).SendAsync("Hear", text);

    public Task Join(string group) => Groups.AddToGroupAsync(Context.ConnectionId, group);

    public Task Leave(string group) => Groups.RemoveFromGroupAsync(Context.ConnectionId, group);

    public Task SayInGroup(string group, string text) =>
        Clients.OthersInGroup(group).SendAsync("Hear", text);
}

/// <summary>A client is the user that its address names.</summary>
internal sealed class UserFromQuery : IUserIdProvider
{
    public string? GetUserId(HubConnectionContext connection) =>
        connection.GetHttpContext()?.Request.Query["user"];
}

/// <summary>A web application with a hub, one of several behind the same backplane.</summary>
internal sealed class HubHost : IAsyncDisposable
{
    private readonly WebApplication application;

    private HubHost(int port, RedisProtocol protocol, string prefix)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IUserIdProvider, UserFromQuery>();
        builder.Services.AddSignalR().AddStackExchangeRedis(options =>
        {
            options.Configuration = Connections.Options(port, protocol);
            options.Configuration.ChannelPrefix = RedisChannel.Literal(prefix);
        });
        application = builder.Build();
        application.Urls.Add("http://127.0.0.1:0");
        application.MapHub<ChatHub>("/chat");
    }

    /// <summary>For what the application itself sends, outside a client's call.</summary>
    public IHubContext<ChatHub> Hub =>
        application.Services.GetRequiredService<IHubContext<ChatHub>>();

    public IHubClients Clients => Hub.Clients;

    public static async Task<HubHost> StartAsync(int port, RedisProtocol protocol, string prefix)
    {
        var host = new HubHost(port, protocol, prefix);
        await host.application.StartAsync();
        return host;
    }

    public Task<HubClient> ConnectAsync(string user) =>
        HubClient.ConnectAsync(new Uri($"{application.Urls.Single()}/chat?user={user}"));

    public ValueTask DisposeAsync() => application.DisposeAsync();
}
