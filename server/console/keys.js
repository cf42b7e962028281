// The key browser. Keys and values may be anything: they only ever become text nodes.

import { ask, bytes, duration, fillTable, number } from "./console.js";

const get = (id) => document.getElementById(id);
const kMostSteps = 50;  // of SCAN, until a page has something to show
const kPage = 50;       // keys that a page should have at least

let keys = null;   // the search under way: { query, next, shown }
let value = null;  // the value that is shown: { key, next, table }

export function setDatabases(count) {
  const select = get("database");
  if (select.options.length === count) return;
  const chosen = select.value;
  select.replaceChildren(...Array.from({ length: count }, (_, i) => new Option(String(i), String(i))));
  select.value = chosen || "0";
}

export function setUpKeys() {
  get("search").addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  get("database").addEventListener("change", search);
  get("type").addEventListener("change", search);
  get("more").addEventListener("click", moreKeys);
  get("morevalue").addEventListener("click", moreValue);
}

export function showKeys() {
  if (!keys) search();
}

function search() {
  keys = { db: get("database").value || "0", match: get("pattern").value, type: get("type").value,
           next: "0", shown: 0 };
  fillTable(get("keylist"), ["key", "type", "#time to live", "#memory"], []);
  get("found").textContent = "";
  return moreKeys();
}

async function moreKeys() {
  const mine = keys;
  get("more").hidden = true;
  let added = 0;
  for (let step = 0; step < kMostSteps && added < kPage; ++step) {
    const page = await ask("keys", { db: mine.db, match: mine.match, type: mine.type, cursor: mine.next });
    if (mine !== keys) return;  // another search has begun
    if (page.error) {
      get("found").textContent = page.error;
      return;
    }
    for (const key of page.keys) get("keylist").tBodies[0].append(keyRow(key));
    added += page.keys.length;
    mine.shown += page.keys.length;
    mine.next = page.next;
    get("found").textContent = `${number(mine.shown)} shown of ${number(page.size)} in the database`;
    if (page.next === "0") break;
  }
  get("more").hidden = mine.next === "0";
}

function keyRow(key) {
  const row = document.createElement("tr");
  const type = document.createElement("span");
  type.className = "type";
  type.textContent = key.type;
  const cells = [cell(key.name.t + rest(key.name), "text"), cell("", ""),
                 cell(key.ttl_ms < 0 ? "" : duration(key.ttl_ms / 1000), "n"),
                 cell(key.bytes < 0 ? "" : bytes(key.bytes), "n")];
  cells[1].append(type);
  row.append(...cells);
  if (!key.key) return row;  // too long to be asked for
  row.className = "pick";
  row.tabIndex = 0;
  const open = () => {
    document.querySelector("tr.chosen")?.classList.remove("chosen");
    row.classList.add("chosen");
    openValue(key);
  };
  row.addEventListener("click", open);
  row.addEventListener("keydown", (event) => {
    if (event.key === "Enter") open();
  });
  return row;
}

function cell(text, className) {
  const made = document.createElement("td");
  made.className = className;
  made.textContent = text;
  return made;
}

// What is left out of a long element.
function rest(element) {
  const shown = new TextEncoder().encode(element.t).length;
  if (element.b || shown >= element.n) return element.b ? `  (binary, ${bytes(element.n)})` : "";
  return `  … (${bytes(element.n)})`;
}

function openValue(key) {
  value = { key, next: "0", table: null };
  get("valuename").textContent = key.name.t;
  get("value").replaceChildren();
  return moreValue();
}

const kColumns = { hash: ["field", "value"], list: ["#", "element"], set: ["member"],
                   zset: ["member", "#score"], stream: ["entry", "fields"] };

async function moreValue() {
  const mine = value;
  get("morevalue").hidden = true;
  const page = await ask("value", { db: keys.db, key: mine.key.key, cursor: mine.next });
  if (mine !== value) return;
  if (page.error) {
    get("valuefacts").textContent = page.error;
    return;
  }
  const size = page.type === "string" ? bytes(page.size) : `${number(page.size)} elements`;
  get("valuefacts").textContent =
    [page.type, page.encoding, size, page.bytes < 0 ? "" : `${bytes(page.bytes)} of memory`,
     page.ttl_ms < 0 ? "does not expire" : `expires in ${duration(page.ttl_ms / 1000)}`]
      .filter(Boolean).join(" · ");
  if (page.type === "string") showText(page);
  else showRows(mine, page);
  mine.next = page.next;
  get("morevalue").hidden = page.next === "0";
}

function showText(page) {
  const text = document.createElement("pre");
  text.textContent = page.text;
  get("value").append(text);
}

function showRows(mine, page) {
  const columns = kColumns[page.type];
  if (!mine.table) {
    mine.table = document.createElement("table");
    fillTable(mine.table, columns, []);
    get("value").append(mine.table);
  }
  let index = Number(mine.next);
  for (const elements of page.rows) {
    const row = document.createElement("tr");
    if (page.type === "list") row.append(cell(String(index++), "n"));
    elements.forEach((element, i) => {
      row.append(cell(element.t + rest(element), page.type === "zset" && i === 1 ? "n" : "text"));
    });
    mine.table.tBodies[0].append(row);
  }
}
