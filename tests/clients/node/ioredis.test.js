// ioredis against a server of its own: strings, expiry, pipelines, scanning, publish/subscribe,
// transactions, scripts, reconnecting.
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

  test(name('subscribes to patterns and shards beside channels'), TIMEOUT, async (t) => {
    const publisher = await open(t);
    const subscriber = publisher.duplicate();
    t.after(() => subscriber.disconnect());
    const heard = [];
    subscriber.on('message', (...message) => heard.push(message));
    subscriber.on('pmessage', (...message) => heard.push(message));
    subscriber.on('smessage', (...message) => heard.push(message));
    assert.equal(await subscriber.psubscribe('news.*', '*.[a-c]?t'), 2);
    assert.equal(await subscriber.subscribe('news.cat'), 3);
    assert.equal(await subscriber.ssubscribe('news.cat'), 1);
    assert.equal(await publisher.publish('news.cat', 'hello'), 3);
    assert.equal(await publisher.publish('news.dog', 'hello'), 1);
    assert.equal(await publisher.publish('none', 'hello'), 0);
    assert.equal(await publisher.spublish('news.cat', 'sharded'), 1);
    await waitUntil(() => heard.length === 5, 'five messages');
    assert.deepEqual(heard[0], ['news.cat', 'hello']);
    assert.deepEqual(heard.slice(1, 3).sort(), // patterns have no order among them
      [['*.[a-c]?t', 'news.cat', 'hello'], ['news.*', 'news.cat', 'hello']]);
    assert.deepEqual(heard.slice(3), [['news.*', 'news.dog', 'hello'], ['news.cat', 'sharded']]);
    assert.deepEqual(await publisher.pubsub('CHANNELS'), ['news.cat']);
    assert.deepEqual(await publisher.pubsub('NUMSUB', 'news.cat', 'x'), ['news.cat', 1, 'x', 0]);
    assert.equal(await publisher.pubsub('NUMPAT'), 2);
    assert.deepEqual(await publisher.pubsub('SHARDCHANNELS', 'news*'), ['news.cat']);
    assert.equal(await subscriber.punsubscribe('news.*'), 2);
    assert.equal(await subscriber.unsubscribe('news.cat'), 1);
    assert.equal(await subscriber.punsubscribe(), 0);
    assert.equal(await subscriber.sunsubscribe(), 0);
    assert.equal(await publisher.publish('news.cat', 'late'), 0);
    assert.equal(await publisher.spublish('news.cat', 'late'), 0);
  });

  test(name('hears binary channels and messages'), TIMEOUT, async (t) => {
    const publisher = await open(t);
    const subscriber = await open(t);
    const channel = randomBytes(20);
    const message = randomBytes(100_000);
    const heard = new Promise((resolve) => {
      subscriber.on('messageBuffer', (...both) => resolve(both));
    });
    await subscriber.subscribe(channel);
    assert.equal(await publisher.publish(channel, message), 1);
    assert.deepEqual(await within(heard), [channel, message]);
  });

  test(name('hears of changed and expired keys'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const subscriber = await open(t);
    await redis.config('SET', 'notify-keyspace-events', 'KEA');
    const heard = [];
    subscriber.on('pmessage', (_, ...message) => heard.push(message.join(' ')));
    await subscriber.psubscribe('__key*@0__:*');
    await redis.set('k', 'v', 'PX', 30);
    await waitUntil(() => heard.length >= 6, 'six events');
    assert.deepEqual(heard, [
      '__keyspace@0__:k set', '__keyevent@0__:set k', '__keyspace@0__:k expire',
      '__keyevent@0__:expire k', '__keyspace@0__:k expired', '__keyevent@0__:expired k']);
    await redis.config('SET', 'notify-keyspace-events', '');
  });

  test(name('subscribers and blocked clients wait beside each other'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const waiting = redis.duplicate();
    const listening = redis.duplicate();
    t.after(() => { waiting.disconnect(); listening.disconnect(); });
    const heard = [];
    listening.on('message', (channel, message) => heard.push(message));
    await listening.subscribe('done');
    const rounds = 200;
    const worker = (async () => {
      for (let i = 0; i < rounds; i += 1) {
        const [, job] = await waiting.brpop('jobs', 10);
        await redis.publish('done', job);
      }
    })();
    for (let i = 0; i < rounds; i += 1) await redis.lpush('jobs', i);
    await within(worker);
    await waitUntil(() => heard.length === rounds, 'all messages');
    assert.deepEqual(heard.map(Number), Array.from({ length: rounds }, (_, i) => i));
  });

  test(name('transactions: all or nothing'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const replies = await redis.multi().set('a', '1').incr('a').lpush('a', 'x').get('a').exec();
    assert.deepEqual(replies.slice(0, 2), [[null, 'OK'], [null, 2]]);
    assert.match(replies[2][0].message, /^WRONGTYPE/);
    assert.deepEqual(replies[3], [null, '2']);
    const refused = redis.multi().set('a', '9').call('SET', 'only-a-key').exec();
    await assert.rejects(refused, /EXECABORT Transaction discarded because of previous errors/);
    assert.equal(await redis.get('a'), '2');
    assert.equal(await redis.multi({ pipeline: false }), 'OK');
    assert.equal(await redis.incr('a'), 'QUEUED');
    assert.equal(await redis.discard(), 'OK');
    assert.equal(await redis.get('a'), '2');
    const inOne = await redis.pipeline([['get', 'a'], ['multi'], ['incr', 'a'], ['incr', 'a'],
      ['exec'], ['get', 'a']]).exec();
    assert.deepEqual(inOne.at(-2), [null, [3, 4]]);
    assert.deepEqual(inOne.at(-1), [null, '4']);
  });

  test(name('transactions: a watched key that changed'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const other = await open(t);
    await redis.set('balance', '10');
    await redis.watch('balance');
    await other.decrby('balance', 5);
    assert.equal(await redis.multi().set('balance', '0').exec(), null);
    assert.equal(await redis.get('balance'), '5');
    await redis.watch('balance');
    await other.set('balance', '5');
    await redis.unwatch();
    assert.deepEqual(await redis.multi().set('balance', '0').exec(), [[null, 'OK']]);
  });

  test(name('transactions: counters of many clients under WATCH'), TIMEOUT, async (t) => {
    const first = await open(t);
    const clients = Array.from({ length: 8 }, () => first.duplicate());
    t.after(() => clients.forEach((redis) => redis.disconnect()));
    let conflicts = 0;
    await Promise.all(clients.map(async (redis) => {
      for (let done = 0; done < 25;) {
        await redis.watch('n');
        const n = Number(await redis.get('n'));
        if (await redis.multi().set('n', n + 1).exec()) done += 1;
        else conflicts += 1;
      }
    }));
    assert.equal(await first.get('n'), '200');
    t.diagnostic(`${conflicts} conflicts`);
  });

  test(name('scripts: values go in and come out'), TIMEOUT, async (t) => {
    const redis = await open(t);
    const run = (body, ...args) => redis.eval(body, 0, ...args);
    assert.equal(await run('return 3.99'), 3);
    assert.equal(await run('return true'), 1);
    assert.equal(await run('return false'), null);
    assert.equal(await run('return ARGV[1] .. "!"', 'text'), 'text!');
    assert.deepEqual(await run('return {1, {2, "x", {}}, false, 4, nil, 5}'),
      [1, [2, 'x', []], null, 4]);
    assert.equal(await run('return {ok = "FINE"}'), 'FINE');
    await assert.rejects(run('return redis.error_reply("MY error")'), /^ReplyError: MY error$/);
    await assert.rejects(run('return redis.call("INCR")'), /Wrong number of args/i);
    await assert.rejects(run('nonsense'), /Error compiling script/);
    assert.equal(await redis.eval_ro('return redis.call("GET", KEYS[1])', 1, 'none'), null);
    await assert.rejects(redis.eval_ro('return redis.call("SET", KEYS[1], 1)', 1, 'k'),
      /Write commands are not allowed from read-only scripts/);
    const packed = await redis.evalBuffer(
      'return cmsgpack.pack(cjson.decode(ARGV[1]))', 0, '{"a":[1,2,{"b":null}]}');
    assert.deepEqual(packed, Buffer.from('81a161930102' + '81a162c0', 'hex'));
  });

  test(name('scripts: defineCommand loads what the server has lost'), TIMEOUT, async (t) => {
    const redis = await open(t);
    redis.defineCommand('addUp', {
      numberOfKeys: 2,
      lua: 'return redis.call("INCRBY", KEYS[1], ARGV[1]) + redis.call("INCRBY", KEYS[2], ARGV[2])',
    });
    assert.equal(await redis.addUp('a', 'b', 1, 2), 3);
    assert.equal(await redis.addUp('a', 'b', 1, 2), 6);
    assert.equal(await redis.script('FLUSH'), 'OK');
    assert.equal(await redis.addUp('a', 'b', 1, 2), 9); // EVALSHA, NOSCRIPT, EVAL
    await redis.script('FLUSH');
    const replies = await redis.pipeline().addUp('a', 'b', 1, 2).addUp('a', 'b', 0, 0)
      .exec();
    assert.deepEqual(replies, [[null, 12], [null, 12]]);
    const atOnce = await redis.multi().addUp('a', 'b', 1, 2).addUp('a', 'b', 1, 2).exec();
    assert.deepEqual(atOnce, [[null, 15], [null, 18]]);
    const sha = await redis.script('LOAD', 'return KEYS[1]');
    assert.deepEqual(await redis.script('EXISTS', sha, 'f'.repeat(40)), [1, 0]);
    assert.equal(await redis.evalsha(sha, 1, 'k'), 'k');
    await assert.rejects(redis.evalsha('f'.repeat(40), 0),
      /NOSCRIPT No matching script/);
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
