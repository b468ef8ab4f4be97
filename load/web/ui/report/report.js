// Draws the report from window.templateArgs. Everything is put in as text, never as HTML.
(() => {
  const args = window.templateArgs;
  const root = document.getElementById("root");
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text != null) made.textContent = text;
    if (className) made.className = className;
    return made;
  };
  const number = (value) => (typeof value !== "number" ? value : Number.isInteger(value) ? value.toLocaleString("en") : value.toFixed(2));
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function table(title, columns, rows, isTotal) {
    root.append(element("h2", title));
    if (!rows.length) return root.append(element("p", "None."));
    const scroll = element("div", null, "scroll");
    const made = element("table");
    const head = element("tr");
    columns.forEach(([label, , text]) => head.append(element("th", label, text ? "text" : "")));
    made.createTHead().append(head);
    const body = made.createTBody();
    for (const row of rows) {
      const line = element("tr", null, isTotal && isTotal(row) ? "total" : "");
      columns.forEach(([, key, text]) => line.append(element("td", number(row[key]), text ? "text" : "")));
      body.append(line);
    }
    scroll.append(made);
    root.append(scroll);
  }

  function chart(title, series) {
    const times = args.history.map((point) => Date.parse(point.time) / 1000);
    if (times.length < 2) return;
    root.append(element("h2", title));
    const box = element("div");
    root.append(box);
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line") } };
    new uPlot({ width: Math.min(1150, root.clientWidth), height: 260, axes: [axis, axis],
      series: [{}, ...series.map(([label, , stroke]) => ({ label, stroke: colour(stroke), width: 1.75, points: { show: false } }))] },
      [times, ...series.map(([, key]) => args.history.map((point) => point[key][1]))], box);
  }

  root.append(element("h1", `Load test: ${args.locustfile}`));
  root.append(element("p", `During ${args.start_time} to ${args.end_time} (${args.duration})`));
  root.append(element("p", `Target host: ${args.host}`));
  if (args.show_download_link) {
    const link = element("a", "Download the report");
    link.href = "?download=1";
    root.append(link);
  }
  const total = (row) => row.name === "Aggregated" && !row.method;
  table("Requests", [["Method", "method", 1], ["Name", "name", 1], ["Requests", "num_requests"], ["Failures", "num_failures"],
    ["Average (ms)", "avg_response_time"], ["Min (ms)", "min_response_time"], ["Max (ms)", "max_response_time"],
    ["Average size (bytes)", "avg_content_length"], ["RPS", "total_rps"], ["Failures/s", "total_fail_per_sec"]], args.requests_statistics, total);
  table("Response times", [["Method", "method", 1], ["Name", "name", 1],
    ...["0.5", "0.6", "0.7", "0.8", "0.9", "0.95", "0.99", "1.0"].map((key) => [`${+(Number(key) * 100).toFixed(2)} %`, key])], args.response_time_statistics, total);
  chart("Requests per second", [["Requests/s", "current_rps", "--a"], ["Failures/s", "current_fail_per_sec", "--b"]]);
  chart("Response times (ms)", [["50 %", "response_time_percentile_0.5", "--c"], ["95 %", "response_time_percentile_0.95", "--d"]]);
  chart("Users", [["Users", "user_count", "--c"]]);
  table("Failures", [["Occurrences", "occurrences"], ["Method", "method", 1], ["Name", "name", 1], ["Error", "error", 1]], args.failures_statistics);
  table("Exceptions", [["Count", "count"], ["Message", "msg", 1], ["Traceback", "traceback", 1]], args.exceptions_statistics);
  const shares = Object.entries(args.tasks.total).flatMap(([name, user]) => [{ name, ratio: user.ratio * 100 },
    ...Object.entries(user.tasks).map(([task, entry]) => ({ name: `    ${task}`, ratio: entry.ratio * 100 }))]);
  table("Share of each task (%)", [["Task", "name", 1], ["Share", "ratio"]], shares);
})();
