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
  Run([entry] { Entry::Delete(entry); }, 1);
}

void Reclaimer::Release(Blob* blob) {
  // Whoever else has a reference may be the last instead; then it frees where it is.
  if (blob->IsBig() && blob->unique()) {
    Run([blob] { blob->Release(); }, 1);
  } else {
    blob->Release();
  }
}

void Reclaimer::Run(std::function<void()> work, uint64_t objects) {
  pending_.fetch_add(objects, std::memory_order_relaxed);
  MutexLock lock(&mutex_);
  queue_.push_back({std::move(work), objects});
  changed_.NotifyAll();
  if (!thread_.joinable()) thread_ = std::thread([this] { Loop(); });
}

void Reclaimer::Drain() {
  MutexLock lock(&mutex_);
  while (busy_ || !queue_.empty()) changed_.Wait(&mutex_);
}

void Reclaimer::Loop() {
  // Work comes from a loop that holds a lock: waking up must not take its CPU away.
  const sched_param no_priority{};
  pthread_setschedparam(pthread_self(), SCHED_BATCH, &no_priority);
  for (;;) {
    std::vector<Job> jobs;
    {
      MutexLock lock(&mutex_);
      busy_ = false;
      changed_.NotifyAll();
      while (!stop_ && queue_.empty()) changed_.Wait(&mutex_);
      if (queue_.empty()) return;
      jobs.swap(queue_);
      busy_ = true;
    }
    for (Job& job : jobs) {
      job.work();
      job.work = nullptr;  // what it captured goes now, before it is counted
      pending_.fetch_sub(job.objects, std::memory_order_relaxed);
      freed_.fetch_add(job.objects, std::memory_order_relaxed);
    }
  }
}

}  // namespace spinel
