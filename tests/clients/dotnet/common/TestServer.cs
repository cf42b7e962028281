using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Spinel.ClientTests;

/// <summary>A server process of its own on a free port, in a temporary directory.</summary>
/// <remarks>The binary is named by SPINEL_TEST_SERVER, which tests/clients/run sets.</remarks>
internal sealed class TestServer : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("spinel-test-").FullName;
    private readonly string[] options;
    private Process process;

    public TestServer(params string[] options)
    {
        this.options = options;
        Port = FreePort();
        process = Start();
    }

    public int Port { get; }

    /// <summary>Starts the server again, on its port, after stopping it if it runs.</summary>
    public void Restart()
    {
        Stop();
        process = Start();
    }

    public void Dispose()
    {
        Stop();
        process.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private Process Start()
    {
        string binary = Environment.GetEnvironmentVariable("SPINEL_TEST_SERVER")
            ?? throw new InvalidOperationException("SPINEL_TEST_SERVER names no server");
        string[] arguments =
            ["--port", $"{Port}", "--bind", "127.0.0.1", "--save", "", "--dir", directory,
             .. options];
        var started = Process.Start(new ProcessStartInfo(binary, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        started.OutputDataReceived += (_, _) => { };
        started.ErrorDataReceived += (_, _) => { };
        started.BeginOutputReadLine();
        started.BeginErrorReadLine();
        Eventually.True(() => Accepts(started), "the server to listen");
        return started;
    }

    private bool Accepts(Process started)
    {
        if (started.HasExited)
        {
            throw new InvalidOperationException($"the server ended with {started.ExitCode}");
        }
        try
        {
            using var client = new TcpClient("127.0.0.1", Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>SIGTERM, and SIGKILL for a server that does not end within ten seconds.</summary>
    public void Stop()
    {
        if (process.HasExited)
        {
            return;
        }
        using (var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]))
        {
            kill.WaitForExit();
        }
        if (!process.WaitForExit(TimeSpan.FromSeconds(10)))
        {
            process.Kill();
        }
    }
}
