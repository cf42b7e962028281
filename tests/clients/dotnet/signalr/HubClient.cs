using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;

namespace Spinel.ClientTests;

/// <summary>A client of one host's hub, which notes what it hears.</summary>
internal sealed class HubClient : IAsyncDisposable
{
    private readonly HubConnection connection;
    private readonly ConcurrentQueue<string> heard = new();

    private HubClient(Uri address)
    {
        connection = new HubConnectionBuilder()
            .WithUrl(address, HttpTransportType.WebSockets)
            .Build();
        connection.On<string>("Hear", heard.Enqueue);
        connection.On<int, int>("Double", number => 2 * number);
    }

    public string Id => connection.ConnectionId!;

    public string[] Heard => [.. heard];

    /// <remarks>
    /// A connection is open before the host has subscribed to its channels; the first call is
    /// answered after that.
    /// </remarks>
    public static async Task<HubClient> ConnectAsync(Uri address)
    {
        var client = new HubClient(address);
        await client.connection.StartAsync();
        await client.CallAsync(nameof(ChatHub.Arrive));
        return client;
    }

    /// <summary>Calls the hub and waits until it is done.</summary>
    public Task CallAsync(string method, params object[] arguments) =>
        connection.InvokeCoreAsync(method, arguments);

    /// <summary>Waits for a text, then compares all that was heard, in any order.</summary>
    public async Task HeardUpToAsync(string last, params string[] before)
    {
        await Eventually.TrueAsync(
            () => Task.FromResult(heard.Contains(last)), $"\"{last}\" at {Id}");
        string[] expected = [last, .. before];
        await Eventually.TrueAsync(
            () => Task.FromResult(heard.Count >= expected.Length), "the texts before it");
        Check.Equal(string.Join('|', expected.Order(StringComparer.Ordinal)),
            string.Join('|', heard.Order(StringComparer.Ordinal)));
        heard.Clear();
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();
}
