// node-redis ("redis" on npm) against a server of its own.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { createClient, defineScript, RESP_TYPES, WatchError } from 'redis';
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

  test(name('subscribes to patterns and shards beside channels'), TIMEOUT, async (t) => {
    const publisher = await open(t);
    const subscriber = publisher.duplicate();
    subscriber.on('error', () => {});
    t.after(() => subscriber.destroy());
    await subscriber.connect();
    const heard = [];
    const listener = (kind) => (message, channel) => heard.push([kind, channel, message]);
    await subscriber.pSubscribe('news.*', listener('pattern'));
    await subscriber.subscribe(['news.cat', 'weather'], listener('channel'));
    await subscriber.sSubscribe('news.cat', listener('shard'));
    assert.equal(await publisher.publish('news.cat', 'hello'), 2);
    assert.equal(await publisher.publish('weather', 'sun'), 1);
    assert.equal(await publisher.publish('news.dog', 'hello'), 1);
    assert.equal(await publisher.sPublish('news.cat', 'sharded'), 1);
    await waitUntil(() => heard.length === 5, 'five messages');
    assert.deepEqual(heard, [
      ['channel', 'news.cat', 'hello'], ['pattern', 'news.cat', 'hello'],
      ['channel', 'weather', 'sun'], ['pattern', 'news.dog', 'hello'],
      ['shard', 'news.cat', 'sharded'],
    ]);
    assert.deepEqual((await publisher.pubSubChannels()).sort(), ['news.cat', 'weather']);
    assert.deepEqual({ ...await publisher.pubSubNumSub(['weather', 'x']) }, { weather: 1, x: 0 });
    assert.equal(await publisher.pubSubNumPat(), 1);
    assert.deepEqual(await publisher.pubSubShardChannels(), ['news.cat']);
    await subscriber.pUnsubscribe();
    await subscriber.unsubscribe();
    await subscriber.sUnsubscribe();
    assert.equal(await publisher.publish('news.cat', 'late'), 0);
    assert.equal(await subscriber.get('none'), null);
  });

  test(name('hears binary messages'), TIMEOUT, async (t) => {
    const publisher = await open(t);
    const subscriber = await open(t);
    const message = randomBytes(100_000);
    const heard = [];
    await subscriber.subscribe('raw', (...both) => heard.push(both), true);
    assert.equal(await publisher.publish('raw', message), 1);
    await waitUntil(() => heard.length === 1, 'the message');
    assert.deepEqual(heard, [[message, Buffer.from('raw')]]);
  });

  test(name('hears of changed and expired keys'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const subscriber = await open(t);
    await redis.configSet('notify-keyspace-events', 'Exl');
    const heard = [];
    await subscriber.pSubscribe('__keyevent@*__:*', (key, event) => heard.push([event, key]));
    await redis.set('k', 'v', { expiration: { type: 'PX', value: 30 } });
    await waitUntil(() => heard.length === 1, 'the expiry');
    await redis.rPush('list', 'x');
    await waitUntil(() => heard.length === 2, 'the push');
    assert.deepEqual(heard, [['__keyevent@0__:expired', 'k'], ['__keyevent@0__:rpush', 'list']]);
    await redis.configSet('notify-keyspace-events', '');
  });

  test(name('transactions: all or nothing'), TIMEOUT, async (t) => {
    const redis = await open(t);
    assert.deepEqual(await redis.multi().set('a', '1').incr('a').get('a').exec(), ['OK', 2, '2']);
    const failed = redis.multi().incr('a').lPush('a', 'x').incr('a').exec();
    const { replies, errorIndexes } = await failed.then(assert.fail, (error) => error);
    assert.deepEqual(errorIndexes, [1]);
    assert.match(replies[1].message, /^WRONGTYPE/);
    assert.deepEqual([replies[0], replies[2]], [3, 4]);
    await assert.rejects(redis.multi().incr('a').addCommand(['SET', 'only-a-key']).exec(),
      /EXECABORT|wrong number of arguments/);
    assert.equal(await redis.get('a'), '4');
  });

  test(name('transactions: a watched key that changed'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const other = await open(t);
    await redis.set('balance', '10');
    await redis.watch('balance');
    await other.decrBy('balance', 5);
    await assert.rejects(redis.multi().set('balance', '0').exec(), WatchError);
    assert.equal(await redis.get('balance'), '5');
    await redis.watch('balance');
    assert.deepEqual(await redis.multi().set('balance', '0').exec(), ['OK']);
  });

  test(name('transactions: counters of many clients under WATCH'), TIMEOUT, async (t) => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => open(t)));
    await Promise.all(clients.map(async (redis) => {
      for (let done = 0; done < 25;) {
        await redis.watch('n');
        const n = Number(await redis.get('n'));
        try {
          await redis.multi().set('n', String(n + 1)).exec();
          done += 1;
        } catch (error) {
          if (!(error instanceof WatchError)) throw error;
        }
      }
    }));
    assert.equal(await clients[0].get('n'), '200');
  });

  test(name('scripts: defineScript loads what the server has lost'), TIMEOUT, async (t) => {
    const redis = await open(t, {
      scripts: {
        addUp: defineScript({
          NUMBER_OF_KEYS: 1,
          SCRIPT: 'return redis.call("INCRBY", KEYS[1], ARGV[1]) + tonumber(ARGV[2])',
          parseCommand(parser, key, ...numbers) {
            parser.pushKey(key);
            parser.push(...numbers.map(String));
          },
        }),
      },
    });
    assert.equal(await redis.addUp('a', 1, 10), 11);
    assert.equal(await redis.addUp('a', 1, 10), 12);
    assert.equal(await redis.scriptFlush(), 'OK');
    assert.equal(await redis.addUp('a', 1, 10), 13); // EVALSHA, NOSCRIPT, EVAL
    await redis.scriptFlush();
    assert.deepEqual(await redis.multi().addUp('a', 1, 10).get('a').addUp('a', 1, 10).exec(),
      [14, '4', 15]);
    const sha = await redis.scriptLoad('return {KEYS[1], ARGV[1]}');
    assert.deepEqual(await redis.scriptExists([sha, 'f'.repeat(40)]), [1, 0]);
    assert.deepEqual(await redis.evalSha(sha, { keys: ['k'], arguments: ['v'] }), ['k', 'v']);
    await assert.rejects(redis.evalSha('f'.repeat(40)), /NOSCRIPT No matching script/);
    await assert.rejects(redis.evalRo('return redis.call("DEL", "a")'),
      /Write commands are not allowed from read-only scripts/);
  });

  test(name('functions: a library is loaded, called and listed'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const library = `#!lua name=shop
      redis.register_function('price', function(keys, args)
        return redis.call('HGET', keys[1], args[1]) * 2
      end)
      redis.register_function{function_name='stock', flags={'no-writes'}, callback=function(keys)
        return redis.call('HLEN', keys[1])
      end}`;
    assert.equal(await redis.functionLoad(library, { REPLACE: true }), 'shop');
    await redis.hSet('goods', { apple: 3, pear: 4 });
    assert.equal(await redis.fCall('price', { keys: ['goods'], arguments: ['pear'] }), 8);
    assert.equal(await redis.fCallRo('stock', { keys: ['goods'] }), 2);
    await assert.rejects(redis.fCallRo('price', { keys: ['goods'], arguments: ['pear'] }),
      /Can not execute a script with write flag using \*_ro command/);
    const [listed] = await redis.functionList();
    assert.equal(listed.library_name, 'shop');
    assert.deepEqual(listed.functions.map((entry) => entry.name).sort(), ['price', 'stock']);
    const dump = await redis.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).functionDump();
    assert.equal(await redis.functionDelete('shop'), 'OK');
    assert.equal(await redis.functionRestore(dump), 'OK');
    assert.equal(await redis.fCall('price', { keys: ['goods'], arguments: ['apple'] }), 6);
    await redis.functionFlush();
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
