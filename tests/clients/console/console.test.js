// The console in headless Chromium: it plots, browses every type of value, and treats what it shows
// as text. CONSOLE_SCREENSHOTS=FOLDER keeps pictures.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { Server, waitUntil } from '../node/support.js';

const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
const PICTURES = process.env.CONSOLE_SCREENSHOTS;
const PASSWORD = 's3cret ü';
const OPTIONS = { timeout: 60_000, skip: existsSync(BROWSER) ? false : `${BROWSER} is not installed` };
const HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';

let server;
let url;
let profile;
let browser;
let load; // ends the traffic

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

const encode = (...args) => {
  const parts = args.map((arg) => (Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg))));
  return Buffer.concat([Buffer.from(`*${parts.length}\r\n`), ...parts.flatMap((part) =>
    [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')])]);
};

// Sends commands and waits until something was answered to the last of them.
async function send(port, ...commands) {
  const socket = createConnection(port, '127.0.0.1');
  let replies = '';
  socket.on('data', (data) => { replies += data.toString('latin1'); });
  socket.write(Buffer.concat([...commands.map((command) => encode(...command)), encode('ECHO', 'the-end')]));
  await waitUntil(() => replies.includes('the-end'), 'replies', 20_000);
  socket.destroy();
  return replies;
}

function keepBusy(port) {
  const socket = createConnection(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.write(encode('AUTH', PASSWORD));
  const timer = setInterval(() => {
    for (let i = 0; i < 40; ++i) {
      const key = `user:${Math.floor(Math.random() * 400)}`;
      socket.write(i % 4 ? encode('GET', key) : encode('SET', key, 'x'.repeat(100), 'EX', 300));
    }
  }, 50);
  return () => { clearInterval(timer); socket.destroy(); };
}

before(async () => {
  if (OPTIONS.skip) return;
  const port = await freePort();
  server = await new Server('--metrics-port', port, '--console', 'yes', '--slowlog-log-slower-than', '0').start();
  url = `http://127.0.0.1:${port}/`;
  await send(server.port,
    ['HSET', 'a:hash', 'field', 'value', HOSTILE, HOSTILE],
    ['RPUSH', 'a:list', ...Array.from({ length: 250 }, (_, i) => `element ${i}`)],
    ['SADD', 'a:set', ...Array.from({ length: 1000 }, (_, i) => `member ${i}`)],
    ['ZADD', 'a:zset', '1.5', 'one', '-3', 'two'],
    ['SET', 'a:text', `${HOSTILE}\nsecond line ${'ä'.repeat(10_000)}`, 'EX', '5000'],
    ['SET', Buffer.from([0xff, 0x00, 0x0a, 0x41]), Buffer.from([0, 1, 2, 0xfe])],
    ['SET', HOSTILE, HOSTILE],
    ['SELECT', '3'], ['SET', 'other', '1'],
    ['CLIENT', 'SETNAME', 'shown'],
    ['CONFIG', 'SET', 'requirepass', PASSWORD]);
  load = keepBusy(server.port);
  profile = mkdtempSync(path.join(tmpdir(), 'spinel-console-'));
  browser = await chromium.launchPersistentContext(profile, {
    executablePath: BROWSER, headless: true, viewport: { width: 1400, height: 900 },
    httpCredentials: { username: 'default', password: PASSWORD },
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
});

after(async () => {
  load?.();
  await browser?.close();
  await server?.close();
  if (profile) rmSync(profile, { recursive: true, force: true });
});

// A page, and all that goes wrong on it.
async function open(t, view = '') {
  const page = await browser.newPage();
  page.wrong = [];
  page.on('pageerror', (error) => page.wrong.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') page.wrong.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) page.wrong.push(request.url());
  });
  t.after(() => page.close());
  await page.goto(url + view);
  return page;
}

async function picture(page, name) {
  if (PICTURES) await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: true });
}

test('the overview plots what happens', OPTIONS, async (t) => {
  const page = await open(t);
  await page.waitForFunction(() => /[1-9]/.test(document.querySelector('#tiles strong')?.textContent ?? ''));
  await page.waitForSelector('.uplot canvas, .chart path[d^="M"]');
  await page.waitForFunction(() => document.querySelector('#databases')?.textContent.includes('db3'));
  await page.waitForFunction(() => /\bget\b/.test(document.querySelector('#commands')?.textContent ?? ''));
  const tiles = await page.locator('#tiles').innerText();
  for (const name of ['commands per second', 'p99 latency', 'hit ratio', 'memory used', 'keys', 'clients']) {
    assert.ok(tiles.includes(name), name);
  }
  assert.equal(await page.locator('#charts article').count(), 6);
  if (PICTURES) {
    await page.waitForTimeout(20_000);
    await picture(page, 'overview-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.waitForTimeout(1500);
    await picture(page, 'overview-dark');
    await page.setViewportSize({ width: 420, height: 900 });
    await page.waitForTimeout(1500);
    await picture(page, 'overview-narrow');
  }
  assert.deepEqual(page.wrong, []);
});

test('without uPlot the lines are drawn, too', OPTIONS, async (t) => {
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.route('**/uplot.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
  await page.goto(url);
  await page.waitForSelector('.chart path[d^="M"]', { state: 'attached' });
  assert.match(await page.locator('#renderer').innerText(), /without uPlot/);
  if (PICTURES) await page.waitForTimeout(15_000);
  await picture(page, 'overview-plain');
});

test('keys are found by pattern and type, and every type is shown', OPTIONS, async (t) => {
  const page = await open(t, '#keys');
  await page.fill('#pattern', 'a:*');
  await page.click('#search button');
  await page.waitForFunction(() => document.querySelectorAll('#keylist tbody tr').length === 5);
  const view = async (key, text) => {
    await page.locator('#keylist tr', { hasText: key }).click();
    await page.waitForFunction((wanted) => document.querySelector('#value').textContent.includes(wanted), text);
    return page.locator('#valuefacts').innerText();
  };
  assert.match(await view('a:hash', 'field'), /hash · listpack · 2 elements/);
  assert.match(await view('a:zset', '1.5'), /zset/);
  assert.match(await view('a:list', 'element 99'), /250 elements/);
  await page.click('#morevalue');
  await page.waitForFunction(() => document.querySelector('#value').textContent.includes('element 199'));
  await page.click('#morevalue');
  await page.waitForFunction(() => document.querySelector('#value').textContent.includes('element 249'));
  assert.equal(await page.locator('#morevalue').isVisible(), false);
  assert.match(await view('a:set', 'member'), /1,000 elements/);
  assert.match(await view('a:text', 'second line'), /expires in 1 h/);
  await picture(page, 'keys');

  await page.selectOption('#type', 'zset');
  await page.waitForFunction(() => document.querySelectorAll('#keylist tbody tr').length === 1);
  await page.fill('#pattern', '');
  await page.selectOption('#type', '');
  await page.selectOption('#database', '3');
  await page.waitForFunction(() => document.querySelector('#keylist').textContent.includes('other'));
  assert.deepEqual(page.wrong, []);
});

test('keys and values are text, whatever is in them', OPTIONS, async (t) => {
  const page = await open(t, '#keys');
  await page.fill('#pattern', '<*');
  await page.click('#search button');
  await page.locator('#keylist tr.pick').first().click();
  await page.waitForFunction(() => document.querySelector('#value').textContent.includes('<script>'));
  await page.fill('#pattern', '*A');
  await page.click('#search button');
  await page.locator('#keylist tr', { hasText: '\\xff' }).click();
  await page.waitForFunction(() => document.querySelector('#value').textContent.includes('\\xfe'));
  for (const other of ['slowlog', 'clients', 'overview']) {
    await page.click(`nav button[data-view=${other}]`);
    await page.waitForTimeout(300);
  }
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator('main img, main script').count(), 0);
  assert.deepEqual(page.wrong, []);
});

test('the slow log and the clients are listed', OPTIONS, async (t) => {
  const page = await open(t, '#slowlog');
  await page.waitForFunction(() => document.querySelector('#slowtable').textContent.includes('user:'));
  await picture(page, 'slowlog');
  await page.click('nav button[data-view=clients]');
  await page.waitForFunction(() => document.querySelector('#clienttable').textContent.includes('127.0.0.1:'));
  await picture(page, 'clients');
  assert.deepEqual(page.wrong, []);
});

test('without the password there is nothing to see', OPTIONS, async () => {
  for (const file of ['', 'console.js', 'api/overview', 'api/keys?db=0']) {
    assert.equal((await fetch(url + file)).status, 401, file);
  }
});
