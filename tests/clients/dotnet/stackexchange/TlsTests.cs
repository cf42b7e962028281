using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StackExchange.Redis;

namespace Spinel.ClientTests;

/// <summary>Connection strings with ssl=true, and a certificate of an authority of the test's own.
/// </summary>
internal sealed class TlsTests : IDisposable
{
    private const string Password = "s3cret";

    private readonly string directory = Directory.CreateTempSubdirectory("spinel-tls-").FullName;
    private readonly int port = TestServer.FreePort();
    private readonly TestServer server;

    public TlsTests()
    {
        WriteCertificates();
        server = new TestServer(
            "--tls-port", $"{port}", "--tls-cert-file", In("server.pem"),
            "--tls-key-file", In("server.key"), "--tls-auth-clients", "no",
            "--requirepass", Password);
    }

    public IEnumerable<(string Name, Func<Task> Run)> All() =>
    [
        ("reads and writes", ReadsAndWrites),
        ("publish and subscribe", PublishAndSubscribe),
        ("a certificate that nobody vouches for is refused by the client", Untrusted),
    ];

    public void Dispose()
    {
        server.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private string In(string name) => Path.Combine(directory, name);

    private void WriteCertificates()
    {
        DateTimeOffset begin = DateTimeOffset.UtcNow.AddHours(-1);
        DateTimeOffset end = begin.AddDays(2);
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=authority", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 issuer = authority.CreateSelfSigned(begin, end);
        using RSA key = RSA.Create(2048);
        var request = new CertificateRequest(
            "CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(
            issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(authorityKey), begin, end,
            RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(In("ca.pem"), issuer.ExportCertificatePem());
        File.WriteAllText(In("server.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(In("server.key"), key.ExportPkcs8PrivateKeyPem());
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(RedisProtocol protocol)
    {
        ConfigurationOptions options = ConfigurationOptions.Parse(
            $"localhost:{port},ssl=true,password={Password},connectTimeout=10000");
        options.Protocol = protocol;
        options.TrustIssuer(In("ca.pem"));
        return await ConnectionMultiplexer.ConnectAsync(options);
    }

    private async Task ReadsAndWrites()
    {
        foreach (RedisProtocol protocol in Connections.Protocols)
        {
            await using var multiplexer = await ConnectAsync(protocol);
            IDatabase db = multiplexer.GetDatabase();
            Task<bool>[] writes = Enumerable.Range(0, 1000)
                .Select(i => db.StringSetAsync($"k{i}", $"v{i}")).ToArray();
            await Task.WhenAll(writes);
            Check.Equal("v999", await db.StringGetAsync("k999"));
            byte[] big = RandomNumberGenerator.GetBytes(3_000_000);
            await db.StringSetAsync("big", big);
            byte[]? read = await db.StringGetAsync("big");
            Check.True(read is not null && big.SequenceEqual(read));
        }
    }

    private async Task PublishAndSubscribe()
    {
        foreach (RedisProtocol protocol in Connections.Protocols)
        {
            await using var multiplexer = await ConnectAsync(protocol);
            ISubscriber subscriber = multiplexer.GetSubscriber();
            int received = 0;
            await subscriber.SubscribeAsync(
                RedisChannel.Literal("news"), (_, _) => Interlocked.Increment(ref received));
            for (int i = 0; i < 100; i++)
            {
                await subscriber.PublishAsync(RedisChannel.Literal("news"), i);
            }
            Eventually.True(() => Volatile.Read(ref received) == 100, "100 messages");
        }
    }

    private async Task Untrusted()
    {
        ConfigurationOptions options = ConfigurationOptions.Parse(
            $"localhost:{port},ssl=true,password={Password},connectTimeout=2000,connectRetry=1");
        try
        {
            await using var multiplexer = await ConnectionMultiplexer.ConnectAsync(options);
        }
        catch (RedisConnectionException)
        {
            return;
        }
        throw new InvalidOperationException("the client connected");
    }
}
