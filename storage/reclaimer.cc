#include "storage/reclaimer.h"

#include <pthread.h>
#include <sched.h>

#include <utility>

#include "storage/blob.h"
#include "storage/entry.h"

namespace spinel {

Reclaimer::~Reclaimer() {
  std::thread thread;
  {
    MutexLock lock(&mutex_);
    stop_ = true;
    changed_.NotifyAll();
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

void Reclaimer::Free(Entry* entry) {
  Queue({[entry] { Entry::Delete(entry); }, 1, entry->MemoryBytes(), !entry->is_object()});
}

void Reclaimer::Release(Blob* blob) {
  // Whoever else has a reference may be the last instead; then it frees where it is.
  if (blob->IsSlowToFree() && blob->unique()) {
    Queue({[blob] { blob->Release(); }, 1, blob->MemoryBytes(), /*brief=*/true});
  } else {
    blob->Release();
  }
}

void Reclaimer::Run(std::function<void()> work, uint64_t objects) {
  Queue({std::move(work), objects, /*bytes=*/0, /*brief=*/false});
}

void Reclaimer::Queue(Job job) {
  pending_.fetch_add(job.objects, std::memory_order_relaxed);
  bytes_queued_.fetch_add(static_cast<int64_t>(job.bytes), std::memory_order_relaxed);
  MutexLock lock(&mutex_);
  queue_.push_back(std::move(job));
  changed_.NotifyAll();
  if (!thread_.joinable()) thread_ = std::thread([this] { Loop(); });
}

void Reclaimer::Drain() {
  MutexLock lock(&mutex_);
  while (busy_ > 0 || !queue_.empty()) changed_.Wait(&mutex_);
}

Reclaimer::Job Reclaimer::TakeJob() {
  Job job = std::move(queue_.front());
  queue_.pop_front();
  ++busy_;
  return job;
}

void Reclaimer::Do(Job job) {
  job.work();
  job.work = nullptr;  // what it captured goes now, before it is counted
  pending_.fetch_sub(job.objects, std::memory_order_relaxed);
  freed_.fetch_add(job.objects, std::memory_order_relaxed);
  bytes_freed_.fetch_add(static_cast<int64_t>(job.bytes), std::memory_order_relaxed);
  MutexLock lock(&mutex_);
  --busy_;
  if (busy_ == 0 && queue_.empty()) changed_.NotifyAll();
}

bool Reclaimer::Help() {
  Job job;
  {
    MutexLock lock(&mutex_);
    if (queue_.empty() || !queue_.front().brief) return false;
    job = TakeJob();
  }
  Do(std::move(job));
  return true;
}

void Reclaimer::Loop() {
  // Work comes from a loop that holds a lock: waking up must not take its CPU away.
  const sched_param no_priority{};
  pthread_setschedparam(pthread_self(), SCHED_BATCH, &no_priority);
  for (;;) {
    Job job;
    {
      MutexLock lock(&mutex_);
      while (!stop_ && queue_.empty()) changed_.Wait(&mutex_);
      if (queue_.empty()) return;
      job = TakeJob();
    }
    Do(std::move(job));
  }
}

}  // namespace spinel
