// What is shown, and the asking for it. All that comes from the server goes into the page as text.

const ASK_EVERY = 2000, HISTORY_EVERY = 5000, PATIENCE = 8000, LONGEST_PAUSE = 15000;
const MOST_ROWS = 200, MOST_KEPT = 128;
const TOKEN = "unicoro-admin-token";
const SILENT_LONG = 3;  // workers give a sign of life once a second

const find = (id) => document.getElementById(id);

const write = {
  number: (value) => value.toLocaleString("en", {maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0}),
  count: (value) => value < 1e6 ? value.toLocaleString("en", {maximumFractionDigits: 0})
    : value.toLocaleString("en", {notation: "compact", maximumFractionDigits: 2}),
  seconds: (value) => value === 0 ? "0 ms" : value < 0.0095 ? `${(value * 1e3).toFixed(1)} ms`
    : value < 0.9995 ? `${(value * 1e3).toFixed(0)} ms` : value < 9.95 ? `${+value.toFixed(2)} s` : `${Math.round(value)} s`,
  tick: (seconds) => seconds < 1 ? `${seconds * 1000} ms` : `${seconds} s`,
  bytes: (value) => {
    for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]]) {
      if (value >= size) return `${+(value / size).toFixed(value < 10 * size ? 1 : 0)} ${unit}`;
    }
    return `${Math.round(value)} B`;
  },
  rate: (value) => `${write.bytes(value)}/s`,
  share: (value) => `${(value * 100).toFixed(value < 0.1 && value > 0 ? 1 : 0)} %`,
  age: (seconds) => {
    if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
    if (seconds < 120) return `${Math.round(seconds)} s`;
    if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
    return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds % 86400 / 3600)} h`;
  },
  clock: (ago) => new Date(Date.now() - ago * 1000).toLocaleTimeString([], {hour12: false}),
};

// --- tables

const STATES = {ready: "good", booting: "warn", retiring: "warn", draining: ""};
const STAGES = {application: "good", queued: "warn", sending: "", websocket: ""};
const REASONS = {
  told: ["", "told to"], exit: ["warn", "exited with code 0"], failure: ["bad", "exited with a failure"],
  boot: ["bad", "did not boot"], timeout: ["bad", "timeout: it was silent"], memory_limit: ["warn", "over worker_memory_limit"],
  out_of_memory: ["bad", "killed: no memory left"], signal: ["bad", "killed by a signal"],
};

const silence = (row) => row.silent_seconds === undefined ? undefined
  : {text: write.age(row.silent_seconds), mood: row.silent_seconds >= SILENT_LONG ? "loud" : ""};
const howLong = (row) => ({text: write.age(row.age_seconds), mood: row.age_seconds >= 10 ? "loud" : row.age_seconds >= 1 ? "mild" : ""});
const whose = (row) => `${row.worker} (${row.pid})`;

const workers = new Table(find("workers"), "workers-title", [
  {name: "Worker", kind: "named", of: (row) => row.worker},
  {name: "PID", kind: "number", of: (row) => row.pid},
  {name: "State", kind: "short", of: (row) => row.silent_seconds >= SILENT_LONG && row.state === "ready"
    ? {text: "held", badge: "bad"} : {text: row.state, badge: STATES[row.state] ?? ""}},
  {name: "Age", kind: "number", of: (row) => write.age(row.age_seconds)},
  {name: "Requests", kind: "number", of: (row) => write.count(row.requests)},
  {name: "Per second", kind: "number", of: (row) => row.rate === undefined ? undefined : write.number(row.rate)},
  {name: "In flight", kind: "number", of: (row) => row.in_flight},
  {name: "Queued", kind: "number", of: (row) => ({text: row.queued, mood: row.queued > 0 ? "mild" : ""})},
  {name: "Connections", kind: "number", of: (row) => row.connections},
  {name: "CPU", kind: "number", of: (row) => row.cpu === undefined ? undefined : {text: write.share(row.cpu), mood: row.cpu > 0.9 ? "mild" : ""}},
  {name: "Memory", kind: "number", of: (row) => row.memory_bytes === undefined ? undefined : write.bytes(row.memory_bytes)},
  {name: "Silent for", kind: "number", of: silence},
  {name: "Generation", kind: "number", of: (row) => row.generation},
], "There are no workers.");

const requests = new Table(find("requests"), "requests-title", [
  {name: "Age", kind: "number", of: howLong},
  {name: "Method", kind: "short", of: (row) => row.method},
  {name: "Path", kind: "path", of: (row) => row.path, act: (row) => stack.open(row), meaning: "Show where its code is"},
  {name: "Stage", kind: "short", of: (row) => ({text: row.stage, badge: STAGES[row.stage] ?? ""})},
  {name: "Worker", kind: "number", of: whose},
], "None at the moment.", 20);

const stack = new StackView(find("stack"));

const slow = new Table(find("slow"), "slow-title", [
  {name: "Ended", kind: "short", of: (row) => write.clock(clock() - row.time)},
  {name: "Took", kind: "number", of: howLong},
  {name: "Method", kind: "short", of: (row) => row.method},
  {name: "Path", kind: "path", of: (row) => row.path},
  {name: "Worker", kind: "number", of: whose},
], "None since this has been watched.", 8);

const incidents = new Table(find("incidents"), "incidents-title", [
  {name: "When", kind: "short", of: (row) => write.clock(clock() - row.time)},
  {name: "What", kind: "short", of: (row) => row.kind === "worker_end" ? {text: "worker ended", badge: (REASONS[row.reason] ?? ["bad"])[0]}
    : {text: row.kind === "monitor_end" ? "monitor replaced" : `${row.kind} ${row.outcome}`, badge: row.outcome === "completed" ? "good" : "bad"}},
  {name: "Why", kind: "why", of: (row) => row.kind === "worker_end" ? (REASONS[row.reason] ?? ["", row.reason])[1]
    : row.kind === "monitor_end" ? "it had ended of itself" : row.outcome === "completed" ? "new workers serve" : "the log says why"},
  {name: "Worker", kind: "number", of: (row) => row.pid === undefined ? undefined : whose(row)},
  {name: "Lived", kind: "number", of: (row) => row.lived_seconds === undefined ? undefined : write.age(row.lived_seconds)},
], "Nothing since this has been watched.", 8);

// --- tiles

const tiles = new Map();

function tile(name, value, more, mood = "") {
  if (!tiles.has(name)) {
    const box = make("div"), said = make("dd"), below = make("dd", "more");
    box.append(make("dt", "", name), said, below);
    find("tiles").append(box);
    tiles.set(name, {box, said, below});
  }
  const {box, said, below} = tiles.get(name);
  if (box.className !== mood) box.className = mood;
  put(said, value);
  put(below, more);
}

// --- charts

const past = {points: [], incidents: [], slow: [], minute: null, now: 0, read: 0, gap: 12.5};
const clock = () => past.now + (performance.now() - past.read) / 1000;
let span = 900;

const quantiles = (of) => [["p50", "q1"], ["p95", "q2"], ["p99", "q3"]].map(([name, key]) => ({name, key, of: (point) => point[of][name]}));
const of = (name) => (point) => point[name];

const charts = [
  {title: "Requests per second", format: write.number, stacked: true,
    lines: ["2xx", "3xx", "4xx", "5xx", "1xx"].map((name) => ({name, key: `c${name[0]}`, of: (point) => point.requests_per_second[name]}))},
  {title: "Duration of requests", format: write.seconds, axis: write.tick, logarithmic: true, lines: quantiles("duration_seconds")},
  {title: "Requests in flight", format: write.number, least: 3, lines: [
    {name: "in flight", key: "u1", of: of("in_flight")}, {name: "of these queued", key: "u2", of: of("queued")}]},
  {title: "Time in the queue", format: write.seconds, axis: write.tick, logarithmic: true, lines: quantiles("queue_seconds")},
  {title: "Loop lag", format: write.seconds, axis: write.tick, logarithmic: true, lines: [
    {name: "p50", key: "q1", of: (point) => point.loop_lag_seconds.p50}, {name: "p99", key: "q3", of: (point) => point.loop_lag_seconds.p99},
    // A loop that is held cannot say how late it is.
    {name: "held for", key: "u2", of: (point) => point.silent_seconds >= SILENT_LONG ? point.silent_seconds : null}]},
  {title: "CPU of all workers", format: (value) => `${write.number(value)} CPU`, axis: write.number, least: 0.1, lines: [{name: "used", key: "u1", of: of("cpus")}]},
  {title: "Connections", format: write.number, least: 3, lines: [
    {name: "open", key: "u1", of: of("connections")}, {name: "WebSockets", key: "u3", of: of("websockets")}]},
  {title: "Bytes per second", format: write.rate, axis: write.bytes, least: 1024, base: 1024, lines: [
    {name: "received", key: "u3", of: of("received_bytes_per_second")}, {name: "sent", key: "u1", of: of("sent_bytes_per_second")}]},
  {title: "Memory of all workers", format: write.bytes, least: 2 ** 20, base: 1024, lines: [{name: "with what they share", key: "u1", of: of("memory_bytes")}]},
].map((each) => new Chart(find("charts"), each, point));

function point(time) {
  for (const each of charts) each.point(time);
  const at = time === null ? null : nearest(past.points, time);
  put(find("moment"), at ? `at ${write.clock(clock() - at.time)}, ${write.age(Math.max(0, clock() - at.time))} ago` : "");
}

for (const [seconds, name] of [[120, "2 min"], [300, "5 min"], [900, "15 min"]]) {
  const button = make("button", "", name);
  button.type = "button";
  button.setAttribute("aria-pressed", String(seconds === span));
  button.addEventListener("click", () => {
    span = seconds;
    for (const each of find("spans").children) each.setAttribute("aria-pressed", String(each === button));
    showPast();
  });
  find("spans").append(button);
}

function showPast() {
  const to = past.points.length ? past.points[past.points.length - 1].time : past.now;
  const oldest = past.points.length ? to - past.points[0].time : 0;
  // A young server's minutes fill the charts, too.
  const shown = Math.min(span, [120, 300, 600, 900].find((each) => each >= oldest) ?? 900);
  const marks = past.incidents.filter((each) => !(each.kind === "worker_end" && each.reason === "told")).map((each) => each.time);
  for (const each of charts) each.show({points: past.points, from: to - shown, to, gap: past.gap, marks});
  slow.show(past.slow, (row) => `${row.time} ${row.pid} ${row.age_seconds} ${row.path}`);
  incidents.show(past.incidents, (row) => `${row.time} ${row.kind} ${row.reason} ${row.pid}`);
}

// Columns as told, to points.
function pointsOf(columns) {
  const at = (column, place) => Array.isArray(column) ? column[place]
    : Object.fromEntries(Object.entries(column).map(([name, inner]) => [name, at(inner, place)]));
  return columns.time.map((_, place) => at(columns, place));
}

// What was read before stays: a monitor that has taken another's place knows less.
function remember(told) {
  const last = past.points.length ? past.points[past.points.length - 1].time : 0;
  if (told.now < last) Object.assign(past, {points: [], incidents: [], slow: []});
  const later = (list, key) => {
    const known = new Set(list.map(key));
    return (each) => !known.has(key(each));
  };
  past.points.push(...pointsOf(told.points).filter((each) => each.time > last || told.now < last));
  const from = told.now - told.kept_seconds;
  past.points = past.points.filter((each) => each.time >= from);
  const merge = (before, come) => [...come.filter(later(before, JSON.stringify)).reverse(), ...before].slice(0, MOST_KEPT);
  past.incidents = merge(past.incidents, told.incidents);
  past.slow = merge(past.slow, told.slow_requests);
  past.minute = told.last_minute;
  past.now = told.now;
  past.read = performance.now();
  past.gap = told.interval_seconds * 2.5;
}

// --- the state now

let before = new Map();  // by pid: what a worker had counted, and when

function showState(status, running) {
  const now = performance.now();
  const used = new Map();
  let cpu = 0;
  for (const each of status.workers) {
    const old = before.get(each.pid);
    if (old && old.number === each.number && now > old.at) {
      const took = (now - old.at) / 1000;
      each.rate = Math.max(0, each.requests - old.requests) / took;
      if (each.cpu_seconds !== undefined) each.cpu = Math.max(0, each.cpu_seconds - old.cpu) / took;
      cpu += each.cpu ?? 0;
    }
    used.set(each.pid, {at: now, number: each.number, requests: each.requests, cpu: each.cpu_seconds});
  }
  before = used;
  const sum = (name) => status.workers.reduce((all, each) => all + (each[name] ?? 0), 0);
  const held = status.workers.filter((each) => each.silent_seconds >= SILENT_LONG).length;
  const [word, mood] = status.stopping ? ["stopping", "warn"] : !status.ready ? ["not ready", "bad"]
    : held > 0 ? [`serving, ${held} held`, "warn"] : ["serving", "good"];
  const badge = find("state");
  badge.className = `badge ${mood}`;
  put(badge, word);
  find("facts").replaceChildren(...[`version ${status.version}`, `up ${write.age(status.uptime_seconds)}`, `master ${status.master_pid}`,
    `generation ${status.generation}`].map((each) => make("span", "", each)));
  document.title = `${word} – unicoro`;

  const minute = past.minute;
  const durations = minute?.duration_seconds;
  const said = (value) => value === null || value === undefined ? "–" : write.seconds(value);
  tile("Requests/s", minute ? write.number(minute.requests / minute.seconds) : "–", `${write.count(status.requests)} in all`);
  tile("Duration, p50", said(durations?.p50), `p95 ${said(durations?.p95)}, p99 ${said(durations?.p99)}`);
  const failed = minute && minute.requests ? minute.requests_5xx / minute.requests : 0;
  tile("Answered 5xx", minute ? write.share(failed) : "–", `${write.count(status.shed)} shed in all`, failed > 0.01 ? "bad" : "");
  const queued = sum("queued");
  tile("In flight", write.count(sum("in_flight")), `${write.count(queued)} queued`, queued > 0 ? "warn" : "");
  tile("Workers serving", `${status.workers_serving} of ${status.workers_wanted}`, held > 0 ? `the loop of ${held} is held` : `${status.worker_starts} started so far`,
    status.workers_serving < status.workers_wanted ? "bad" : held > 0 ? "warn" : "");
  tile("CPU", `${write.number(cpu)}`, "CPUs in use");
  tile("Memory", write.bytes(sum("memory_bytes")), "shared included");
  tile("Connections", write.count(sum("connections")), `${write.count(sum("websockets"))} WebSockets`);

  workers.show(status.workers, (row) => `${row.worker} ${row.pid}`);
  put(find("workers-note"), held > 0 ? "A worker that is silent for long is held by what it runs." : "");
  requests.show(running.requests.slice(0, MOST_ROWS), (row) => row.id);
  const more = Math.max(0, running.requests.length - MOST_ROWS) + running.unlisted;
  put(find("requests-note"), running.requests.length ? `the longest first; a click on a path shows where its code is${more ? `, and ${write.count(more)} more` : ""}` : "");
}

// --- asking

let token = sessionStorage.getItem(TOKEN), timer = 0, failures = 0, heard = null, nextHistory = 0, asking = false;

class Refused extends Error {}

async function ask(path) {
  const headers = token === null ? {} : {Authorization: `Bearer ${token}`};
  const answer = await fetch(path, {headers, cache: "no-store", credentials: "omit", redirect: "error", signal: AbortSignal.timeout(PATIENCE)});
  if (answer.status === 401) throw new Refused();
  if (!answer.ok) throw new Error(`${answer.status} ${(await answer.text()).slice(0, 200).trim()}`);
  return answer.json();
}

function askForToken() {
  if (token !== null) put(find("ask-why"), "That was not the server's admin_token.");
  token = null;
  sessionStorage.removeItem(TOKEN);
  find("main").hidden = true;
  find("lost").hidden = true;
  find("ask").hidden = false;
  find("state").className = "badge";
  put(find("state"), "asks for its token");
  find("token").focus();
}

function showLoss(why) {
  const since = heard === null ? "" : ` since ${heard.toLocaleTimeString([], {hour12: false})}`;
  put(find("lost"), `No answer from the monitor${since}. This page asks on.${why ? ` (${why})` : ""}`);
  find("lost").hidden = false;
  find("main").classList.add("stale");
  find("state").className = "badge bad";
  put(find("state"), "no answer");
  document.title = "no answer – unicoro";
}

// A page that nobody sees asks for nothing.
function again(pause) {
  if (!document.hidden) timer = setTimeout(round, pause);
}

async function round() {
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  try {
    const history = performance.now() >= nextHistory;
    const last = past.points.length ? past.points[past.points.length - 1].time : 0;
    const [status, running, told] = await Promise.all([ask("status"), ask("requests"), history ? ask(`history?since=${last}`) : null]);
    find("main").hidden = false;
    find("texts").hidden = token !== null;  // a link carries none
    if (told) {
      remember(told);
      nextHistory = performance.now() + HISTORY_EVERY - 100;
    }
    showState(status, running);
    if (told) showPast();
    failures = 0;
    heard = new Date();
    find("lost").hidden = true;
    find("main").classList.remove("stale");
    again(ASK_EVERY);
  } catch (failure) {
    if (failure instanceof Refused) {
      askForToken();
    } else {
      ++failures;
      showLoss(failure instanceof TypeError || failure.name === "TimeoutError" ? "" : failure.message);
      nextHistory = 0;
      again(Math.min(LONGEST_PAUSE, 1000 * 1.5 ** failures));
    }
  } finally {
    asking = false;
  }
}

find("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  token = find("token").value.trim();
  find("token").value = "";
  sessionStorage.setItem(TOKEN, token);
  find("ask").hidden = true;
  round();
});

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (!document.hidden && find("ask").hidden) round();
});
addEventListener("online", () => find("ask").hidden && round());

round();
