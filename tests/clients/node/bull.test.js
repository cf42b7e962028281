// Bull, a job queue of lists, sorted sets, scripts and publish/subscribe: every test its own queue.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Bull from 'bull';
import { Server, waitUntil } from './support.js';

const LONG = process.env.SPINEL_TEST_LONG === '1';
const JOBS = LONG ? 10_000 : 1000;
const LARGE = { timeout: LONG ? 300_000 : 90_000 };
const TIMEOUT = { timeout: 30_000 };

let server;
let queues = 0;

before(async () => {
  server = await new Server('--io-threads', '2').start();
});

after(async () => {
  await server.close();
});

/** Opens queues of one name, each with connections of its own; they are closed with the test. */
function opener(t) {
  queues += 1;
  const name = `queue${queues}`;
  return async (options = {}) => {
    const queue = new Bull(name, { redis: { port: server.port }, ...options });
    queue.errors = [];
    queue.on('error', (error) => queue.errors.push(error));
    t.after(async () => {
      await queue.close(true);
      assert.deepEqual(queue.errors, []);
    });
    await queue.isReady();
    return queue;
  };
}

const numbers = (count) => Array.from({ length: count }, (_, i) => i);

const counts = async (queue) => {
  const { waiting, active, completed, failed, delayed, paused } = await queue.getJobCounts();
  return { waiting, active, completed, failed, delayed, paused };
};

const NONE = { waiting: 0, active: 0, completed: 0, failed: 0, delayed: 0, paused: 0 };

test(`Bull: ${JOBS} jobs with retries, delays and priorities run as often as they must`, LARGE,
  async (t) => {
    const open = opener(t);
    const producers = [await open(), await open()];
    const observer = await open();
    const events = { completed: [], failed: [] };
    observer.on('global:completed', (id) => events.completed.push(id));
    observer.on('global:failed', (id) => events.failed.push(id));
    await observer.isReady();

    const runs = new Map();
    const active = new Set();
    let overlaps = 0;
    for (let i = 0; i < 4; i += 1) {
      const worker = await open({ settings: { guardInterval: 200 } });
      worker.process(25, async ({ data }) => {
        if (active.has(data.number)) overlaps += 1;
        active.add(data.number);
        const run = (runs.get(data.number) ?? 0) + 1;
        runs.set(data.number, run);
        await sleep(data.number % 3);
        active.delete(data.number);
        if (run <= data.failures) throw new Error(`fails in run ${run}`);
        return { square: data.number ** 2 };
      });
    }

    // Of 20 jobs five fail once or twice, one always; five are delayed, five have priorities.
    const pattern = [1, 0, 2, 0, 9, 0, 0, 1, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    const failures = (number) => pattern[number % pattern.length];
    const options = (number) => ({
      attempts: 3,
      backoff: { type: number % 2 ? 'fixed' : 'exponential', delay: 10 },
      ...(number % 4 === 1 && { delay: 20 + number % 500 }),
      ...(number % 4 === 3 && { priority: 1 + number % 10 }),
      ...(number % 8 === 2 && { lifo: true }),
    });
    await Promise.all(producers.map(async (producer, part) => {
      const own = numbers(JOBS).filter((number) => number % 2 === part);
      while (own.length > 0) {
        await Promise.all(own.splice(0, 100).map((number) => (
          producer.add({ number, failures: failures(number) }, options(number)))));
      }
    }));

    const hopeless = JOBS / pattern.length;
    await waitUntil(async () => {
      const { completed, failed } = await observer.getJobCounts();
      return completed + failed === JOBS;
    }, 'all jobs', LARGE.timeout - 10_000);

    assert.deepEqual(await counts(observer), { ...NONE,
      completed: JOBS - hopeless, failed: hopeless });
    assert.equal(overlaps, 0);
    assert.equal(runs.size, JOBS);
    for (const [number, run] of runs) assert.equal(run, Math.min(failures(number) + 1, 3));
    await waitUntil(() => events.completed.length + events.failed.length >= JOBS, 'every event');
    assert.equal(new Set(events.completed).size, JOBS - hopeless);
    assert.equal(new Set(events.failed).size, hopeless);
    assert.equal(events.completed.length + events.failed.length, JOBS);
    for (const job of await observer.getCompleted(0, 99)) {
      assert.deepEqual(job.returnvalue, { square: job.data.number ** 2 });
    }
    for (const job of await observer.getFailed()) {
      assert.equal(job.attemptsMade, 3);
      assert.equal(job.failedReason, 'fails in run 3');
      assert.equal(job.stacktrace.length, 3);
    }
  });

test('Bull: priority first, then first come, first served', TIMEOUT, async (t) => {
  const open = opener(t);
  const queue = await open();
  await queue.pause();
  const priorities = numbers(60).map((number) => 1 + (number * 7) % 5);
  for (const [number, priority] of priorities.entries()) await queue.add({ number }, { priority });
  await queue.add({ number: 'plain' });
  await queue.add({ number: 'last in, first out' }, { lifo: true });
  const perPriority = await queue.getCountsPerPriority([1, 2, 3, 4, 5, 6]);
  assert.deepEqual(perPriority, { 1: 12, 2: 12, 3: 12, 4: 12, 5: 12, 6: 0 });
  const order = [];
  queue.process(1, ({ data }) => { order.push(data.number); });
  await queue.resume();
  await waitUntil(() => order.length === 62, 'all jobs');
  const sorted = numbers(60).sort((a, b) => priorities[a] - priorities[b] || a - b);
  assert.deepEqual(order.filter(Number.isInteger), sorted);
  assert.equal(order[0], 'last in, first out');
});

test('Bull: delayed jobs run when their time has come, one may be promoted', TIMEOUT, async (t) => {
  const open = opener(t);
  const queue = await open();
  const worker = await open({ settings: { guardInterval: 100 } });
  const done = [];
  worker.process(5, ({ data }) => { done.push({ ...data, at: Date.now() }); });
  const started = Date.now();
  for (const delay of [600, 200, 400, 0, 300]) await queue.add({ delay }, { delay });
  const far = await queue.add({ delay: 'promoted' }, { delay: 3_600_000 });
  assert.equal(await far.getState(), 'delayed');
  await far.promote();
  await waitUntil(() => done.length === 6, 'all jobs');
  const timed = done.filter(({ delay }) => Number.isInteger(delay));
  assert.deepEqual(timed.map(({ delay }) => delay), [0, 200, 300, 400, 600]);
  for (const { delay, at } of timed) {
    const waited = at - started;
    assert.ok(waited >= delay && waited < delay + 2000, `${delay} ran after ${waited}`);
  }
  assert.ok(done.some(({ delay }) => delay === 'promoted'));
});

test('Bull: a rate limit holds across workers', TIMEOUT, async (t) => {
  const open = opener(t);
  const limiter = { max: 20, duration: 400 };
  const queue = await open({ limiter });
  let done = 0;
  for (let i = 0; i < 3; i += 1) {
    const worker = await open({ limiter, settings: { guardInterval: 100 } });
    worker.process(10, () => { done += 1; });
  }
  const started = Date.now();
  await queue.addBulk(numbers(100).map((number) => ({ data: { number } })));
  await waitUntil(() => done === 100, 'all jobs', 20_000);
  assert.ok(Date.now() - started >= 4 * limiter.duration, `${Date.now() - started} ms`);
  await waitUntil(async () => (await queue.getJobCounts()).active === 0, 'their end');
  assert.equal((await queue.getJobCounts()).completed, 100);
});

test('Bull: nothing runs while a queue is paused', TIMEOUT, async (t) => {
  const open = opener(t);
  const queue = await open();
  const worker = await open();
  const heard = [];
  worker.on('global:paused', () => heard.push('paused'));
  worker.on('global:resumed', () => heard.push('resumed'));
  let done = 0;
  worker.process(5, () => { done += 1; });
  await queue.add({});
  await waitUntil(() => done === 1, 'the first job');
  await queue.pause();
  assert.ok(await worker.isPaused());
  await queue.addBulk(numbers(20).map((number) => ({ data: { number } })));
  await sleep(300);
  assert.equal(done, 1);
  assert.deepEqual(await counts(queue), { ...NONE, paused: 20, completed: 1 });
  await queue.resume();
  await waitUntil(() => done === 21, 'the paused jobs');
  await waitUntil(() => heard.length === 2, 'both events');
  assert.deepEqual(heard, ['paused', 'resumed']);

  await worker.pause(true); // this worker only
  await queue.add({});
  await sleep(200);
  assert.equal(done, 21);
  await worker.resume(true);
  await waitUntil(() => done === 22, 'the last job');
});

test('Bull: a job whose worker has gone runs again, once', TIMEOUT, async (t) => {
  const open = opener(t);
  const settings = { lockDuration: 300, stalledInterval: 200, maxStalledCount: 1 };
  const lost = await open({ settings });
  await lost.add({ number: 7 });
  const taken = await lost.getNextJob(); // and nothing more: no one renews its lock
  assert.equal(taken.data.number, 7);
  assert.equal(await taken.getState(), 'active');
  const worker = await open({ settings });
  const stalled = [];
  const runs = [];
  worker.on('global:stalled', (id) => stalled.push(id));
  worker.process(({ data }) => { runs.push(data.number); });
  await waitUntil(() => runs.length > 0, 'the job to be found', 15_000);
  await waitUntil(async () => (await worker.getJobCounts()).completed === 1, 'its end');
  await sleep(500);
  assert.deepEqual(runs, [7]);
  assert.deepEqual(stalled, [taken.id]);
  await assert.rejects(taken.moveToCompleted('late'), /Missing lock|not in the active state/);
});

test('Bull: locks are taken, extended and released by their owner only', TIMEOUT, async (t) => {
  const open = opener(t);
  const queue = await open({ settings: { lockDuration: 5000 } });
  const job = await queue.add({});
  const other = await (await open()).getJob(job.id);
  assert.ok(await job.takeLock());
  assert.equal(await other.takeLock(), false);
  assert.ok(await job.extendLock(60_000));
  assert.ok(await queue.client.pttl(job.lockKey()) > 50_000);
  await assert.rejects(other.releaseLock(), /Could not release lock/);
  await job.releaseLock();
  assert.equal(await queue.client.exists(job.lockKey()), 0);
});

test('Bull: results, progress, logs, failures reach other queues', TIMEOUT, async (t) => {
  const open = opener(t);
  const queue = await open();
  const worker = await open();
  const progress = [];
  queue.on('global:progress', (id, value) => progress.push(value));
  worker.process('add', async (job) => {
    await job.log('first');
    await job.progress(50);
    await job.log('second');
    return job.data.a + job.data.b;
  });
  worker.process('fail', () => { throw new Error('no luck'); });
  const sum = await queue.add('add', { a: 3, b: 4 });
  assert.equal(await sum.finished(), 7);
  assert.deepEqual(await queue.getJobLogs(sum.id), { logs: ['first', 'second'], count: 2 });
  await waitUntil(() => progress.length === 1, 'the progress');
  assert.deepEqual(progress, [50]);
  const failing = await queue.add('fail', {});
  await assert.rejects(failing.finished(), /no luck/);
  const failed = await queue.getJob(failing.id);
  assert.equal(await failed.getState(), 'failed');
  await failed.retry();
  await waitUntil(async () => (await queue.getJob(failing.id)).failedReason === 'no luck'
    && await failed.isFailed(), 'the second failure');
  await failed.update({ changed: true });
  assert.deepEqual((await queue.getJob(failing.id)).data, { changed: true });
});

test('Bull: own ids, removal, cleaning, obliteration', TIMEOUT, async (t) => {
  const open = opener(t);
  const queue = await open();
  const done = [];
  await queue.add({ from: 'first' }, { jobId: 'same' });
  await queue.add({ from: 'second' }, { jobId: 'same' });
  assert.equal(await queue.count(), 1);
  queue.process(10, ({ data }) => { done.push(data); });
  await waitUntil(() => done.length === 1, 'the job');
  assert.deepEqual(done, [{ from: 'first' }]);
  await queue.addBulk(numbers(50).map((number) => (
    { data: { number }, opts: { jobId: `gone:${number}`, removeOnComplete: true } })));
  await queue.addBulk(numbers(50).map((number) => (
    { data: { number }, opts: { jobId: `kept:${number}`, removeOnComplete: 51 } })));
  await waitUntil(() => done.length === 101, 'all jobs');
  await waitUntil(async () => (await queue.getJobCounts()).active === 0, 'their end');
  assert.equal(await queue.getJob('gone:7'), null);
  assert.equal((await queue.getJob('kept:7')).data.number, 7);
  assert.equal(await queue.getCompletedCount(), 51);
  assert.equal((await queue.clean(0, 'completed', 10)).length, 10);
  assert.equal(await queue.getCompletedCount(), 41);
  await queue.pause();
  await queue.addBulk(numbers(30).map((number) => (
    { data: {}, opts: { jobId: `rest:${number}` } })));
  await queue.removeJobs('rest:1*');
  assert.equal(await queue.getPausedCount(), 19);
  await queue.empty();
  assert.equal(await queue.count(), 0);
  await queue.pause(); // to empty a queue resumes it
  await queue.add({});
  await queue.obliterate({ force: true });
  assert.deepEqual(await queue.client.keys(`${queue.toKey('')}*`), []);
});

test('Bull: repeated jobs come round until their limit', TIMEOUT, async (t) => {
  const open = opener(t);
  const queue = await open({ settings: { guardInterval: 100 } });
  const runs = [];
  queue.process('tick', () => { runs.push(Date.now()); });
  await queue.add('tick', {}, { repeat: { every: 100, limit: 4 } });
  await queue.add('never', {}, { repeat: { cron: '0 0 1 1 *' } });
  const names = async () => (await queue.getRepeatableJobs()).map(({ name }) => name).sort();
  assert.deepEqual(await names(), ['never', 'tick']);
  await waitUntil(() => runs.length === 4, 'four runs');
  await sleep(300);
  assert.equal(runs.length, 4);
  await queue.removeRepeatable('never', { cron: '0 0 1 1 *' });
  assert.ok(!(await names()).includes('never'));
});

test('Bull: many processes are counted as workers', TIMEOUT, async (t) => {
  const open = opener(t);
  const workers = [await open(), await open(), await open()];
  workers.forEach((worker) => { worker.process(() => {}); });
  await waitUntil(async () => (await workers[0].getWorkers()).length === 3, 'three names');
});
