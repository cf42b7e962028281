// A job queue as Sidekiq keeps one on Redis, with ioredis: queues in lists, their names in a set,
// scheduled and failed jobs in sorted sets, statistics in counters and hashes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Redis from 'ioredis';
import { Server } from './support.js';

const TIMEOUT = { timeout: 60_000 };

let server;

before(async () => {
  server = await new Server('--io-threads', '2').start();
});

after(async () => {
  await server.close();
});

function connect(t) {
  const redis = new Redis({ port: server.port });
  t.after(() => redis.disconnect());
  return redis;
}

async function enqueue(redis, queue, job) {
  await redis.pipeline().sadd('queues', queue).lpush(`queue:${queue}`, JSON.stringify(job)).exec();
}

/** Moves jobs whose time has come from a sorted set to their queues, as Sidekiq's poller does. */
async function poll(redis, set, now) {
  let moved = 0;
  for (;;) {
    const due = await redis.zrange(set, '-inf', now, 'BYSCORE', 'LIMIT', 0, 1);
    if (due.length === 0) return moved;
    if ((await redis.zrem(set, due[0])) === 0) continue; // another poller had it
    const job = JSON.parse(due[0]);
    await enqueue(redis, job.queue, job);
    ++moved;
  }
}

test('Sidekiq style: jobs run once, failed ones again, statistics add up', TIMEOUT, async (t) => {
  const redis = connect(t);
  const second = connect(t);
  await redis.flushall();
  const jobs = 2000;
  const done = new Map();
  let stopping = false;

  async function process(number) {
    const own = connect(t);
    const state = `worker:${number}`;
    await own.sadd('processes', state);
    while (!stopping) {
      const taken = await own.brpop('queue:critical', 'queue:default', 'queue:low', 1);
      if (taken === null) continue;
      const job = JSON.parse(taken[1]);
      await own.hset(`${state}:work`, 'jid', job.jid, 'queue', job.queue);
      if (job.jid % 10 === 0 && job.retries === 0) {
        job.retries = 1;
        await own.zadd('retry', Date.now() / 1000, JSON.stringify(job));
        await own.incr('stat:failed');
      } else {
        done.set(job.jid, (done.get(job.jid) ?? 0) + 1);
        await own.incr('stat:processed');
      }
      await own.hdel(`${state}:work`, 'jid', 'queue');
    }
    await own.srem('processes', state);
  }

  const workers = Array.from({ length: 10 }, (_, number) => process(number));
  const names = ['critical', 'default', 'low'];
  const soon = Date.now() / 1000 + 0.2;
  for (let jid = 0; jid < jobs; ++jid) {
    const job = { jid, queue: names[jid % 3], retries: 0 };
    if (jid % 4 === 0) {
      await redis.zadd('schedule', soon + jid / 10_000, JSON.stringify(job));
    } else {
      await enqueue(redis, job.queue, job);
    }
  }
  while (done.size < jobs) {
    // Two pollers race for the same jobs.
    const now = Date.now() / 1000;
    await Promise.all([poll(redis, 'schedule', now), poll(second, 'schedule', now)]);
    await poll(redis, 'retry', now + 10);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  stopping = true;
  await Promise.all(workers);

  assert.equal(done.size, jobs);
  assert.ok([...done.values()].every((times) => times === 1));
  assert.equal(await redis.get('stat:processed'), String(jobs));
  assert.equal(await redis.get('stat:failed'), String(jobs / 10));
  assert.deepEqual((await redis.smembers('queues')).sort(), names);
  assert.equal(await redis.scard('processes'), 0);
  assert.equal(await redis.exists('schedule', 'retry', ...names.map((n) => `queue:${n}`)), 0);
});

test('Sidekiq style: the web page reads queues, sizes and ages', TIMEOUT, async (t) => {
  const redis = connect(t);
  await redis.flushall();
  for (let jid = 0; jid < 30; ++jid) await enqueue(redis, 'default', { jid, at: jid });
  assert.equal(await redis.llen('queue:default'), 30);
  assert.equal(JSON.parse((await redis.lrange('queue:default', -1, -1))[0]).jid, 0);
  const page = (await redis.lrange('queue:default', 5, 9)).map((job) => JSON.parse(job).jid);
  assert.deepEqual(page, [24, 23, 22, 21, 20]);
  await redis.lrem('queue:default', 1, JSON.stringify({ jid: 7, at: 7 }));
  assert.equal(await redis.llen('queue:default'), 29);
  for (let jid = 0; jid < 300; ++jid) await redis.zadd('dead', jid, `job:${jid}`);
  await redis.zremrangebyscore('dead', '-inf', 99);
  await redis.zremrangebyrank('dead', 0, -101);
  assert.equal(await redis.zcard('dead'), 100);
  const seen = new Set();
  let cursor = '0';
  do {
    const [next, found] = await redis.zscan('dead', cursor, 'MATCH', 'job:2*', 'COUNT', 20);
    for (let i = 0; i < found.length; i += 2) seen.add(found[i]);
    cursor = next;
  } while (cursor !== '0');
  assert.equal(seen.size, 100);
});
