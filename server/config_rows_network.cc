// Rows: network, TLS, clients.
#include "server/config_special.h"
#include "server/config_table.h"

namespace spinel {
namespace {

constexpr std::string_view kNoOwnConnections = "the server opens no connections of its own";

constexpr ConfigChoice kTlsAuthClients[] = {
    {"no", static_cast<int64_t>(TlsAuthClients::kNo)},
    {"yes", static_cast<int64_t>(TlsAuthClients::kYes)},
    {"optional", static_cast<int64_t>(TlsAuthClients::kOptional)},
};

constexpr ConfigRow kNetwork[] = {
    Special(
        "bind", "127.0.0.1 -::1", &kBindOption,
        "Addresses to listen on, IPv4 or IPv6. `*` and `::*` stand for all; an address behind a "
        "`-` may be missing on this machine. An empty list closes the TCP port.")
        .MultiArg(),
    Integer<&Config::port>("port", 6379, 0, 65535, "TCP port. 0 does not listen on TCP."),
    Bool<&Config::protected_mode>(
        "protected-mode", true,
        "Without a password, serve only clients of this machine, whatever `bind` says."),
    Text<&Config::bind_source_addr>(
        "bind-source-addr", "", "Local address of the connections that the server itself opens.")
        .NoEffect("the server opens no connections of its own"),
    Integer<&Config::tcp_backlog>(
        "tcp-backlog", 511, 0, kIntMax,
        "Connections that the kernel keeps waiting to be accepted; it caps this at "
        "net.core.somaxconn.")
        .Immutable(),
    Integer<&Config::tcp_keepalive>(
        "tcp-keepalive", 300, 0, kIntMax,
        "Seconds of silence after which the kernel probes whether a client is still there. 0 never "
        "asks."),
    Integer<&Config::timeout>("timeout", 0, 0, kIntMax,
                              "Seconds after which an idle client is disconnected. 0 never does."),
    Integer<&Config::unauthenticated_timeout>(
        "unauthenticated-timeout", 60, 0, kIntMax,
        "Seconds after which a client that has not logged in is disconnected, idle or not, where a "
        "password is required. 0 never does."),
    Text<&Config::unixsocket>("unixsocket", "",
                              "Path of a Unix socket to listen on as well. Empty: none.")
        .Immutable(),
    Number<&Config::unixsocketperm>(ConfigType::kOctal, "unixsocketperm", 0, 0, 0777,
                                    "Permissions of the Unix socket, in octal. 0 leaves what the "
                                    "umask gives.")
        .Immutable(),
    Text<&Config::unixsocketgroup>("unixsocketgroup", "", "Group that owns the Unix socket.")
        .Immutable(),
    Integer("socket-mark-id", 0, 0, kUintMax, "Mark for packet filters on the listening sockets.")
        .Immutable()
        .NoEffect("sockets are not marked"),
    Bool("mptcp", false, "Multipath TCP for the listening sockets.")
        .NoEffect("sockets are plain TCP"),
    Integer("max-new-connections-per-cycle", 10, 1, 1000,
            "How many connections Valkey accepts in one turn of its loop.")
        .NoEffect("every waiting connection is accepted at once and given to the least busy loop"),
    Integer("max-new-tls-connections-per-cycle", 1, 1, 1000,
            "How many TLS connections Valkey accepts in one turn of its loop.")
        .NoEffect("handshakes have threads of their own, and hold nobody up"),
    Text("rdma-bind", "", "Addresses to listen on with RDMA.").NoEffect("no RDMA"),
    Integer("rdma-port", 0, 0, 65535, "RDMA port.").NoEffect("no RDMA"),
    Integer("rdma-rx-size", 1048576, 65536, 16777216, "RDMA receive buffer.").NoEffect("no RDMA"),
    Integer("rdma-completion-vector", -1, -1, 1024, "RDMA completion vector.").NoEffect("no RDMA"),
};

constexpr ConfigRow kTls[] = {
    Integer<&Config::tls_port>(
        "tls-port", 0, 0, 65535,
        "Port for TLS connections, on the addresses of `bind`. 0: none. With `port 0` there are no "
        "others."),
    Text<&Config::tls_cert_file>(
        "tls-cert-file", "",
        "The server's certificate, PEM; the authorities between it and the root may follow in the "
        "same file.")
        .Reloads(),
    Text<&Config::tls_key_file>("tls-key-file", "", "The certificate's private key, PEM.")
        .Reloads(),
    Text<&Config::tls_key_file_pass>("tls-key-file-pass", "", "Passphrase of the private key.")
        .Secret(),
    Text("tls-client-cert-file", "", "Certificate for connections that the server opens.")
        .Reloads()
        .NoEffect(kNoOwnConnections),
    Text("tls-client-key-file", "", "Key of that certificate.")
        .Reloads()
        .NoEffect(kNoOwnConnections),
    Text("tls-client-key-file-pass", "", "Passphrase of that key.")
        .Secret()
        .NoEffect(kNoOwnConnections),
    Text<&Config::tls_dh_params_file>("tls-dh-params-file", "",
                                      "Diffie-Hellman parameters, PEM. Empty: OpenSSL's own.")
        .Reloads(),
    Text<&Config::tls_ca_cert_file>(
        "tls-ca-cert-file", "",
        "Certificates of the authorities that clients' certificates are checked against, PEM.")
        .Reloads(),
    Text<&Config::tls_ca_cert_dir>(
        "tls-ca-cert-dir", "",
        "A folder of such certificates, named by their hashes as `openssl rehash` does.")
        .Reloads(),
    Enum<&Config::tls_auth_clients>(
        "tls-auth-clients", TlsAuthClients::kYes, kTlsAuthClients,
        "Must clients show a certificate? `optional` checks it if there is one."),
    Text("tls-auth-clients-user", "",
         "The field of a client's certificate that names its user; off or CN.")
        .NoEffect("a certificate names no user; clients do, with AUTH"),
    Integer<&Config::tls_auto_reload_interval>(
        "tls-auto-reload-interval", 1, 0, kIntMax,
        "Seconds between looks for new contents of the certificate, key, authority and parameter "
        "files; what is found is used for new connections. 0: only CONFIG SET reloads them."),
    Bool("tls-replication", false, "TLS between primary and replica.")
        .NoEffect("there is no replication"),
    Bool("tls-cluster", false, "TLS on the cluster bus.").NoEffect("there is no cluster mode"),
    Text<&Config::tls_protocols>(
        "tls-protocols", "",
        "Versions to speak, as in `TLSv1.2 TLSv1.3`. Empty: these two. TLSv1 and TLSv1.1 also need "
        "`@SECLEVEL=0` in `tls-ciphers`."),
    Text<&Config::tls_ciphers>("tls-ciphers", "",
                               "Ciphers for TLS 1.2, in OpenSSL's syntax. Empty: OpenSSL's."),
    Text<&Config::tls_ciphersuites>("tls-ciphersuites", "",
                                    "Cipher suites for TLS 1.3. Empty: OpenSSL's."),
    Bool<&Config::tls_prefer_server_ciphers>("tls-prefer-server-ciphers", false,
                                             "The server's order of ciphers decides."),
    Bool<&Config::tls_session_caching>("tls-session-caching", true,
                                       "Let clients resume earlier sessions."),
    Integer<&Config::tls_session_cache_size>(
        "tls-session-cache-size", 20480, 0, kIntMax,
        "Sessions kept for clients that take no tickets. 0: no limit."),
    Integer<&Config::tls_session_cache_timeout>("tls-session-cache-timeout", 300, 0, kIntMax,
                                                "Seconds for which sessions can be resumed."),
};

constexpr ConfigRow kClients[] = {
    Integer<&Config::maxclients>(
        "maxclients", 10000, 1, kUintMax,
        "Connections at a time; further ones get an error and are closed."),
    Memory<&Config::client_query_buffer_limit>(
        "client-query-buffer-limit", kGb, kMb, kLongMax,
        "Bytes of an unfinished request after which its client is disconnected."),
    Memory<&Config::proto_max_bulk_len>("proto-max-bulk-len", 512 * kMb, kMb, kLongMax,
                                        "The largest single argument of a request, in bytes."),
    Special(
        "client-output-buffer-limit",
        "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60", &kOutputLimitOption,
        "Per class of client (`normal`, `replica`, `pubsub`) a hard limit, a soft limit and "
        "seconds: a client is cut when its unsent replies pass the hard limit, or stay above the "
        "soft one for that long. 0: no limit. Classes that are not named keep their limits.")
        .MultiArg(),
    Number<&Config::maxmemory_clients>(
        ConfigType::kPercent, "maxmemory-clients", 0, -100, kLongMax,
        "Memory of all clients' buffers together, or a percentage of `maxmemory`, beyond which the "
        "greediest clients are disconnected. 0: no limit."),
    Integer<&Config::tracking_table_max_keys>(
        "tracking-table-max-keys", 1000000, 0, kLongMax,
        "Keys remembered for client-side caching; beyond that, clients are told to forget some. 0: "
        "no limit."),
    Integer("client-default-resp", 2, 2, 3, "Protocol of a new connection.")
        .Immutable()
        .Hidden()
        .NoEffect("connections begin with RESP2, as everywhere"),
};

}  // namespace

std::span<const ConfigRow> NetworkRows() { return kNetwork; }
std::span<const ConfigRow> TlsRows() { return kTls; }
std::span<const ConfigRow> ClientRows() { return kClients; }

}  // namespace spinel
