// Draws the report from window.templateArgs. Everything is put in as text, never as HTML.
(() => {
  const args = window.templateArgs;
  const root = document.getElementById("root");
  const page = document.documentElement;
  const charts = [];
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text != null) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const add = (...made) => root.append(...made);
  /** What one cannot see, or what turns text around, by its number: with it, a name could look like another one. */
  const readable = (text) => text.replace(/[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\u27e8U+${character.charCodeAt(0).toString(16).toUpperCase()}\u27e9`);
  const number = (value) => (typeof value !== "number" ? readable(String(value)) : Number.isInteger(value) ? value.toLocaleString("en")
    : value.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
  const colour = (name) => getComputedStyle(page).getPropertyValue(name).trim();
  const badge = (text, grade) => element("span", text, `grade ${grade}`);

  /** Tables with more rows scroll. */
  const LONG = 30;
  const WIDE = "text wide";

  /** Columns are [label, key or function, class of its cells]. */
  function table(title, columns, rows, isTotal) {
    add(element("h2", title));
    if (!rows.length) return add(element("p", "None."));
    const made = element("table");
    const head = element("tr");
    columns.forEach(([label, , kind]) => head.append(element("th", label, kind)));
    made.createTHead().append(head);
    const body = made.createTBody();
    for (const row of rows) {
      const line = element("tr", null, isTotal && isTotal(row) ? "total" : "");
      for (const [, what, kind] of columns) {
        const cell = element("td", null, kind);
        const value = typeof what === "function" ? what(row) : row[what];
        cell.append(value == null ? "–" : value instanceof Node ? value : number(value));
        line.append(cell);
      }
      body.append(line);
    }
    const scroll = element("div", null, rows.length > LONG ? "scroll long" : "scroll");
    scroll.tabIndex = 0;
    scroll.role = "region";
    scroll.ariaLabel = title;
    scroll.append(made);
    add(scroll);
  }

  /** Lines are [label, values, colour]. */
  function chart(title, xs, lines, x = {}) {
    if (xs.length < 2) return;
    const box = element("div");
    add(element("h2", title), box);
    const draw = () => {
      const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line") }, ticks: { show: false } };
      const width = Math.min(1150, root.clientWidth);
      const clock = (t, end) => new Date(t * 1000).toTimeString().slice(0, end);
      const time = x.axis ? x : { axis: { values: (_, times) => times.map((t) => clock(t, times[1] - times[0] < 60 ? 8 : 5)) },
        series: { label: "Time", value: (_, t) => (t == null ? "–" : clock(t, 8)) } };
      const made = new uPlot({ width, height: 260, axes: [{ ...axis, ...time.axis }, { ...axis, size: 62 }],
        scales: { x: { time: !x.axis }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
        series: [time.series, ...lines.map(([label, , stroke]) => ({ label, stroke: colour(stroke), width: 1.75,
          points: { show: Boolean(x.axis) }, value: (_, value) => (value == null ? "–" : number(value)) }))] },
        [xs, ...lines.map(([, values]) => values)], box);
      return () => { made.destroy(); };
    };
    charts.push({ draw, remove: draw() });
  }

  function redraw() {
    for (const chart of charts) {
      chart.remove();
      chart.remove = chart.draw();
    }
  }

  const wanted = page.dataset.theme;
  const dark = wanted === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : wanted === "dark";
  page.dataset.theme = dark ? "dark" : "light";
  document.title = `Load test: ${args.locustfile}`;
  const top = element("header");
  const said = element("div");
  said.append(element("h1", document.title));
  if (args.start_time) said.append(element("p", `During ${args.start_time} to ${args.end_time} (${args.duration})`));
  said.append(element("p", `Target host: ${args.host}`));
  if (args.show_download_link) {
    const link = element("a", "Download the report");
    link.href = "?download=1";
    said.append(link);
  }
  const theme = element("button", "Light / dark");
  theme.type = "button";
  theme.addEventListener("click", () => {
    page.dataset.theme = page.dataset.theme === "dark" ? "light" : "dark";
    redraw();
  });
  top.append(said, theme);
  add(top);
  for (const note of args.notes) add(element("p", note, "note"));

  const total = args.requests_statistics[args.requests_statistics.length - 1];
  const times = args.response_time_statistics[args.response_time_statistics.length - 1];
  const ms = (value) => (value == null || !total.num_requests ? "–" : `${value < 10 ? value.toFixed(2) : Math.round(value).toLocaleString("en")} ms`);
  const figures = element("dl", null, "figures");
  for (const [name, value] of [["Requests", number(total.num_requests)],
    ["Failures", total.num_requests ? `${number(total.num_failures)} (${(100 * total.num_failures / total.num_requests).toFixed(1)} %)` : "–"],
    ["Requests/s", total.total_rps.toFixed(1)], ["Median", ms(times["0.5"])], ["95 %", ms(times["0.95"])], ["99 %", ms(times["0.99"])],
    ["Peak users", args.peak_users == null ? "–" : number(args.peak_users)]]) {
    const figure = element("div");
    figure.append(element("dt", name), element("dd", value));
    figures.append(figure);
  }
  add(figures);

  if (args.verdicts.length) {
    table("Expectations", [["Of", (row) => row.scope || "all requests", WIDE], ["Metric", "metric", "text"],
      ["Measured", (row) => row.value || "not measured"], ["Expected", "limit"],
      ["Verdict", (row) => badge(row.passed ? "pass" : "fail", row.passed ? "good" : "poor")]], args.verdicts);
  }
  table("Key metrics", [["Metric", "name", "text"], ["Measured", (row) => (row.value == null ? null : `${number(row.value)} ${row.unit}`)],
    ["Grade", (row) => (row.grade ? badge(row.grade, row.grade) : null), "text"],
    ["Good", (row) => `${row.less ? "<" : ">"} ${row.good} ${row.unit}`], ["Poor", (row) => `${row.less ? ">" : "<"} ${row.poor} ${row.unit}`]], args.metrics);

  if (args.diagnosis.length) {
    table("Troubleshooting", [["Problem", "problem", WIDE], ["What this run shows", "evidence", WIDE], ["What to try", "advice", WIDE]], args.diagnosis);
  }
  if (args.scaling.length) {
    table("Scaling", [["Users", "users"], ["Requests", "requests"], ["Success (%)", "success"], ["Requests/s", "rps"],
      ["Average (ms)", "avg"], ["50 %", "p50"], ["95 %", "p95"], ["99 %", "p99"],
      ["Steady", (row) => (row.generator_bound ? "the generator was the limit" : { true: "yes", false: "no" }[row.steady])]], args.scaling);
    for (const line of args.findings) add(element("p", line, "finding"));
    const by = (key) => args.scaling.map((step) => step[key]);
    const users = { axis: {}, series: { label: "Users" } };
    const failing = args.scaling.some((step) => step.success < 100);
    const rates = [["Requests/s", by("rps"), failing ? "--c" : "--a"]];
    if (failing) rates.push(["Without failure", by("good_rps"), "--a"]);
    chart("Throughput over users (requests/s)", by("users"), rates, users);
    chart("Response times over users (ms)", by("users"), [["50 %", by("p50"), "--c"], ["95 %", by("p95"), "--d"], ["99 %", by("p99"), "--e"]], users);
  }

  for (const [title, lines] of args.insight) {
    add(element("h2", title));
    const list = element("ul");
    for (const line of lines) list.append(element("li", line));
    add(list);
  }

  const isTotal = (row) => row.name === "Aggregated" && !row.method;
  table("Requests", [["Method", "method", "text"], ["Name", "name", WIDE], ["Requests", "num_requests"], ["Failures", "num_failures"],
    ["Average (ms)", "avg_response_time"], ["Min (ms)", "min_response_time"], ["Max (ms)", "max_response_time"],
    ["Size (bytes)", "avg_content_length"], ["RPS", "total_rps"], ["Failures/s", "total_fail_per_sec"]], args.requests_statistics, isTotal);
  table("Response times (ms)", [["Method", "method", "text"], ["Name", "name", WIDE],
    ...["0.5", "0.6", "0.7", "0.8", "0.9", "0.95", "0.99", "1.0"].map((key) => [`${+(Number(key) * 100).toFixed(2)} %`, key])], args.response_time_statistics, isTotal);

  const points = args.points;
  const of = (key) => points.map((point) => point[key]);
  chart("Requests per second", of("t"), [["Requests/s", of("rps"), "--a"], ["Failures/s", of("fps"), "--b"]]);
  chart("Response times over ten seconds (ms)", of("t"), [["50 %", of("p50"), "--c"], ["95 %", of("p95"), "--d"], ["99 %", of("p99"), "--e"]]);
  chart("Users", of("t"), [["Users", of("users"), "--c"]]);

  // What is tested comes before what tests it.
  const isService = (part) => part.label.startsWith("service");
  for (const part of [...args.resources.filter(isService), ...args.resources.filter((part) => !isService(part))]) {
    const used = (key) => part.points.map((point) => point[key]);
    const title = `CPU of the ${part.label} (% of a core)`;
    const thread = used("busiest_thread").some((value) => value != null) ? [["Busiest thread", used("busiest_thread"), "--c"]] : [];
    if (part.line) chart(title, used("t"), [["CPU", used("cpu"), "--a"], ...thread]);
    if (used("memory_mb").some((value) => value != null)) chart(`Memory of the ${part.label} (MB)`, used("t"), [["Memory", used("memory_mb"), "--d"]]);
    if (used("lag_ms").some((value) => value != null)) chart(`How late the ${part.label}'s event loop was (ms)`, used("t"), [["Late by", used("lag_ms"), "--b"]]);
    if (part.line) add(element("p", part.line));
  }

  /** How often something happened in stretches of the run, as bars. */
  const bars = ({ counts }) => {
    if (!counts?.length) return null;
    const svg = (name, attributes) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };
    const top = Math.max(...counts) || 1;
    const step = 120 / counts.length;
    const label = `At most ${number(top)} in one of ${counts.length} stretches of the run`;
    const made = svg("svg", { class: "occurrences", viewBox: "0 0 120 24", preserveAspectRatio: "none", role: "img", "aria-label": label });
    counts.forEach((count, at) => {
      const height = Math.max(2, (count / top) * 24);
      if (count) made.append(svg("rect", { x: at * step, y: 24 - height, width: Math.max(0.6, step - 0.4), height }));
    });
    return made;
  };
  const seen = (key) => (row) => (row[key] == null ? null : new Date(row[key] * 1000).toISOString().replace(/\.\d+/, ""));
  table("Failures", [["Occurrences", "occurrences"], ["Over the run", bars, "text"], ["First seen", seen("first_seen"), "text"], ["Last seen", seen("last_seen"), "text"],
    ["Method", "method", "text"], ["Name", "name", WIDE], ["Error", "error", WIDE]], args.failures_statistics);
  if (args.cut_off) add(element("p", `${number(args.cut_off)} requests were still open when the run ended, and are counted nowhere else.`, "note"));
  table("Exceptions", [["Count", "count"], ["Over the run", bars, "text"], ["First seen", seen("first_seen"), "text"], ["Last seen", seen("last_seen"), "text"],
    ["Message", "msg", WIDE], ["Traceback", "traceback", WIDE]], args.exceptions_statistics);
  const shares = (tree, depth) => Object.entries(tree).flatMap(([name, entry]) =>
    [{ name: "    ".repeat(depth) + name, ratio: entry.ratio * 100 }, ...shares(entry.tasks || {}, depth + 1)]);
  table("Share of each task (%)", [["Task", "name", "text pre"], ["Within its parent", "own"], ["Of all", "ratio"]],
    shares(args.tasks.total, 0).map((row, at) => ({ ...row, own: shares(args.tasks.per_class, 0)[at]?.ratio })));

  // On paper it is light; a canvas has to be drawn anew for that.
  let onScreen = page.dataset.theme;
  addEventListener("beforeprint", () => {
    onScreen = page.dataset.theme;
    page.dataset.theme = "light";
    redraw();
  });
  addEventListener("afterprint", () => {
    page.dataset.theme = onScreen;
    redraw();
  });

  let width = root.clientWidth;
  addEventListener("resize", () => {
    if (root.clientWidth !== width) redraw();
    width = root.clientWidth;
  });
})();
