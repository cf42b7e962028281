// Redis Commander's pages in a real browser: the tree of keys, a page for each type of value, the
// server's facts, and a command typed into its console.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { Server, freePort, waitUntil } from '../node/support.js';

const PASSWORD = 's3cret Pa55';
const SWITCHES = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-component-update',
  '--disable-background-networking', '--disable-sync',
];

let server;
let commander;
let browser;
let page;

before(async () => {
  server = await new Server('--requirepass', PASSWORD).start();
  const fill = [
    ['SET', 'app:user:1', 'Ada'], ['SET', 'app:user:2', 'Bob'], ['RPUSH', 'jobs', 'first', 'second'],
    ['HSET', 'profile', 'name', 'Grace'], ['ZADD', 'scores', '7', 'ann'], ['SADD', 'tags', 'red'],
  ];
  await send([['AUTH', PASSWORD], ...fill, ['QUIT']]);
  const port = await freePort();
  const script = path.resolve(import.meta.dirname, 'node_modules/redis-commander/bin/redis-commander.js');
  commander = spawn(process.execPath, [
    script, '--redis-host', '127.0.0.1', '--redis-port', String(server.port), '--redis-password',
    PASSWORD, '--address', '127.0.0.1', '--port', String(port), '--nosave',
  ], { cwd: server.directory, env: { ...process.env, HOME: server.directory }, stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}/`;
  await waitUntil(() => fetch(url).then((reply) => reply.ok, () => false), 'Redis Commander', 60_000);
  browser = await chromium.launch({
    executablePath: process.env.SPINEL_TEST_CHROMIUM ?? '/usr/bin/chromium', args: SWITCHES, timeout: 60_000,
  });
  page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  await page.goto(url);
}, { timeout: 180_000 });

after(async () => {
  await browser?.close();
  commander?.kill();
  await server?.close();
});

/** Sends commands of which the last closes the connection. */
function send(commands) {
  const spelled = commands.map((words) => `*${words.length}\r\n`
    + words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')).join('');
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(spelled));
    socket.on('error', reject).on('close', resolve).resume();
  });
}

const key = (name) => page.locator(`[id="R:127.0.0.1:${server.port}:0${name && `:${name}`}"] > a`);
const shows = (text) => page.locator('#body', { hasText: text }).waitFor();

test('the tree has the keys, folded at their colons', async () => {
  await key('jobs').waitFor();
  const names = await page.locator('#keyTree li > a').allInnerTexts();
  for (const expected of ['app:* (2)', 'jobs (2)', 'profile', 'scores (1)', 'tags (1)']) {
    assert.ok(names.some((name) => name.trim() === expected), `${expected} in ${names}`);
  }
});

test('values of every type are shown', async () => {
  for (const [name, type, value] of [
    ['jobs', 'List (2 Items)', 'second'], ['profile', 'Hash', 'Grace'],
    ['scores', 'Sorted Set (1 Members)', 'ann'], ['tags', 'Set (1 Members)', 'red'],
  ]) {
    await key(name).click();
    await shows(`Key: ${name}`);
    await shows(`Type: ${type}`);
    await shows(value);
  }
});

test('the server tells of itself', async () => {
  await key('').click();
  await shows('Spinel version');
  await shows('Used memory human');
});

test('a command in its console is answered', async () => {
  await page.locator('#commandLine').click();
  await page.keyboard.type('get app:user:2');
  await page.keyboard.press('Enter');
  await page.locator('#commandLineOutput', { hasText: 'Bob' }).waitFor();
});
