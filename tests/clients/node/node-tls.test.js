// ioredis and node-redis over TLS, with a certificate of an authority of the test's own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import Redis from 'ioredis';
import { createClient } from 'redis';
import { freePort, Server } from './support.js';

const TIMEOUT = { timeout: 30_000 };

let server;
let port;
let ca;
const directory = mkdtempSync(path.join(tmpdir(), 'spinel-tls-'));

before(async () => {
  const key = path.join(directory, 'server.key');
  const certificate = path.join(directory, 'server.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key,
    '-out', certificate, '-subj', '/CN=localhost', '-days', '2',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], { stdio: 'ignore' });
  ca = readFileSync(certificate);
  port = await freePort();
  server = await new Server('--tls-port', port, '--tls-cert-file', certificate,
    '--tls-key-file', key, '--tls-auth-clients', 'no').start();
});

after(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

test('ioredis', TIMEOUT, async (t) => {
  const redis = new Redis({ port, host: 'localhost', family: 4, lazyConnect: true, tls: { ca } });
  t.after(() => redis.disconnect());
  await redis.connect();
  const big = 'x'.repeat(2_000_000);
  assert.equal(await redis.set('big', big), 'OK');
  assert.equal(await redis.get('big'), big);
  const pipeline = redis.pipeline();
  for (let i = 0; i < 1000; i += 1) pipeline.incr('counter');
  const replies = await pipeline.exec();
  assert.deepEqual(replies.at(-1), [null, 1000]);
});

test('node-redis', TIMEOUT, async (t) => {
  const redis = createClient({ socket: { port, host: '127.0.0.1', tls: true, ca } });
  redis.on('error', () => {});
  await redis.connect();
  t.after(() => redis.destroy());
  assert.equal(await redis.set('k', 'v'), 'OK');
  const replies = await Promise.all(Array.from({ length: 1000 }, () => redis.get('k')));
  assert.ok(replies.every((reply) => reply === 'v'));
});
