// The console: asks the server once a second what it counts, and shows the differences.

import { hasPlots, makeChart } from "./charts.js";
import { setDatabases, setUpKeys, showKeys } from "./keys.js";

const kPeriod = 1000;  // ms
const kHistory = 300;  // points
const get = (id) => document.getElementById(id);

// -- Asking ----------------------------------------------------------------------------------------

export async function ask(what, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  try {
    const answer = await fetch(`api/${what}${query ? `?${query}` : ""}`, { cache: "no-store" });
    const type = answer.headers.get("Content-Type") || "";
    if (!type.startsWith("application/json")) return { error: (await answer.text()).trim() };
    return await answer.json();
  } catch {
    return { error: "the server does not answer" };
  }
}

// -- Showing ---------------------------------------------------------------------------------------

export const number = (value) => Number(value).toLocaleString("en");

export function bytes(value) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  for (value = Number(value); value >= 1024 && unit < units.length - 1; ++unit) value /= 1024;
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${units[unit]}`;
}

export function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => seconds >= size);
  const [size, unit] = parts[first];
  const [smaller, name] = parts[Math.min(first + 1, 3)];
  const below = Math.floor((seconds % size) / smaller);
  return `${Math.floor(seconds / size)} ${unit}${below ? ` ${below} ${name}` : ""}`;
}

const short = (value) =>
  value >= 1e6 ? `${(value / 1e6).toFixed(value >= 1e7 ? 1 : 2)} M`
  : value >= 1e4 ? `${(value / 1e3).toFixed(1)} k`
  : value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
const percent = (value) => `${value.toFixed(value === 100 || value === 0 ? 0 : 1)} %`;
const micro = (us) => (us >= 1e6 ? `${(us / 1e6).toFixed(2)} s` : us >= 1000 ? `${(us / 1000).toFixed(1)} ms`
  : `${us.toFixed(us < 10 ? 1 : 0)} µs`);

// Columns whose name begins with "#" are numbers. Cells are text, whatever is in them.
export function fillTable(table, columns, rows, nothing = "") {
  const isNumber = columns.map((name) => name.startsWith("#"));
  const head = document.createElement("thead");
  const names = head.insertRow();
  columns.forEach((name, i) => {
    const cell = document.createElement("th");
    cell.textContent = name.replace(/^#(?=.)/, "");
    if (isNumber[i]) cell.className = "n";
    names.append(cell);
  });
  const body = document.createElement("tbody");
  for (const row of rows) {
    const line = body.insertRow();
    row.forEach((text, i) => {
      const cell = line.insertCell();
      cell.textContent = text;
      cell.className = isNumber[i] ? "n" : "text";
    });
  }
  if (rows.length === 0 && nothing) {
    const cell = body.insertRow().insertCell();
    cell.colSpan = columns.length;
    cell.className = "nothing";
    cell.textContent = nothing;
  }
  table.replaceChildren(head, body);
}

// -- Overview --------------------------------------------------------------------------------------

const kCharts = [
  { title: "Throughput, commands per second", format: short, series: [{ name: "commands", of: (now) => now.ops }] },
  { title: "Latency in the server", format: micro,
    series: [{ name: "p50", of: (now) => now.p50 }, { name: "p99", of: (now) => now.p99 },
             { name: "p99.9", of: (now) => now.p999 }] },
  { title: "Hit ratio", format: percent, series: [{ name: "hits", of: (now) => now.hits }] },
  { title: "Memory", format: bytes,
    series: [{ name: "used", of: (now) => now.used }, { name: "resident", of: (now) => now.resident },
             { name: "data", of: (now) => now.dataset }] },
  { title: "Network, bytes per second", format: bytes,
    series: [{ name: "in", of: (now) => now.received }, { name: "out", of: (now) => now.sent }] },
  { title: "Keys that went, per second", format: short,
    series: [{ name: "expired", of: (now) => now.expired }, { name: "evicted", of: (now) => now.evicted }] },
];

const history = [];
let previous = null;
let charts = null;

// The duration in us that a share of the calls since `before` stayed within; null: no calls.
function percentile(now, before, share) {
  const was = new Map(before);
  const counts = now.map(([ns, count]) => [ns, count - (was.get(ns) || 0)]).filter(([, count]) => count > 0);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  let seen = 0;
  for (const [ns, count] of counts) {
    seen += count;
    if (seen >= share * total) return ns / 1000;
  }
  return null;
}

function measure(page, before) {
  const info = (of, name) => Number(of.info[name] || 0);
  const seconds = Math.max((page.now_ms - before.now_ms) / 1000, 0.001);
  // After CONFIG RESETSTAT counters are smaller than they were.
  const rate = (name) => Math.max(info(page, name) - info(before, name), 0) / seconds;
  const hits = rate("keyspace_hits");
  const lookups = hits + rate("keyspace_misses");
  return {
    time: page.now_ms / 1000,
    ops: rate("total_commands_processed"),
    p50: percentile(page.latency, before.latency, 0.5),
    p99: percentile(page.latency, before.latency, 0.99),
    p999: percentile(page.latency, before.latency, 0.999),
    hits: lookups > 0 ? (hits / lookups) * 100 : null,
    used: info(page, "used_memory"), resident: info(page, "used_memory_rss"),
    dataset: info(page, "used_memory_dataset"),
    received: rate("total_net_input_bytes"), sent: rate("total_net_output_bytes"),
    expired: rate("expired_keys"), evicted: rate("evicted_keys"),
  };
}

function showTiles(page, now) {
  const info = page.info;
  const maxmemory = Number(info.maxmemory || 0);
  const tiles = [
    ["commands per second", now ? short(now.ops) : "–"],
    ["p99 latency", now && now.p99 !== null ? micro(now.p99) : "–"],
    ["hit ratio", now && now.hits !== null ? percent(now.hits) : "–"],
    ["memory used", bytes(info.used_memory), maxmemory ? `of ${bytes(maxmemory)}` : ""],
    ["keys", short(databases(page).reduce((sum, row) => sum + row.keys, 0))],
    ["clients", number(info.connected_clients),
     Number(info.blocked_clients) ? `${number(info.blocked_clients)} blocked` : ""],
    ["since the last snapshot", duration(Math.max(page.now_ms / 1000 - Number(info.rdb_last_save_time), 0)),
     info.rdb_last_bgsave_status === "ok" ? "" : "failed"],
  ];
  get("tiles").replaceChildren(...tiles.map(([name, value, note = ""]) => {
    const tile = document.createElement("article");
    const label = document.createElement("span");
    label.textContent = name;
    const strong = document.createElement("strong");
    strong.textContent = value;
    const small = document.createElement("small");
    small.textContent = note;
    tile.append(label, strong, " ", small);
    return tile;
  }));
}

function databases(page) {
  return Object.entries(page.info).filter(([name]) => /^db\d+$/.test(name)).map(([name, text]) => {
    const parts = Object.fromEntries(text.split(",").map((part) => part.split("=")));
    return { name, keys: Number(parts.keys), expires: Number(parts.expires), ttl: Number(parts.avg_ttl) };
  });
}

function showTables(page, before) {
  fillTable(get("databases"), ["database", "#keys", "#expire", "#average TTL"],
    databases(page).map((row) => [row.name, number(row.keys), number(row.expires),
                                  row.ttl ? duration(row.ttl / 1000) : ""]), "no keys");
  const seconds = before ? Math.max((page.now_ms - before.now_ms) / 1000, 0.001) : 1;
  const was = new Map((before ? before.commands : []).map((row) => [row.name, row.calls]));
  const rows = page.commands
    .map((row) => ({ ...row, rate: before ? Math.max(row.calls - (was.get(row.name) || 0), 0) / seconds : 0 }))
    .sort((a, b) => b.rate - a.rate || b.calls - a.calls).slice(0, 15);
  fillTable(get("commands"), ["command", "#per second", "#calls", "#average", "#errors"],
    rows.map((row) => [row.name, short(row.rate), number(row.calls),
                       row.calls ? micro(row.us / row.calls) : "", number(row.failed + row.rejected)]));
}

function showCharts() {
  if (!charts) {
    charts = kCharts.map((chart) => ({ ...chart, ...makeChart(chart.title, chart.series, chart.format) }));
    get("charts").replaceChildren(...charts.map((chart) => chart.box));
  }
  const times = history.map((point) => point.time);
  for (const chart of charts) chart.draw(times, chart.series.map((one) => history.map(one.of)));
}

function showState(text, bad) {
  get("state").textContent = text;
  get("state").className = bad ? "bad" : "";
}

async function refresh() {
  const page = await ask("overview");
  if (page.error) return showState(page.error, true);
  const info = page.info;
  get("version").textContent = `${info.spinel_version} · port ${info.tcp_port}`;
  showState(`up ${duration(Number(info.uptime_in_seconds))} · ${page.loops.length} loops` +
    (info.loading === "1" ? " · loading" : "") + (info.rdb_bgsave_in_progress === "1" ? " · saving" : ""), false);
  setDatabases(page.databases);
  let now = null;
  if (previous && page.now_ms > previous.now_ms) {
    now = measure(page, previous);
    history.push(now);
    if (history.length > kHistory) history.shift();
  }
  if (!get("overview").hidden) {
    showTiles(page, now);
    showTables(page, previous);
    showCharts();
  }
  previous = page;
}

// -- Slow log, clients -----------------------------------------------------------------------------

async function showSlowLog() {
  const entries = await ask("slowlog");
  if (entries.error) return;
  fillTable(get("slowtable"), ["when", "#took", "command", "client"],
    entries.map((entry) => [new Date(entry.time * 1000).toLocaleTimeString(), micro(entry.us),
                            entry.args.join(" "), [entry.client, entry.name].filter(Boolean).join(" ")]),
    "nothing took that long");
}

async function showClients() {
  const page = await ask("clients");
  if (page.error) return;
  get("clientcount").textContent = `${number(page.clients.length)} shown of ${number(page.total)}`;
  fillTable(get("clienttable"),
    ["#id", "address", "name", "library", "last command", "#commands", "#db", "#loop", "flags", "#age", "#idle",
     "#unsent"],
    page.clients.map((one) => [one.id, one.addr, one.name, one.lib, one.command, number(one.commands), one.db,
                               one.loop, one.flags, duration(one.age), duration(one.idle), bytes(one.pending)]),
    "no clients");
}

// -- Views -----------------------------------------------------------------------------------------

const kViews = { overview: () => {}, keys: showKeys, slowlog: showSlowLog, clients: showClients };

function show(view) {
  if (!kViews[view]) view = "overview";
  for (const name of Object.keys(kViews)) get(name).hidden = name !== view;
  for (const tab of document.querySelectorAll("nav button")) {
    tab.setAttribute("aria-selected", String(tab.dataset.view === view));
  }
  kViews[view]();
}

async function everySecond() {
  const begun = performance.now();
  await refresh();
  if (!get("slowlog").hidden) await showSlowLog();
  if (!get("clients").hidden) await showClients();
  setTimeout(everySecond, Math.max(kPeriod - (performance.now() - begun), 100));
}

for (const tab of document.querySelectorAll("nav button")) {
  tab.addEventListener("click", () => { location.hash = tab.dataset.view; });
}
addEventListener("hashchange", () => show(location.hash.slice(1)));
get("renderer").textContent = hasPlots ? ""
  : "Built without uPlot, which npm would have brought: the lines are plain drawings.";
setUpKeys();
show(location.hash.slice(1));
everySecond();
