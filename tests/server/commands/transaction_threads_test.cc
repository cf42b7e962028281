#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/transaction_fixture.h"

namespace spinel {
namespace {

constexpr int kAccounts = 8;
constexpr int64_t kStart = 1000;

std::string Account(uint64_t i) { return "account:" + std::to_string(i % kAccounts); }

// One loop with its client, moving amounts from account to account.
class Mover {
 public:
  Mover(Server* server, uint64_t id)
      : loop_(0, server->commands().all().size(), &server->channels()),
        client_(server, &loop_, id),
        random_(id) {
    loop_.op.SetNow(1'700'000'000'000);
  }

  void Step() {
    const uint64_t from = random_();
    const uint64_t to = from + 1 + random_() % (kAccounts - 1);
    const int64_t amount = static_cast<int64_t>(random_() % 10);
    switch (random_() % 8) {
      case 0:
        return Sum();
      case 1:
        return Blind(Account(from), Account(to), std::to_string(amount));
      default:
        return Watched(Account(from), Account(to), amount);
    }
  }
  bool consistent() const { return consistent_; }
  uint64_t refused() const { return refused_; }

 private:
  void Watched(const std::string& from, const std::string& to, int64_t amount) {
    client_.Execute({"WATCH", from, to});
    const int64_t a = std::stoll(client_.Execute({"GET", from}).text);
    const int64_t b = std::stoll(client_.Execute({"GET", to}).text);
    client_.Execute({"MULTI"});
    client_.Execute({"SET", from, std::to_string(a - amount)});
    client_.Execute({"SET", to, std::to_string(b + amount)});
    if (client_.Execute({"EXEC"}) == NilArray()) ++refused_;
  }
  void Blind(const std::string& from, const std::string& to, const std::string& amount) {
    client_.Execute({"MULTI"});
    client_.Execute({"DECRBY", from, amount});
    client_.Execute({"INCRBY", to, amount});
    client_.Execute({"EXEC"});
  }
  void Sum() {
    client_.Execute({"MULTI"});
    for (int i = 0; i < kAccounts; ++i) client_.Execute({"GET", Account(static_cast<uint64_t>(i))});
    // Every stripe, in one run of two.
    if (random_() % 2 == 0) client_.Execute({"DBSIZE"});
    const RespValue reply = client_.Execute({"EXEC"});
    int64_t sum = 0;
    for (int i = 0; i < kAccounts; ++i)
      sum += std::stoll(reply.elements[static_cast<size_t>(i)].text);
    consistent_ = consistent_ && sum == kStart * kAccounts;
  }

  LoopState loop_;
  TestClient client_;
  std::mt19937_64 random_;
  bool consistent_ = true;
  uint64_t refused_ = 0;
};

TEST_CASE_METHOD(TransactionFixture, "Transactions of several threads: no amount is lost") {
  for (uint64_t i = 0; i < kAccounts; ++i) Run("SET", Account(i), kStart);
  constexpr int kThreads = 4;
  constexpr int kSteps = 2000;
  std::vector<std::unique_ptr<Mover>> movers;
  for (uint64_t i = 0; i < kThreads; ++i) {
    movers.push_back(std::make_unique<Mover>(&server(), server().clients().NextId()));
  }
  std::vector<std::thread> threads;
  for (const auto& mover : movers) {
    threads.emplace_back([&mover] {
      for (int step = 0; step < kSteps; ++step) mover->Step();
    });
  }
  for (std::thread& thread : threads) thread.join();
  int64_t sum = 0;
  for (uint64_t i = 0; i < kAccounts; ++i) sum += std::stoll(Run("GET", Account(i)).text);
  CHECK(sum == kStart * kAccounts);
  for (const auto& mover : movers) CHECK(mover->consistent());
  movers.clear();
  CHECK(Run("INFO", "clients").text.find("total_watched_keys:0\r") != std::string::npos);
}

}  // namespace
}  // namespace spinel
