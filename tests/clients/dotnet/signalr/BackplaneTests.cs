using Microsoft.AspNetCore.SignalR;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Two hosts, ann and bob at the first, cid and ann once more at the second.</summary>
/// <remarks>
/// That somebody hears nothing is seen by a last text to all: what had been sent before and is not
/// there by then was not for them.
/// </remarks>
internal sealed class BackplaneTests(TestServer server, RedisProtocol protocol)
{
    private const string End = "the end";

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        Test("everybody hears, at both hosts", Everybody),
        Test("groups span the hosts", Groups),
        Test("members of a group are changed from the other host", RemoteMembers),
        Test("users are at several hosts", Users),
        Test("single connections at the other host", SingleConnections),
        Test("a client of the other host gives a result", ClientResults),
        Test("texts of every size up to 4 MB", Sizes),
        Test("thousands of texts from both hosts, each host's in its order", Order),
        Test("nothing stays subscribed when all are gone", NothingStaysSubscribed),
        Test("applications are kept apart by their prefix", Prefixes),
        Test("works again after a restart", WorksAfterARestart),
    ];

    private sealed record Cast(HubHost One, HubHost Two, HubClient Ann, HubClient Bob,
        HubClient Cid, HubClient Ann2)
    {
        public HubClient[] Everyone => [Ann, Bob, Cid, Ann2];

        /// <summary>Each has heard exactly what is given for them.</summary>
        public async Task HeardAsync(
            string[] ann, string[] bob, string[] cid, string[] ann2)
        {
            await Two.Clients.All.SendAsync("Hear", End);
            await Ann.HeardUpToAsync(End, ann);
            await Bob.HeardUpToAsync(End, bob);
            await Cid.HeardUpToAsync(End, cid);
            await Ann2.HeardUpToAsync(End, ann2);
        }
    }

    private (string Name, Func<Task> Run) Test(string name, Func<Cast, Task> body) =>
        (name, async () =>
        {
            await using HubHost one = await HubHost.StartAsync(server.Port, protocol, "chat");
            await using HubHost two = await HubHost.StartAsync(server.Port, protocol, "chat");
            await using HubClient ann = await one.ConnectAsync("ann");
            await using HubClient bob = await one.ConnectAsync("bob");
            await using HubClient cid = await two.ConnectAsync("cid");
            await using HubClient ann2 = await two.ConnectAsync("ann");
            await body(new Cast(one, two, ann, bob, cid, ann2));
        });

    private static async Task Everybody(Cast cast)
    {
        await cast.Ann.CallAsync("Say", "hello");
        await cast.Cid.CallAsync("SayToOthers", "I am new");
        await cast.Two.Clients.AllExcept([cast.Bob.Id, cast.Ann2.Id]).SendAsync("Hear", "secret");
        await cast.HeardAsync(
            ["hello", "I am new", "secret"], ["hello", "I am new"],
            ["hello", "secret"], ["hello", "I am new"]);
    }

    private static async Task Groups(Cast cast)
    {
        await cast.Ann.CallAsync("Join", "cats");
        await cast.Cid.CallAsync("Join", "cats");
        await cast.Cid.CallAsync("Join", "dogs");
        await cast.Ann2.CallAsync("Join", "dogs");
        await cast.Two.Clients.Group("cats").SendAsync("Hear", "to cats");
        await cast.Bob.CallAsync("SayInGroup", "dogs", "to dogs");
        await cast.Cid.CallAsync("SayInGroup", "cats", "to other cats");
        await cast.One.Clients.GroupExcept("dogs", [cast.Cid.Id]).SendAsync("Hear", "not cid");
        await cast.One.Clients.Groups(["cats", "dogs", "none"]).SendAsync("Hear", "to groups");
        await cast.HeardAsync(
            ["to cats", "to other cats", "to groups"], [],
            ["to cats", "to dogs", "to groups", "to groups"], ["to dogs", "not cid", "to groups"]);

        await cast.Cid.CallAsync("Leave", "cats");
        await cast.One.Clients.Group("cats").SendAsync("Hear", "to cats");
        await cast.HeardAsync(["to cats"], [], [], []);
    }

    private static async Task RemoteMembers(Cast cast)
    {
        await cast.Two.Hub.Groups.AddToGroupAsync(cast.Bob.Id, "cats"); // bob is at the first
        await cast.One.Hub.Groups.AddToGroupAsync(cast.Cid.Id, "cats");
        await cast.One.Clients.Group("cats").SendAsync("Hear", "both");
        await cast.HeardAsync([], ["both"], ["both"], []);
        await cast.Two.Hub.Groups.RemoveFromGroupAsync(cast.Bob.Id, "cats");
        await cast.One.Clients.Group("cats").SendAsync("Hear", "cid alone");
        await cast.HeardAsync([], [], ["cid alone"], []);
    }

    private static async Task Users(Cast cast)
    {
        await cast.One.Clients.User("ann").SendAsync("Hear", "to ann");
        await cast.Two.Clients.User("bob").SendAsync("Hear", "to bob");
        await cast.Two.Clients.Users(["bob", "cid", "nobody"]).SendAsync("Hear", "to two");
        await cast.HeardAsync(["to ann"], ["to bob", "to two"], ["to two"], ["to ann"]);
    }

    private static async Task SingleConnections(Cast cast)
    {
        await cast.Ann.CallAsync("Whisper", cast.Cid.Id, "psst");
        await cast.Two.Clients.Client(cast.Bob.Id).SendAsync("Hear", "bob!");
        await cast.One.Clients.Clients([cast.Ann.Id, cast.Ann2.Id, "none"])
            .SendAsync("Hear", "both of you");
        await cast.HeardAsync(["both of you"], ["bob!"], ["psst"], ["both of you"]);
    }

    private static async Task ClientResults(Cast cast)
    {
        int[] results = await Task.WhenAll(Enumerable.Range(0, 50).Select(i =>
            cast.Two.Clients.Client(cast.Bob.Id).InvokeAsync<int>("Double", i, default)));
        Check.True(results.SequenceEqual(Enumerable.Range(0, 50).Select(i => 2 * i)));
        Check.Equal(8, await cast.One.Clients.Client(cast.Cid.Id)
            .InvokeAsync<int>("Double", 4, default));
    }

    private static async Task Sizes(Cast cast)
    {
        foreach (int size in (int[])[0, 1, 1000, 16_384, 65_536, 1 << 20, 4 << 20])
        {
            string text = new('x', size);
            await cast.One.Clients.All.SendAsync("Hear", text);
            await cast.HeardAsync([text], [text], [text], [text]);
        }
    }

    private static async Task Order(Cast cast)
    {
        const int Count = 2000;
        await Task.WhenAll(((HubHost[])[cast.One, cast.Two]).Select(async (host, number) =>
        {
            for (int i = 0; i < Count; i++)
            {
                await host.Clients.All.SendAsync("Hear", $"{number} {i}");
            }
        }));
        foreach (HubClient client in cast.Everyone)
        {
            await Eventually.TrueAsync(
                () => Task.FromResult(client.Heard.Length >= 2 * Count), "all texts");
            foreach (int number in (int[])[0, 1])
            {
                Check.True(client.Heard.Where(text => text[0] == '0' + number)
                    .SequenceEqual(Enumerable.Range(0, Count).Select(i => $"{number} {i}")));
            }
        }
    }

    private async Task NothingStaysSubscribed(Cast cast)
    {
        await using var multiplexer = await Connections.ConnectToEmptyAsync(server, protocol);
        IServer redis = multiplexer.GetServers()[0];
        async Task<int> ChannelsAsync(string part) => (await redis.SubscriptionChannelsAsync())
            .Count(channel => channel.ToString().Contains(part, StringComparison.Ordinal));

        foreach (HubClient client in cast.Everyone)
        {
            await client.CallAsync("Join", "cats");
            Check.Equal(1, await ChannelsAsync(client.Id));
        }
        Check.Equal(1, await ChannelsAsync(":group:cats"));
        Check.Equal(2, await redis.SubscriptionSubscriberCountAsync(RedisChannel.Literal(
            "chat" + typeof(ChatHub).FullName + ":group:cats")));
        Check.Equal(3, await ChannelsAsync(":user:"));
        foreach (HubClient client in cast.Everyone)
        {
            await client.DisposeAsync();
        }
        await Eventually.TrueAsync(async () =>
            await ChannelsAsync(":connection:") + await ChannelsAsync(":group:cats")
                + await ChannelsAsync(":user:") == 0, "the end of the clients' subscriptions");
    }

    private async Task Prefixes(Cast cast)
    {
        await using HubHost shop = await HubHost.StartAsync(server.Port, protocol, "shop");
        await using HubClient customer = await shop.ConnectAsync("ann");
        await cast.One.Clients.User("ann").SendAsync("Hear", "to ann");
        await shop.Clients.User("ann").SendAsync("Hear", "sale");
        await cast.HeardAsync(["to ann"], [], [], ["to ann"]);
        await shop.Clients.All.SendAsync("Hear", End);
        await customer.HeardUpToAsync(End, "sale");
    }

    private async Task WorksAfterARestart(Cast cast)
    {
        await cast.Bob.CallAsync("Join", "cats");
        await cast.Cid.CallAsync("Join", "cats");
        server.Restart();
        int tries = 0;
        await Eventually.TrueAsync(async () =>
        {
            string text = $"try {tries++}";
            try
            {
                await cast.One.Clients.All.SendAsync("Hear", text);
                await Task.Delay(50);
                return cast.Everyone.All(client => client.Heard.Contains(text));
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                await Task.Delay(50);
                return false;
            }
        }, "the backplane to come back");
        await Eventually.TrueAsync(async () =>
        {
            string text = $"try {tries++}";
            await cast.Two.Clients.Group("cats").SendAsync("Hear", text);
            await cast.One.Clients.Client(cast.Ann2.Id).SendAsync("Hear", text);
            await Task.Delay(50);
            return ((HubClient[])[cast.Bob, cast.Cid, cast.Ann2])
                .All(client => client.Heard.Contains(text));
        }, "the groups and connections to come back");
    }
}
