// node-redis ("redis" on npm) against a server of its own.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createClient, RESP_TYPES } from 'redis';
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

/** A connected client, closed when the test ends. */
async function connect(t, options) {
  const redis = createClient(options);
  redis.on('error', () => {}); // reported by the commands; without a listener it would be thrown
  t.after(() => redis.destroy());
  return within(redis.connect());
}

for (const RESP of PROTOCOLS) {
  const name = (what) => `node-redis, RESP${RESP}: ${what}`;
  const open = async (t, options = {}) => {
    const redis = await connect(t, { RESP, socket: { port: server.port, reconnectStrategy: 50 },
      ...options });
    await redis.flushAll();
    return redis;
  };

  test(name('strings'), TIMEOUT, async (t) => {
    const redis = await open(t);
    assert.equal(await redis.set('k', 'v'), 'OK');
    assert.equal(await redis.get('k'), 'v');
    assert.equal(await redis.get('none'), null);
    assert.equal(await redis.set('k', 'w', { condition: 'NX' }), null);
    assert.equal(await redis.set('k', 'w', { condition: 'XX', GET: true }), 'v');
    assert.equal(await redis.incrBy('n', 5), 5);
    assert.equal(await redis.mSet([['a', '1'], ['b', '2']]), 'OK');
    assert.deepEqual(await redis.mGet(['a', 'none', 'b']), ['1', null, '2']);
    assert.equal(await redis.getDel('a'), '1');
    assert.equal(await redis.unlink(['b', 'none']), 1);
    await assert.rejects(redis.incr('k'), /value is not an integer or out of range/);
  });

  test(name('binary values'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const value = randomBytes(1 << 20);
    await redis.set('k', value);
    const buffers = redis.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    assert.deepEqual(await buffers.get('k'), value);
  });

  test(name('expiry'), TIMEOUT, async (t) => {
    const redis = await open(t);
    await redis.set('k', 'v', { expiration: { type: 'EX', value: 100 } });
    assert.ok([99, 100].includes(await redis.ttl('k')));
    assert.equal(await redis.set('k', 'w', { expiration: 'KEEPTTL' }), 'OK');
    assert.ok(await redis.ttl('k') > 90);
    assert.equal(await redis.expire('k', 50, 'GT'), 0);
    assert.equal(await redis.persist('k'), 1);
    assert.equal(await redis.ttl('k'), -1);
    await redis.pSetEx('short', 30, 'v');
    await waitUntil(async () => await redis.exists('short') === 0, '30 ms to pass');
  });

  test(name('commands of one tick are pipelined and answered in order'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const replies = await Promise.all(Array.from({ length: 10_000 }, (_, i) => (
      i % 2 ? redis.get(`k${i - 1}`) : redis.set(`k${i}`, String(i)))));
    replies.forEach((reply, i) => assert.equal(reply, i % 2 ? String(i - 1) : 'OK'));
  });

  test(name('scanIterator'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const names = Array.from({ length: 2000 }, (_, i) => `user:${i}`);
    await redis.mSet([...names, 'other'].map((key) => [key, '1']));
    const found = new Set();
    for await (const keys of redis.scanIterator({ MATCH: 'user:*', COUNT: 100 })) {
      keys.forEach((key) => found.add(key));
    }
    assert.deepEqual([...found].sort(), names.sort());
  });

  test(name('subscribe and publish'), TIMEOUT, async (t) => {
    const publisher = await open(t);
    const subscriber = await open(t);
    const messages = [];
    await subscriber.subscribe('news', (message, channel) => messages.push([channel, message]));
    assert.equal(await publisher.publish('news', 'one'), 1);
    await waitUntil(() => messages.length === 1, 'the message');
    assert.deepEqual(messages, [['news', 'one']]);
    await subscriber.unsubscribe('news');
    assert.equal(await publisher.publish('news', 'two'), 0);
    assert.equal(await subscriber.get('none'), null);
  });

  test(name('reconnects after a restart'), TIMEOUT, async (t) => {
    const redis = await open(t);
    await redis.set('k', 'v');
    await server.restart();
    await waitUntil(() => redis.set('k', 'again').catch(() => false), 'the client to come back');
    assert.equal(await redis.get('k'), 'again');
  });

  test(name('database, client name and INFO'), TIMEOUT, async (t) => {
    const redis = await open(t, { database: 2, name: 'worker' });
    assert.equal(await redis.clientGetName(), 'worker');
    assert.equal((await redis.clientInfo()).db, 2);
    assert.match(await redis.info('server'), /redis_mode:standalone/);
    assert.deepEqual({ ...await redis.configGet('databases') }, { databases: '16' });
  });

  test(name('password: right, wrong, none'), TIMEOUT, async (t) => {
    const socket = { port: guarded.port, reconnectStrategy: false };
    const ping = async (credentials) => (await connect(t, { RESP, socket, ...credentials })).ping();
    assert.equal(await ping({ password: PASSWORD }), 'PONG');
    assert.equal(await ping({ username: 'default', password: PASSWORD }), 'PONG');
    await assert.rejects(ping({ password: 'wrong' }), /WRONGPASS/);
    await assert.rejects(ping({}), /NOAUTH/);
  });

  test(name('unix socket'), TIMEOUT, async (t) => {
    const redis = await open(t, { socket: { path: server.socket } });
    assert.equal(await redis.set('k', 'v'), 'OK');
    assert.equal(await redis.get('k'), 'v');
  });
}
