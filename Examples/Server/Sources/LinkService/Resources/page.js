// Shows one pool: its numbers, its charts, and a summary in words.

import { Chart, number } from "/pool/chart.js";
import { Samples, ofPool, runs, stretches } from "/pool/samples.js";

const SPANS = [[60_000, "1 minute"], [600_000, "10 minutes"], [3_600_000, "1 hour"]];

const element = (id) => document.getElementById(id);
const samples = new Samples(schedule, (state) => tell("connection", state, state));
let selectedSpan = SPANS[0][0];
let selectedPool = decodeURIComponent(location.hash.slice(1));

/// Changes a status only if it differs, because screen readers read every change.
function tell(id, state, text) {
  const place = element(id);
  if (place.dataset.state === state && place.textContent === text) return;
  place.dataset.state = state;
  place.textContent = text;
}

let scheduled = false;
function schedule() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => { scheduled = false; draw(); });
}

function draw() {
  const latest = samples.latest;
  if (!latest) return;
  const names = latest.pools.map((pool) => pool.name);
  if (!names.includes(selectedPool)) selectedPool = names[0];
  drawChoices(latest.pools);
  element("pool-name").textContent = selectedPool;
  drawNumbers(ofPool(samples.fine, selectedPool));

  const now = samples.now;
  const list = ofPool(samples.during(selectedSpan), selectedPool).filter((s) => s.time > now - selectedSpan);
  if (!list.length) return;
  // Shortly after the start, a shorter span shows more.
  const age = now - list[0].time + list[0].span;
  const span = [20_000, 40_000, 60_000, 120_000, 300_000, 600_000, 1_800_000]
    .find((shorter) => shorter < selectedSpan && age <= shorter) ?? selectedSpan;
  const parts = runs(list);
  const bursts = stretches(parts, (s) => s.peak.total > s.pool.maxSize);
  const outages = stretches(parts, (s) => !s.answers);
  drawConnections(now, span, list, parts, bursts, outages);
  drawCallers(now, span, list, parts, outages);
  drawLatency(now, span, list, parts, outages);
  drawSummary(now, list.at(-1).system, bursts, outages);
}

// Choices ---------------------------------------------------------------------------------------------------------------

function drawChoices(pools) {
  choices("spans", SPANS.map(([span, text]) => ({ key: span, text })), selectedSpan, (span) => { selectedSpan = span; });
  element("pools").hidden = pools.length < 2;
  const items = pools.map((pool) => ({ key: pool.name, text: pool.name, state: pool.answers ? "answers" : "fails" }));
  choices("pools", items, selectedPool, (name) => {
    selectedPool = name;
    location.hash = encodeURIComponent(name);
  });
}

function choices(id, items, selected, select) {
  const place = element(id);
  if (place.childElementCount !== items.length) {
    place.replaceChildren(...items.map(({ key, text, state }) => {
      const button = document.createElement("button");
      if (state) button.append(Object.assign(document.createElement("i"), { className: "dot" }));
      button.append(text);
      button.onclick = () => { select(key); schedule(); };
      return button;
    }));
  }
  items.forEach(({ key, state }, i) => {
    place.children[i].setAttribute("aria-pressed", String(key === selected));
    if (state) place.children[i].querySelector(".dot").dataset.state = state;
  });
}

// Numbers ---------------------------------------------------------------------------------------------------------------

function drawNumbers(list) {
  const { pool, system, answers, isShared } = list.at(-1);
  const set = (id, text) => { element(id).textContent = text; };
  const highest = (key) => `peak ${number(Math.max(...list.map((s) => s.peak[key])))}`;
  set("total", number(pool.total));
  set("in-use", number(pool.inUse));
  set("idle", number(pool.idle));
  set("waiting", number(pool.waiting));
  set("total-note", highest("total"));
  // Requests share the connections of this pool, so there are more leases than connections in use.
  const leases = isShared ? `${number(pool.leasesInUse)} leases, ${highest("leasesInUse")}` : highest("inUse");
  set("in-use-note", leases);
  set("waiting-note", highest("waiting"));
  const changing = [[pool.opening, "opening"], [pool.closing, "closing"]].filter(([count]) => count);
  set("idle-note", changing.map(([count, what]) => `+ ${count} ${what}`).join(", "));
  const second = list.filter((s) => s.time >= list.at(-1).time - 1_100);
  const rate = (key) => {
    const [first, last] = [second[0], second.at(-1)];
    // A service that has restarted counts from zero.
    return last.time > first.time && last[key] >= first[key]
      ? number(Math.round((last[key] - first[key]) * 1_000 / (last.time - first.time))) : "–";
  };
  set("requests", rate("requests"));
  set("refused", rate("unavailable"));
  const measured = list.findLast((s) => s.acquires.count)?.acquires;
  set("p50", measured ? milliseconds(measured.p50) : "–");
  set("p99", measured ? `p99 ${milliseconds(measured.p99)}` : "");
  if (answers) tell("database", "answers", `${system} answers`); else tell("database", "fails", `${system} does not answer`);
}

function milliseconds(value) {
  if (value >= 1_000) return `${(value / 1_000).toFixed(1)} s`;
  if (value >= 1) return `${value >= 9.95 ? Math.round(value) : Math.round(value * 10) / 10} ms`;
  return `${Math.round(value * 1_000)} µs`;
}

// Charts ----------------------------------------------------------------------------------------------------------------

function drawConnections(now, span, list, parts, bursts, outages) {
  const high = Math.max(...list.map((s) => Math.max(s.pool.burstLimit, s.peak.total)), 1);
  const chart = new Chart(element("connections"), innerWidth < 520 ? 220 : 300, now, span, (v) => v / (high * 1.1));
  chart.bands("burst", bursts);
  chart.valueAxis(high, 5);
  chart.timeAxis();
  for (const run of parts) {
    // Each area covers the lower part of the previous one.
    chart.area("closing", run, (s) => s.mean.inUse + s.mean.idle + s.mean.opening + s.mean.closing);
    chart.area("opening", run, (s) => s.mean.inUse + s.mean.idle + s.mean.opening);
    chart.area("idle", run, (s) => s.mean.inUse + s.mean.idle);
    chart.area("in-use", run, (s) => s.mean.inUse);
    chart.line("total", run, (s) => s.peak.total);
  }
  const { pool, system } = list.at(-1);
  chart.outages(outages, `${system} does not answer`);
  for (const run of parts) {
    chart.line("limit", run, (s) => s.pool.maxSize);
    if (run.some((s) => s.pool.burstLimit > s.pool.maxSize)) chart.line("limit hard", run, (s) => s.pool.burstLimit);
  }
  if (pool.maxSize > 0) {
    const hasBurst = pool.burstLimit > pool.maxSize;
    chart.label("", pool.maxSize, `maxSize ${number(pool.maxSize)}${hasBurst ? "" : ", no burst"}`);
    if (hasBurst) chart.label("hard", pool.burstLimit, `burstLimit ${number(pool.burstLimit)}`);
  }
  chart.finish();
}

function drawCallers(now, span, list, parts, outages) {
  const high = Math.max(4, ...list.map((s) => s.peak.waiting));
  const chart = new Chart(element("callers"), innerWidth < 520 ? 90 : 110, now, span, (v) => v / (high * 1.1));
  chart.valueAxis(high, 2);
  chart.timeAxis();
  for (const run of parts) chart.area("waiting", run, (s) => s.peak.waiting);
  chart.outages(outages);
  chart.finish();
}

function drawLatency(now, span, list, parts, outages) {
  const lowest = 0.001, highest = Math.max(10, ...list.map((s) => s.acquires.p99 ?? 0));
  const scale = (value) => Math.log10(Math.max(value, lowest) / lowest) / Math.log10(highest / lowest) / 1.05;
  const chart = new Chart(element("latency"), innerWidth < 520 ? 110 : 130, now, span, scale);
  for (let value = 0.01; value <= highest; value *= 10) chart.gridLine(value, milliseconds(value));
  chart.timeAxis();
  for (const run of parts) {
    // A time without acquires has no latency.
    for (const part of split(run, (s) => s.acquires.count > 0)) {
      chart.line("p99", part, (s) => s.acquires.p99);
      chart.line("p50", part, (s) => s.acquires.p50);
    }
  }
  chart.outages(outages);
  chart.finish();
}

function split(run, belongs) {
  const parts = [[]];
  for (const sample of run) if (belongs(sample)) parts.at(-1).push(sample); else parts.push([]);
  return parts.filter((part) => part.length);
}

function drawSummary(now, system, bursts, outages) {
  const start = now - selectedSpan;
  const seconds = (list) => list.reduce((sum, s) => sum + s.end - Math.max(s.start, start), 0) / 1_000;
  const time = `the last ${SPANS.find(([span]) => span === selectedSpan)[1]}`.replace("last 1 ", "last ");
  const text = (list, one, many) =>
    `${list.length} ${list.length === 1 ? one : many} in ${time}, ${seconds(list).toFixed(1)} s in total`;
  const burst = bursts.length
    ? `${text(bursts, "burst", "bursts")}, with up to ${number(Math.max(...bursts.map((b) => b.high)))} connections.`
    : `No burst in ${time}.`;
  element("summary").textContent =
    outages.length ? `${burst} ${text(outages, `outage of ${system}`, `outages of ${system}`)}.` : burst;
}

addEventListener("resize", schedule);
