using System.Buffers;
using Microsoft.Extensions.Caching.Distributed;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>The buffers that newer versions of the cache offer beside arrays.</summary>
internal sealed class BufferTests(TestServer server, RedisProtocol protocol)
{
    public IEnumerable<(string Name, Func<Task> Run)> All() =>
        [("buffers, as HybridCache uses them", Buffers)];

    private async Task Buffers()
    {
        await using CacheFixture fixture = await CacheFixture.CreateAsync(server, protocol);
        var forever = new DistributedCacheEntryOptions();
        var cache = (IBufferDistributedCache)fixture.Cache;
        byte[] value = new byte[300_000];
        new Random(1).NextBytes(value);
        await cache.SetAsync("k", new ReadOnlySequence<byte>(value), forever);
        var buffer = new ArrayBufferWriter<byte>();
        Check.True(await cache.TryGetAsync("k", buffer));
        Check.True(buffer.WrittenSpan.SequenceEqual(value));
        buffer.Clear();
        Check.True(cache.TryGet("k", buffer));
        Check.True(buffer.WrittenSpan.SequenceEqual(value));
        buffer.Clear();
        Check.True(!await cache.TryGetAsync("none", buffer));
        Check.Equal(0, buffer.WrittenCount);
        await cache.SetAsync("empty", ReadOnlySequence<byte>.Empty, forever);
        Check.True(await cache.TryGetAsync("empty", buffer));
        Check.Equal(0, buffer.WrittenCount);
    }
}
