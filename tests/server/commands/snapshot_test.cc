#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "server/loading.h"
#include "server/saver.h"
#include "tests/server/config_test_support.h"
#include "tests/support/command_fixture.h"

namespace spinel {
namespace {

class SnapshotFixture : public CommandFixture {
 protected:
  SnapshotFixture() { Begin(); }

  // A server without data whose snapshots go to the folder.
  void Begin(RespVersion version = RespVersion::kResp2) {
    Restart(version);
    UseFolder(folder_.path());
    config().enable_debug_command.Store(static_cast<int64_t>(ProtectedAction::kYes));
  }
  void UseFolder(const std::string& path) {
    const std::vector<std::string> words{path};
    REQUIRE(config().LoadRow(*FindConfigRow("dir"), words, false).ok());
  }
  void SetSavePoints(std::string_view points) {
    REQUIRE(Run("CONFIG", "SET", "save", points) == Ok());
  }
  // Where nothing can be written, whoever asks.
  void BreakFolder() {
    std::filesystem::create_directory(folder_.Path("dump.rdb"));
    std::ofstream(folder_.Path("dump.rdb/x")) << "in the way";
  }
  void MendFolder() { std::filesystem::remove_all(folder_.Path("dump.rdb")); }

  void Tick(int64_t ms) {
    Advance(ms);
    server().Cron(now_ms());
  }
  // Until nothing is being saved.
  void WaitForSave() {
    while (server().saver().report(now_ms()).in_background) {
    }
  }
  std::string InfoField(std::string_view name) {
    const std::string text = Run("INFO", "persistence").text;
    const size_t at = text.find(fmt::format("\n{}:", name));
    if (at == std::string::npos) return "(none)";
    const size_t begin = at + name.size() + 2;
    return text.substr(begin, text.find('\r', begin) - begin);
  }
  bool FileExists() { return std::filesystem::is_regular_file(folder_.Path("dump.rdb")); }
  void FillAllTypes() {
    Run("SET", "string", "hello");
    Run("SET", "expiring", "x", "PX", "100000");
    Run("RPUSH", "list", "a", "1");
    Run("SADD", "set", "a", "b");
    Run("HSET", "hash", "f", "v");
    Run("ZADD", "zset", "1.5", "a");
    for (int i = 0; i < 600; ++i) Run("SADD", "big", i, fmt::format("text {}", i));
    Run("SELECT", "3");
    Run("SET", "elsewhere", "1");
    Run("SELECT", "0");
  }
  std::string Digest() { return Run("DEBUG", "DIGEST").text; }

  KeepWorkingFolder keep_;
  TemporaryFolder folder_;
};

const RespValue kNotShutDown = Error("ERR Errors trying to SHUTDOWN. Check logs.");

}  // namespace

TEST_CASE_METHOD(SnapshotFixture, "SAVE, BGSAVE, LASTSAVE: what they answer and INFO shows") {
  Run("SET", "k", "v");
  CHECK(InfoField("rdb_changes_since_last_save") == "1");
  Advance(5000);
  CHECK(Run("SAVE") == Ok());
  CHECK(FileExists());
  CHECK(Run("LASTSAVE") == Int(now_ms() / 1000));
  CHECK(InfoField("rdb_changes_since_last_save") == "0");
  CHECK(InfoField("rdb_saves") == "1");
  CHECK(InfoField("rdb_last_bgsave_time_sec") == "-1");
  CHECK(Run("BGSAVE") == Simple("Background saving started"));
  WaitForSave();
  CHECK(InfoField("rdb_last_bgsave_status") == "ok");
  CHECK(InfoField("rdb_last_bgsave_time_sec") == "0");
  CHECK(InfoField("rdb_bgsave_in_progress") == "0");
  CHECK(Run("BGSAVE", "SCHEDULE") == Simple("Background saving started"));
  WaitForSave();
  CHECK(Run("BGSAVE", "CANCEL") ==
        Error("ERR Background saving is currently not in progress or scheduled"));
  CHECK(Run("BGSAVE", "NOW") == SyntaxError());
  CHECK(Run("BGSAVE", "SCHEDULE", "CANCEL") == SyntaxError());
  CHECK(Run("SAVE", "x") == WrongArity("save"));
}

TEST_CASE_METHOD(SnapshotFixture, "BGSAVE in a transaction: afterwards") {
  Run("MULTI");
  Run("SET", "k", "v");
  Run("BGSAVE");
  CHECK(Run("SAVE") == Error("ERR Command not allowed inside a transaction"));
  Run("DISCARD");
  Run("MULTI");
  Run("BGSAVE");
  CHECK(Run("EXEC") == Array({Simple("Background saving scheduled")}));
  CHECK_FALSE(FileExists());
  Tick(200);
  WaitForSave();
  CHECK(FileExists());
  Run("MULTI");
  Run("BGSAVE");
  Run("EXEC");
  CHECK(Run("BGSAVE", "CANCEL") == Simple("Scheduled background saving cancelled"));
}

TEST_CASE_METHOD(SnapshotFixture, "Save points: enough changes and enough time") {
  SetSavePoints("10 2");
  Tick(60'000);
  CHECK_FALSE(FileExists());
  Run("SET", "a", "1");
  Tick(60'000);
  CHECK_FALSE(FileExists());
  Run("SET", "b", "1");
  Tick(100);
  WaitForSave();
  CHECK(FileExists());
  CHECK(InfoField("rdb_changes_since_last_save") == "0");
  std::filesystem::remove(folder_.Path("dump.rdb"));
  Run("SET", "a", "2");
  Run("SET", "a", "3");
  Tick(5'000);
  CHECK_FALSE(FileExists());
  Tick(7'000);
  WaitForSave();
  CHECK(FileExists());
}

TEST_CASE_METHOD(SnapshotFixture, "A failure: writes are refused until a snapshot succeeds") {
  constexpr std::string_view kMisconf = "MISCONF Redis is configured to save RDB snapshots, but ";
  SetSavePoints("3600 1");
  Run("SET", "k", "v");
  BreakFolder();
  const RespValue begun = Run("BGSAVE");
  CHECK((begun.type == RespValue::Type::kError || begun.text == "Background saving started"));
  WaitForSave();
  CHECK(InfoField("rdb_last_bgsave_status") == "err");
  CHECK(Run("SET", "k", "w").text.starts_with(kMisconf));
  CHECK(Run("PING").text.starts_with(kMisconf));
  CHECK(Run("GET", "k") == Bulk("v"));
  CHECK(Run("MULTI") == Ok());
  CHECK(Run("SET", "k", "w").text.starts_with(kMisconf));
  CHECK(Run("EXEC").text.starts_with("EXECABORT"));
  SECTION("but not if the operator does not want that") {
    CHECK(Run("CONFIG", "SET", "stop-writes-on-bgsave-error", "no") == Ok());
    CHECK(Run("SET", "k", "w") == Ok());
    CHECK(Run("CONFIG", "SET", "stop-writes-on-bgsave-error", "yes") == Ok());
    CHECK(Run("SET", "k", "w").text.starts_with(kMisconf));
    SetSavePoints("");
    CHECK(Run("SET", "k", "w") == Ok());
  }
  SECTION("and the next attempt waits for some seconds") {
    MendFolder();
    SetSavePoints("1 1");
    Tick(4'000);
    CHECK_FALSE(FileExists());
    Tick(2'000);
    WaitForSave();
    CHECK(FileExists());
    CHECK(InfoField("rdb_last_bgsave_status") == "ok");
    CHECK(Run("SET", "k", "w") == Ok());
  }
}

TEST_CASE_METHOD(SnapshotFixture, "SAVE that fails: an error that says why; BGSAVE's state stays") {
  BreakFolder();
  CHECK(Run("SAVE").type == RespValue::Type::kError);
  CHECK(Run("SAVE").text.find(folder_.path()) != std::string::npos);
  CHECK(InfoField("rdb_last_bgsave_status") == "ok");
  MendFolder();
  CHECK(Run("SAVE") == Ok());
}

TEST_CASE_METHOD(SnapshotFixture, "DEBUG RELOAD: all of the data comes back") {
  for (const RespVersion version : {RespVersion::kResp2, RespVersion::kResp3}) {
    Begin(version);
    FillAllTypes();
    const std::string before = Digest();
    CHECK(Run("DEBUG", "RELOAD") == Ok());
    CHECK(Digest() == before);
    CHECK(InfoField("rdb_changes_since_last_save") == "0");
    CHECK(InfoField("rdb_last_load_keys_loaded") == "8");
    CHECK(Run("PTTL", "expiring") == Int(100000));
    CHECK(Run("SET", "string", "changed") == Ok());
    CHECK(Run("DEBUG", "RELOAD", "NOSAVE") == Ok());
    CHECK(Run("GET", "string") == Bulk("hello"));
    const RespValue failed = Error("ERR Error trying to load the RDB dump, check server logs.");
    CHECK(Run("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH") == failed);
    CHECK(Run("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH", "MERGE") == Ok());
    CHECK(Digest() == before);
    CHECK(Run("DEBUG", "RELOAD", "x") ==
          Error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."));
    AdvanceWithoutTick(100'001);
    CHECK(Run("DEBUG", "RELOAD", "NOSAVE") == Ok());
    CHECK(InfoField("rdb_last_load_keys_expired") == "1");
    CHECK(Run("DBSIZE") == Int(6));
  }
}

TEST_CASE_METHOD(SnapshotFixture, "FLUSHALL with save points empties the file, too") {
  Run("SET", "k", "v");
  CHECK(Run("SAVE") == Ok());
  Run("FLUSHALL");
  Run("DEBUG", "RELOAD", "NOSAVE");
  CHECK(Run("DBSIZE") == Int(1));
  SetSavePoints("3600 1");
  Run("FLUSHALL");
  CHECK(InfoField("rdb_changes_since_last_save") == "0");
  Run("DEBUG", "RELOAD", "NOSAVE");
  CHECK(Run("DBSIZE") == Int(0));
}

TEST_CASE_METHOD(SnapshotFixture, "SHUTDOWN: when it saves") {
  Run("SET", "k", "v");
  SECTION("without save points it does not") {
    CHECK(Run("SHUTDOWN").text == "no reply");
    CHECK_FALSE(FileExists());
  }
  SECTION("unless it is told to") {
    CHECK(Run("SHUTDOWN", "SAVE").text == "no reply");
    CHECK(FileExists());
  }
  SECTION("with save points it does") {
    SetSavePoints("3600 1");
    CHECK(Run("SHUTDOWN").text == "no reply");
    CHECK(FileExists());
  }
  SECTION("unless it is told not to") {
    SetSavePoints("3600 1");
    CHECK(Run("SHUTDOWN", "NOSAVE").text == "no reply");
    CHECK_FALSE(FileExists());
  }
  SECTION("and if that fails, FORCE stops nevertheless") {
    BreakFolder();
    CHECK(Run("SHUTDOWN", "SAVE") == kNotShutDown);
    CHECK_FALSE(shutdown_requested());
    CHECK(Run("SET", "k", "w") == Ok());
    CHECK(server().pause().mode(now_ms()) == PauseState::Mode::kNone);
    CHECK(Run("SHUTDOWN", "SAVE", "FORCE").text == "no reply");
  }
  CHECK(shutdown_requested());
  CHECK(client().session().close_after_reply);
}

TEST_CASE_METHOD(SnapshotFixture, "Loading at the start: clients are told to wait") {
  FillAllTypes();
  Run("DEL", "expiring");  // the clock that loading goes by is the real one
  const std::string before = Digest();
  REQUIRE(Run("SAVE") == Ok());
  Begin();
  REQUIRE(server().loading().Open().ok());
  const RespValue loading = Error("LOADING Redis is loading the dataset in memory");
  CHECK(Run("GET", "string") == loading);
  CHECK(Run("PING") == loading);
  CHECK(Run("CONFIG", "GET", "port").elements.size() == 2);
  CHECK(InfoField("loading") == "1");
  CHECK(InfoField("loading_total_bytes") ==
        std::to_string(std::filesystem::file_size(folder_.Path("dump.rdb"))));
  CHECK(InfoField("loading_loaded_perc") == "0.00");
  // What is half loaded must not replace the file.
  Run("CONFIG", "SET", "save", "3600 1");
  Status outcome = Status::Error("not yet");
  server().loading().Start([&](const Status& status) { outcome = status; });
  while (InfoField("loading") == "1") {
  }
  server().loading().Stop();
  CHECK(outcome.message() == "");
  CHECK(InfoField("loading_total_bytes") == "(none)");
  CHECK(InfoField("rdb_last_load_keys_loaded") == "7");
  CHECK(Digest() == before);
}

TEST_CASE_METHOD(SnapshotFixture, "Loading at the start: no file, and one that is damaged") {
  CHECK(server().loading().Open().ok());
  CHECK(InfoField("loading") == "0");
  REQUIRE(Run("SET", "k", "v") == Ok());
  REQUIRE(Run("SAVE") == Ok());
  const std::string bytes = folder_.Read("dump.rdb");
  folder_.Write("dump.rdb", bytes.substr(0, bytes.size() - 10));
  REQUIRE(server().loading().Open().ok());
  Status outcome;
  std::atomic<bool> over{false};
  server().loading().Start([&](const Status& status) {
    outcome = status;
    over = true;
  });
  while (!over) {
  }
  server().loading().Stop();
  CHECK(outcome.message().find(folder_.Path("dump.rdb")) != std::string::npos);
  CHECK(outcome.message().find("offset") != std::string::npos);
  CHECK(outcome.message().find("Remedy") != std::string::npos);
  CHECK(Run("GET", "k") == Error("LOADING Redis is loading the dataset in memory"));
}

}  // namespace spinel
