// A server of its own for every test file, named by SPINEL_TEST_SERVER (set by tests/clients/run).
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const BINARY = process.env.SPINEL_TEST_SERVER
  ?? path.resolve(import.meta.dirname, '../../../build/release/spinel-server');
// Valkey as a stand-in names the fields of INFO as Redis does only when asked to.
const STAND_IN_OPTIONS = path.basename(BINARY) === 'valkey-server'
  ? ['--extended-redis-compatibility', 'yes'] : [];

/** Polls until `condition` (may be async) is truthy and returns its value. */
export async function waitUntil(condition, what, timeoutMs = 10_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await sleep(10);
  }
}

/** Resolves like `promise`, or rejects after `timeoutMs`. */
export function within(promise, timeoutMs = 10_000) {
  const limit = AbortSignal.timeout(timeoutMs);
  return Promise.race([
    promise,
    new Promise((_, reject) => {
      limit.addEventListener('abort', () => reject(new Error(`nothing within ${timeoutMs} ms`)));
    }),
  ]);
}

export function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

export class Server {
  constructor(...options) {
    this.options = options;
    this.directory = mkdtempSync(path.join(tmpdir(), 'spinel-test-'));
    this.socket = path.join(this.directory, 'server.sock');
    this.log = path.join(this.directory, 'server.log');
  }

  async start() {
    this.port ??= await freePort();
    const log = openSync(this.log, 'a');
    this.process = spawn(BINARY, ['--port', this.port, '--bind', '127.0.0.1', '--save', '',
      '--dir', this.directory, '--unixsocket', this.socket, ...STAND_IN_OPTIONS, ...this.options],
    { stdio: ['ignore', log, log] });
    this.exited = new Promise((resolve) => this.process.on('exit', resolve));
    await waitUntil(() => {
      if (this.process.exitCode !== null) throw new Error(readFileSync(this.log, 'utf8'));
      return accepts(this.port);
    }, 'the server to listen');
    return this;
  }

  async stop() {
    this.process.kill('SIGTERM');
    return within(this.exited);
  }

  async restart() {
    await this.stop();
    await this.start();
  }

  /** Stops the server, which must end with success, and removes its directory. */
  async close() {
    const code = await this.stop();
    if (code !== 0) throw new Error(`ended with ${code}: ${readFileSync(this.log, 'utf8')}`);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
