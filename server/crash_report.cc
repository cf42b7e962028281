#include "server/crash_report.h"

#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string_view>

#include "server/command.h"
#include "server/log.h"
#include "server/loop_state.h"
#include "server/server.h"
#include "server/session.h"
#include "server/version.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SPINEL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SPINEL_SANITIZED 1
#endif
#endif

namespace spinel {
namespace {

// The sanitizers have reports of their own.
#if defined(SPINEL_SANITIZED)
constexpr bool kReports = false;
#else
constexpr bool kReports = true;
#endif

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

std::atomic<Server*> g_server{nullptr};
std::atomic_flag g_reporting = ATOMIC_FLAG_INIT;
thread_local const LoopState* t_loop = nullptr;

LogFormat FormatOfLog() {
  const Server* server = g_server.load();
  return server == nullptr ? LogFormat::kLegacy : server->config().log_format();
}

// To the log, and to standard error where the log is elsewhere.
void WriteOut(const char* text, size_t size) {
  const int log = LogDescriptor();
  bool written = write(log, text, size) >= 0;
  if (log != STDOUT_FILENO && log != STDERR_FILENO) {
    written = write(STDERR_FILENO, text, size) >= 0 && written;
  }
  // There is nobody to be told that it could not be written.
  (void)written;
}

// Text put together without the allocator; what does not fit is cut off.
class Line {
 public:
  Line& operator<<(std::string_view text) {
    const size_t fits = std::min(text.size(), sizeof(text_) - size_ - 1);
    std::memcpy(text_ + size_, text.data(), fits);
    size_ += fits;
    return *this;
  }
  Line& operator<<(uint64_t number) { return Digits(number, 10); }
  Line& Hex(uint64_t number) {
    *this << "0x";
    return Digits(number, 16);
  }
  // Writes the line. Where the log has a form that programs read, the line is a record of its own.
  void End() {
    const LogFormat format = FormatOfLog();
    if (format == LogFormat::kLegacy) {
      text_[size_++] = '\n';
      WriteOut(text_, size_);
    } else {
      EndRecord(format == LogFormat::kJson);
    }
    size_ = 0;
  }

 private:
  Line& Digits(uint64_t number, unsigned base) {
    char digits[24];
    size_t at = sizeof(digits);
    do {
      digits[--at] = "0123456789abcdef"[number % base];
      number /= base;
    } while (number > 0);
    return *this << std::string_view(digits + at, sizeof(digits) - at);
  }

  void EndRecord(bool json) {
    if (size_ == 0) return;
    char record[2 * sizeof(text_) + 64];
    size_t size = 0;
    const auto add = [&](std::string_view text) {
      std::memcpy(record + size, text.data(), text.size());
      size += text.size();
    };
    add(json ? R"({"level":"warning","message":")" : R"(level=warning message=")");
    for (size_t i = 0; i < size_; ++i) {
      const char c = text_[i];
      if (c == '"' || c == '\\') add("\\");
      add(c < ' ' || c > '~' ? std::string_view("?") : std::string_view(&c, 1));
    }
    add(json ? "\"}\n" : "\"\n");
    WriteOut(record, size);
  }

  char text_[512];
  size_t size_ = 0;
};

std::string_view NameOf(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV (invalid memory access)";
    case SIGBUS:
      return "SIGBUS (bad address, or a file's end)";
    case SIGFPE:
      return "SIGFPE (arithmetic)";
    case SIGILL:
      return "SIGILL (illegal instruction)";
    case SIGABRT:
      return "SIGABRT (the program gave up)";
    default:
      return "unknown";
  }
}

void ReportRegisters(const ucontext_t& context) {
  Line line;
#if defined(__x86_64__)
  constexpr struct {
    int index;
    std::string_view name;
  } kRegisters[] = {{REG_RIP, "rip"}, {REG_RSP, "rsp"}, {REG_RBP, "rbp"}, {REG_RAX, "rax"},
                    {REG_RBX, "rbx"}, {REG_RCX, "rcx"}, {REG_RDX, "rdx"}, {REG_RSI, "rsi"},
                    {REG_RDI, "rdi"}, {REG_R8, "r8"},   {REG_R9, "r9"},   {REG_R10, "r10"},
                    {REG_R11, "r11"}, {REG_R12, "r12"}, {REG_R13, "r13"}, {REG_R14, "r14"},
                    {REG_R15, "r15"}, {REG_EFL, "efl"}};
  int in_line = 0;
  for (const auto& row : kRegisters) {
    line << row.name << "=";
    line.Hex(static_cast<uint64_t>(context.uc_mcontext.gregs[row.index])) << " ";
    if (++in_line % 6 == 0) line.End();
  }
#elif defined(__aarch64__)
  line << "pc=";
  line.Hex(context.uc_mcontext.pc) << " sp=";
  line.Hex(context.uc_mcontext.sp) << " lr=";
  line.Hex(context.uc_mcontext.regs[30]).End();
#else
  (void)context;
  line << "registers: not shown on this kind of machine";
  line.End();
#endif
}

// The client's address and the command's name, never its arguments: they are the user's data.
void ReportCommand() {
  Line line;
  if (t_loop == nullptr) {
    line << "thread: no event loop";
    return line.End();
  }
  line << "thread: event loop " << static_cast<uint64_t>(t_loop->index);
  const Session* session = t_loop->serves;
  if (session == nullptr) {
    line << ", no command was being executed";
    return line.End();
  }
  const Command* command = session->last_command.load();
  line << ", command: " << (command == nullptr ? std::string_view("none") : command->name)
       << ", client: id=" << session->id << " addr=" << session->origin.address
       << " db=" << static_cast<uint64_t>(session->db());
  line.End();
}

void ReportServer(Server* server) {
  if (server == nullptr) return;
  uint64_t commands = 0;
  const Runtime& runtime = server->runtime();
  for (int i = 0; i < runtime.loops(); ++i) {
    commands += runtime.loop(i).stats.commands_processed.Get();
  }
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  Line line;
  line << "run_id:" << server->run_id()
       << " uptime_in_seconds:" << static_cast<uint64_t>(now.tv_sec - server->started_ms() / 1000)
       << " io_threads:" << static_cast<uint64_t>(runtime.loops())
       << " connected_clients:" << server->clients().count()
       << " total_commands_processed:" << commands
       << " used_memory_peak:" << server->peak_memory.load();
  line.End();
}

// The stack as records: the function that knows symbols without the allocator writes to a file
// only.
void ReportStackAsRecords(void* const* frames, int count) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return;
  backtrace_symbols_fd(frames, count, ends[1]);  // what a pipe does not hold is left out
  close(ends[1]);
  Line line;
  char some[1024];
  for (ssize_t got = 0; (got = read(ends[0], some, sizeof(some))) > 0;) {
    std::string_view text(some, static_cast<size_t>(got));
    for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos;) {
      (line << text.substr(0, end)).End();
      text.remove_prefix(end + 1);
    }
    line << text;
  }
  line.End();
  close(ends[0]);
}

void ReportStack() {
  constexpr int kMostFrames = 100;
  void* frames[kMostFrames];
  const int count = backtrace(frames, kMostFrames);
  if (FormatOfLog() != LogFormat::kLegacy) return ReportStackAsRecords(frames, count);
  const int log = LogDescriptor();
  backtrace_symbols_fd(frames, count, log);
  if (log != STDOUT_FILENO && log != STDERR_FILENO) {
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
  }
}

void Report(int signal, const siginfo_t& info, const ucontext_t& context) {
  Line line;
  line.End();
  (line << "=== SPINEL CRASH REPORT: what follows belongs into a report of the fault ===").End();
  (line << "version: " << kSpinelVersion << " (as Redis " << kRedisVersion << "), pid "
        << static_cast<uint64_t>(getpid()) << ", thread "
        << static_cast<uint64_t>(syscall(SYS_gettid)))
      .End();
  line << "signal: " << NameOf(signal) << ", code " << static_cast<uint64_t>(info.si_code & 0xff);
  // Only a fault has an address; a signal that was sent has a sender.
  if (info.si_code > 0 && signal != SIGABRT) {
    (line << ", address ").Hex(reinterpret_cast<uintptr_t>(info.si_addr));
  } else {
    line << ", sent by process " << static_cast<uint64_t>(info.si_pid);
  }
  line.End();
  ReportCommand();
  ReportServer(g_server.load());
  (line << "--- registers").End();
  ReportRegisters(context);
  (line << "--- stack").End();
  ReportStack();
  (line << "=== END OF CRASH REPORT ===").End();
}

void OnCrash(int signal, siginfo_t* info, void* context) {
  // One report; a second thread that crashes meanwhile waits for the end, which the first brings.
  if (g_reporting.test_and_set()) {
    if (t_loop == nullptr || info->si_code <= 0) _exit(128 + signal);
    for (;;) pause();
  }
  const int saved = errno;
  struct sigaction fallback = {};
  fallback.sa_handler = SIG_DFL;
  // A fault inside of the report ends the process at once.
  for (const int crash : kSignals) sigaction(crash, &fallback, nullptr);
  Report(signal, *info, *static_cast<const ucontext_t*>(context));
  errno = saved;
  // A fault happens again when the handler returns, and the core dump shows it in its place; a
  // signal that was sent has to be sent again.
  if (info->si_code <= 0 || signal == SIGABRT) raise(signal);
}

}  // namespace

void SetCrashReports(bool on, Server* server) {
  g_server.store(on ? server : nullptr);
  if (!kReports) return;
  // The first call loads a library, which takes memory.
  void* frame = nullptr;
  backtrace(&frame, 1);
  struct sigaction action = {};
  if (on) {
    action.sa_sigaction = OnCrash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  } else {
    action.sa_handler = SIG_DFL;
  }
  for (const int signal : kSignals) sigaction(signal, &action, nullptr);
}

CrashReportsOfThread::CrashReportsOfThread(const LoopState* loop) {
  t_loop = loop;
  if (!kReports) return;
  stack_ = std::make_unique<char[]>(kStackBytes);
  stack_t stack = {};
  stack.ss_sp = stack_.get();
  stack.ss_size = kStackBytes;
  if (sigaltstack(&stack, nullptr) != 0) stack_.reset();
}

CrashReportsOfThread::~CrashReportsOfThread() {
  t_loop = nullptr;
  if (stack_ == nullptr) return;
  stack_t none = {};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
}

}  // namespace spinel
