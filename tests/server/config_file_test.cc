#include "server/config_file.h"

#include <fcntl.h>

#include <catch2/catch.hpp>

#include "tests/server/config_test_support.h"

namespace spinel {
namespace {

using Words = std::vector<std::string>;

// Loads a file as the server does; the error text, or "OK".
std::string Load(Config& config, const std::string& path) { return Start(config, {path.c_str()}); }

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("SplitArgs: blanks, quotes, escapes") {
  CHECK(SplitArgs("") == Words{});
  CHECK(SplitArgs("  \t ") == Words{});
  CHECK(SplitArgs("port 6379") == Words{"port", "6379"});
  CHECK(SplitArgs("  save\t60   1 ") == Words{"save", "60", "1"});
  CHECK(SplitArgs("a \"\" b") == Words{"a", "", "b"});
  CHECK(SplitArgs("a ''") == Words{"a", ""});
  CHECK(SplitArgs(R"("one two" 'three four')") == Words{"one two", "three four"});
  CHECK(SplitArgs(R"("\n\r\t\b\a\\\"\q")") == Words{"\n\r\t\b\a\\\"q"});
  CHECK(SplitArgs(R"("\x41\x00\xzz")") == Words{std::string("A\0xzz", 5)});
  CHECK(SplitArgs(R"('it\'s' 'a\nb')") == Words{"it's", "a\\nb"});
  CHECK(SplitArgs(R"(pre"fix")") == Words{"prefix"});
  CHECK(SplitArgs("back\\slash") == Words{"back\\slash"});
  for (const char* wrong : {"\"open", "'open", "\"a\"b", "'a'b", "x \"", "\"a\\", "\"a\"\"b\""}) {
    INFO(wrong);
    CHECK_FALSE(SplitArgs(wrong).has_value());
  }
}

TEST_CASE("QuoteArg: SplitArgs gives back every byte") {
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  CHECK(SplitArgs(QuoteArg(every)) == Words{every});
  CHECK(QuoteArg("plain") == "\"plain\"");
  CHECK(QuoteArg("") == "\"\"");
  CHECK(QuoteArg("a\"b\\c\n\x01\xff") == R"("a\"b\\c\n\x01\xff")");
}

TEST_CASE("A file: comments, case, quotes, repeated options") {
  TemporaryFolder folder;
  Config config;
  std::string path = folder.Write("a.conf",
                                  "# a comment\r\n"
                                  "\r\n"
                                  "   # another\n"
                                  "PORT 7001\r\n"
                                  "requirepass \"pass # word\"\n"
                                  "timeout 1\n"
                                  "timeout 2\n"
                                  "\tbind 10.0.0.1   ::1\n"
                                  "client-output-buffer-limit normal 1mb 0 0\n"
                                  "client-output-buffer-limit pubsub 2mb 1mb 5\n"
                                  "slave-read-only no\n"
                                  "unixsocketperm 770\n"
                                  "rename-command FLUSHALL \"\"\n"
                                  "rename-command CONFIG secret-config\n"
                                  "maxmemory-policy allkeys-lru");
  REQUIRE(Load(config, path) == "OK");
  CHECK(config.config_file == path);
  CHECK(config.port() == 7001);
  CHECK(config.requirepass() == "pass # word");
  CHECK(config.timeout() == 2);
  CHECK(config.bind_addresses() == Words{"10.0.0.1", "::1"});
  CHECK(config.output_limit(OutputClass::kNormal).hard_bytes() == kMb);
  CHECK(config.output_limit(OutputClass::kPubsub).soft_seconds() == 5);
  CHECK_FALSE(config.replica_read_only());
  CHECK(config.unixsocketperm() == 0770);
  CHECK(GetConfig(config, "unixsocketperm") == "770");
  CHECK(config.renamed_commands ==
        std::vector<RenamedCommand>{{"FLUSHALL", ""}, {"CONFIG", "secret-config"}});
  CHECK(config.maxmemory_policy() == MaxmemoryPolicy::kAllkeysLru);
}

TEST_CASE("A file: the first `save` replaces the default, the next ones add to it") {
  TemporaryFolder folder;
  auto save_of = [&](std::string_view text) {
    Config config;
    REQUIRE(Load(config, folder.Write("s.conf", text)) == "OK");
    return GetConfig(config, "save");
  };
  CHECK(save_of("") == "3600 1 300 100 60 10000");
  CHECK(save_of("save 900 1\nsave 300 10") == "900 1 300 10");
  CHECK(save_of("save 900 1 300 10\nsave \"60 5\"") == "900 1 300 10 60 5");
  CHECK(save_of("save \"\"") == "");
  CHECK(save_of("save 900 1\nsave \"\"\nsave 60 1") == "60 1");
}

TEST_CASE("A file: errors name the line and the nearest option") {
  TemporaryFolder folder;
  Config config;
  std::string path = folder.Write("e.conf", "port 1\n\n  maxmemroy 1gb  \n");
  CHECK(Load(config, path) ==
        fmt::format("\n*** FATAL CONFIG FILE ERROR (Spinel 0.1.0) ***\n"
                    "Reading the configuration file, at line 3 of {}\n"
                    ">>> 'maxmemroy 1gb'\n"
                    "Bad directive or wrong number of arguments (did you mean 'maxmemory'?)\n",
                    path));
  auto error_of = [&](std::string_view text) {
    Config fresh;
    return Load(fresh, folder.Write("x.conf", text));
  };
  CHECK(Has(error_of("port"), ">>> 'port'\nwrong number of arguments\n"));
  CHECK(Has(error_of("port 1 2"), "wrong number of arguments\n"));
  CHECK(Has(error_of("port x"), "argument couldn't be parsed into an integer\n"));
  CHECK(Has(error_of("requirepass \"x"), "Unbalanced quotes in configuration line\n"));
  CHECK(Has(error_of("include"), "Bad directive or wrong number of arguments\n"));
  CHECK(Has(error_of("rename-command GET"), "Bad directive or wrong number of arguments\n"));
  CHECK(Has(error_of("qqqqqqqqqqqqqq 1"), "Bad directive or wrong number of arguments\n"));
  CHECK(Has(error_of("loadmodule /x.so"), "no module interface"));
  CHECK(Has(error_of("sentinel monitor a b 1 1"), "no Sentinel"));
  CHECK(Has(error_of("search.threads 1"), "options of modules are not supported"));
  CHECK(Has(error_of("dir /does/not/exist"), "No such file or directory"));
  CHECK(Has(error_of("replicaof 127.0.0.1 abc"), "Invalid primary port"));
}

TEST_CASE("A file: include, with wildcards and in place") {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder.Path("conf.d"));
  folder.Write("conf.d/1.conf", "timeout 11\nmaxclients 11\n");
  folder.Write("conf.d/2.conf", "timeout 22\n");
  Config config;
  REQUIRE(Load(config, folder.Write("m.conf", fmt::format("timeout 1\n"
                                                          "include {0}/conf.d/*.conf\n"
                                                          "include {0}/none.d/*.conf\n"
                                                          "maxclients 5\n",
                                                          folder.path()))) == "OK");
  CHECK(config.timeout() == 22);
  CHECK(config.maxclients() == 5);

  Config missing;
  std::string path = folder.Write("n.conf", "include " + folder.Path("gone.conf"));
  CHECK(Load(missing, path) ==
        fmt::format("\n*** FATAL CONFIG FILE ERROR (Spinel 0.1.0) ***\n"
                    "Reading the configuration file, at line 1 of {}\n"
                    ">>> 'include {}'\n"
                    "Fatal error, can't open config file '{}': No such file or directory\n",
                    path, folder.Path("gone.conf"), folder.Path("gone.conf")));

  Config inner;
  folder.Write("inner.conf", "port 1\nbogus-option-name 2\n");
  std::string error = Load(inner, folder.Write("o.conf", "include " + folder.Path("inner.conf")));
  CHECK(Has(error, "at line 2 of " + folder.Path("inner.conf")));
}

TEST_CASE("A file: include loops, depth and number are bounded") {
  TemporaryFolder folder;
  Config config;
  folder.Write("a.conf", "include " + folder.Path("b.conf"));
  folder.Write("b.conf", "include " + folder.Path("a.conf"));
  CHECK(Has(Load(config, folder.Path("a.conf")), "it includes itself"));

  for (int i = 0; i < 30; ++i) {
    folder.Write(fmt::format("d{}.conf", i),
                 fmt::format("include {}/d{}.conf\n", folder.path(), i + 1));
  }
  CHECK(Has(Load(config, folder.Path("d0.conf")), "includes are nested more than 16 deep"));

  // Each file includes the next twice: 2^15 files without a bound on their number.
  for (int i = 0; i < 15; ++i) {
    std::string line = fmt::format("include {}/w{}.conf\n", folder.path(), i + 1);
    folder.Write(fmt::format("w{}.conf", i), line + line);
  }
  folder.Write("w15.conf", "");
  CHECK(Has(Load(config, folder.Path("w0.conf")), "too many files are included"));
}

TEST_CASE("A file that is none: folders, missing, unreadable, binary, endless") {
  TemporaryFolder folder;
  Config config;
  CHECK(Load(config, folder.path()) ==
        fmt::format("\n*** FATAL CONFIG FILE ERROR (Spinel 0.1.0) ***\n"
                    "Fatal error, can't open config file '{}': Is a directory\n",
                    folder.path()));
  CHECK(Has(Load(config, folder.Path("missing")), "No such file or directory"));
  CHECK(Has(Load(config, folder.Write("nul.conf", std::string("port 1\0\n", 8))),
            "The line has a NUL byte; this is not a text file"));
  CHECK(Has(Load(config, "/dev/zero"), "longer than 16 MB"));
  CHECK(Has(Load(config, folder.Write("long.conf", "requirepass " + std::string(2 << 20, 'x'))),
            "The line is longer than 1 MB"));
  std::string junk =
      "\x7f"
      "ELF\x01\x02\x03 \x1b[31m";
  CHECK(Has(Load(config, folder.Write("elf", junk)), ">>> '?ELF??? ?[31m'\n"));
  if (::geteuid() != 0) {
    std::string secret = folder.Write("secret.conf", "port 1");
    std::filesystem::permissions(secret, std::filesystem::perms::none);
    CHECK(Has(Load(config, secret), "Permission denied"));
  }
}

TEST_CASE("A file of millions of save lines ends early") {
  TemporaryFolder folder;
  Config config;
  std::string text;
  for (int i = 0; i < 1000000; ++i) text += "save 1 1\n";
  CHECK(Has(Load(config, folder.Write("many.conf", text)), "too many save points"));
}

TEST_CASE("Standard input is read like a file") {
  TemporaryFolder folder;
  std::string path = folder.Write("in.conf", "timeout 7\nport 7002\n");
  Config config;
  ConfigLoader loader(&config);
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(loader.LoadStdin(fd).ok());
  ::close(fd);
  CHECK(config.timeout() == 7);
  CHECK(config.port() == 7002);
}

TEST_CASE("Notices: what has no effect is said once, and loudly where it matters") {
  TemporaryFolder folder;
  Config config;
  REQUIRE(Load(config, folder.Write("n.conf",
                                    "appendonly yes\n"
                                    "cluster-enabled no\n"
                                    "replicaof 10.0.0.1 6379\n"
                                    "activedefrag yes\n"
                                    "active-defrag-cycle-min 5\n"
                                    "repl-timeout 60\n"
                                    "lua-replicate-commands yes\n"
                                    "user alice on nopass ~* +@all\n")) == "OK");
  auto find = [&](std::string_view part) -> const ConfigNotice* {
    for (const ConfigNotice& notice : config.notices) {
      if (Has(notice.text, part)) return &notice;
    }
    return nullptr;
  };
  REQUIRE(find("'appendonly' is accepted but has no effect: ") != nullptr);
  CHECK(find("'appendonly'")->warning);
  REQUIRE(find("'replicaof'") != nullptr);
  CHECK(find("'replicaof'")->warning);
  REQUIRE(find("'activedefrag', 'active-defrag-cycle-min' are accepted") != nullptr);
  CHECK_FALSE(find("'activedefrag'")->warning);
  CHECK(find("'cluster-enabled'") == nullptr);  // the default
  CHECK(find("'repl-timeout'") == nullptr);
  CHECK(find("'lua-replicate-commands'") != nullptr);
  CHECK(find("'user'") == nullptr);
  CHECK(config.user_directives == std::vector<Words>{{"alice", "on", "nopass", "~*", "+@all"}});
}

TEST_CASE("Obsolete options of old files are accepted") {
  TemporaryFolder folder;
  Config config;
  REQUIRE(Load(config, folder.Write("old.conf",
                                    "list-max-ziplist-entries 512\n"
                                    "list-max-ziplist-value 64\n"
                                    "hash-max-ziplist-entries 100\n"
                                    "io-threads-do-reads yes\n"
                                    "list-max-ziplist-size -1\n"
                                    "slave-serve-stale-data yes\n"
                                    "masterauth x\n"
                                    "primaryuser y\n")) == "OK");
  CHECK(config.hash_max_listpack_entries() == 100);
  CHECK(config.list_max_listpack_size() == -1);
  CHECK(GetConfig(config, "primaryauth") == "x");
  CHECK(GetConfig(config, "masteruser") == "y");
}

}  // namespace spinel
