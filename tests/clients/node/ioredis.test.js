// ioredis against a server of its own: strings, expiry, pipelines, scanning, pub/sub, reconnecting.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import Redis from 'ioredis';
import { Server, waitUntil, within } from './support.js';

const PASSWORD = 's3cret';
const PROTOCOLS = [2, 3];
const TIMEOUT = { timeout: 30_000 };

let server;
let guarded; // requires a password

before(async () => {
  server = await new Server().start();
  guarded = await new Server('--requirepass', PASSWORD).start();
});

after(async () => {
  await server.close();
  await guarded.close();
});

/** A connected client on an empty keyspace, closed when the test ends. */
async function client(t, options = {}) {
  const redis = new Redis({ port: server.port, lazyConnect: true, ...options });
  t.after(() => redis.disconnect());
  await redis.connect();
  await redis.flushall();
  return redis;
}

for (const protocol of PROTOCOLS) {
  const name = (what) => `ioredis, RESP${protocol}: ${what}`;
  const open = (t, options) => client(t, { protocol, ...options });

  test(name('strings'), TIMEOUT, async (t) => {
    const redis = await open(t);
    assert.equal(await redis.set('k', 'v'), 'OK');
    assert.equal(await redis.get('k'), 'v');
    assert.equal(await redis.get('none'), null);
    assert.equal(await redis.set('k', 'w', 'NX'), null);
    assert.equal(await redis.set('k', 'w', 'XX', 'GET'), 'v');
    assert.equal(await redis.incrby('n', 5), 5);
    assert.equal(await redis.incrbyfloat('n', 0.5), '5.5');
    assert.equal(await redis.mset({ a: '1', b: '2' }), 'OK');
    assert.deepEqual(await redis.mget('a', 'none', 'b'), ['1', null, '2']);
    assert.equal(await redis.append('a', '23'), 3);
    assert.equal(await redis.getdel('a'), '123');
    assert.equal(await redis.unlink('b', 'none'), 1);
  });

  test(name('binary keys and values'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const key = randomBytes(64);
    const value = randomBytes(1 << 20);
    await redis.set(key, value);
    assert.deepEqual(await redis.getBuffer(key), value);
  });

  test(name('expiry'), TIMEOUT, async (t) => {
    const redis = await open(t);
    await redis.set('k', 'v', 'EX', 100);
    assert.ok([99, 100].includes(await redis.ttl('k')));
    assert.equal(await redis.pexpire('k', 200_000), 1);
    assert.ok(await redis.pttl('k') > 190_000);
    assert.equal(await redis.persist('k'), 1);
    assert.equal(await redis.ttl('k'), -1);
    assert.equal(await redis.ttl('none'), -2);
    await redis.psetex('short', 30, 'v');
    await waitUntil(async () => await redis.exists('short') === 0, '30 ms to pass');
  });

  test(name('a pipeline answers in order, errors in their place'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const pipeline = redis.pipeline();
    for (let i = 0; i < 10_000; i += 1) pipeline.set(`k${i}`, i).get(`k${i}`);
    pipeline.set('text', 'x').incr('text').get('text');
    const replies = await pipeline.exec();
    assert.equal(replies.length, 20_003);
    for (let i = 0; i < 10_000; i += 1) {
      assert.deepEqual(replies[2 * i], [null, 'OK']);
      assert.deepEqual(replies[2 * i + 1], [null, String(i)]);
    }
    assert.match(replies[20_001][0].message, /not an integer/);
    assert.deepEqual(replies[20_002], [null, 'x']);
  });

  test(name('auto-pipelining'), TIMEOUT, async (t) => {
    const redis = await open(t, { enableAutoPipelining: true });
    const counts = await Promise.all(Array.from({ length: 1000 }, () => redis.incr('n')));
    assert.deepEqual(counts, Array.from({ length: 1000 }, (_, i) => i + 1));
  });

  test(name('scanStream'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const names = Array.from({ length: 2000 }, (_, i) => `user:${i}`);
    await redis.mset(...names.flatMap((key) => [key, '1']), 'other', '1');
    const found = new Set();
    for await (const keys of redis.scanStream({ match: 'user:*', count: 100 })) {
      keys.forEach((key) => found.add(key));
    }
    assert.deepEqual([...found].sort(), names.sort());
  });

  test(name('subscribe and publish'), TIMEOUT, async (t) => {
    const publisher = await open(t);
    const subscriber = await open(t);
    const messages = [];
    subscriber.on('message', (channel, message) => messages.push([channel, message]));
    assert.equal(await subscriber.subscribe('news', 'weather'), 2);
    assert.equal(await publisher.publish('news', 'one'), 1);
    assert.equal(await publisher.publish('weather', 'sun'), 1);
    await waitUntil(() => messages.length === 2, 'two messages');
    assert.deepEqual(messages, [['news', 'one'], ['weather', 'sun']]);
    assert.equal(await subscriber.unsubscribe('news'), 1);
    assert.equal(await publisher.publish('news', 'two'), 0);
    assert.equal(await subscriber.unsubscribe(), 0);
    assert.equal(await subscriber.get('none'), null);
  });

  test(name('reconnects after a restart'), TIMEOUT, async (t) => {
    const redis = await open(t, { retryStrategy: () => 50 });
    redis.on('error', () => {});
    const subscriber = await open(t, { retryStrategy: () => 50 });
    subscriber.on('error', () => {});
    await subscriber.subscribe('news');
    await redis.set('k', 'v');
    await server.restart();
    assert.equal(await within(redis.get('k')), null);
    assert.equal(await redis.set('k', 'again'), 'OK');
    await waitUntil(() => redis.publish('news', 'x'), 'the subscription to come back');
  });

  test(name('password: right, wrong, none'), TIMEOUT, async (t) => {
    const connect = async (options) => {
      const redis = new Redis({ port: guarded.port, protocol, lazyConnect: true,
        retryStrategy: null, ...options });
      const errors = [];
      redis.on('error', (error) => errors.push(error.message));
      t.after(() => redis.disconnect());
      try {
        await within(redis.connect());
        return await within(redis.ping());
      } catch (error) {
        return [error.message, ...errors].join('\n');
      }
    };
    assert.equal(await connect({ password: PASSWORD }), 'PONG');
    assert.equal(await connect({ username: 'default', password: PASSWORD }), 'PONG');
    assert.match(await connect({ password: 'wrong' }), /WRONGPASS|NOAUTH/);
    assert.match(await connect({}), /NOAUTH/);
  });

  test(name('unix socket'), TIMEOUT, async (t) => {
    const redis = await open(t, { path: server.socket });
    assert.equal(await redis.set('k', 'v'), 'OK');
    assert.match(await redis.client('INFO'), /addr=.*server\.sock:0/);
  });
}
