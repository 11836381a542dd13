"use strict";
/* The list of runs and the pages of nights: filter, charts over time, copy buttons, light and dark. */
(() => {
  const D = JSON.parse(document.getElementById("data").textContent), $ = id => document.getElementById(id);
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const el = (tag, attributes = {}, ...children) => { const n = document.createElement(tag); for (const k in attributes) n.setAttribute(k, attributes[k]); n.append(...children); return n; };

  // ---- Runs ----
  if ($("list")) {
    const body = $("list").tBodies[0], WORDS = { "insufficient-evidence": "Not enough evidence" };
    const word = v => WORDS[v] || v[0].toUpperCase() + v.slice(1);
    const text = D.runs.map(r => [r.name, r.verdict, r.cluster, r.workload, r.faults.join(","), r.plantedBug || "", r.image || "", r.seed, r.why, r.nodes + " nodes"].join(" ").toLowerCase());
    for (const v of [...new Set(D.runs.map(r => r.verdict))].sort()) $("verdict").append(el("option", { value: v }, word(v)));
    let limit = 100, sort = null, down = true;
    // How each column sorts; runs come newest first, and stay so among equals.
    const BY = { run: (r, i) => -i, verdict: r => r.verdict, on: r => r.cluster, nodes: r => r.nodes, faults: r => r.faults.join(",") + (r.plantedBug || ""), operations: r => r.operations, "longest gap": r => r.longestUnavailableMillis };
    const heads = [...document.querySelectorAll("#list th[data-sort]")];
    for (const head of heads) head.firstChild.onclick = () => {
      const by = head.dataset.sort; down = sort === by ? !down : typeof BY[by](D.runs[0], 0) === "number"; sort = by;
      for (const h of heads) h.ariaSort = h === head ? (down ? "descending" : "ascending") : null;
      fill();
    };
    const fill = () => {
      const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean), verdict = $("verdict").value;
      let found = D.runs.filter((r, i) => (!verdict || r.verdict === verdict) && words.every(w => text[i].includes(w)));
      if (sort) { const value = new Map(D.runs.map((r, i) => [r, BY[sort](r, i)])); found = found.sort((a, b) => { const x = value.get(a), y = value.get(b); return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1); }); }
      body.replaceChildren(...found.slice(0, limit).map(r => el("tr", {},
        el("td", {}, el("a", { href: "/" + r.name.split("/").map(encodeURIComponent).join("/") + "/" }, r.name), el("br"), el("span", { class: "small muted", style: "white-space:nowrap" }, r.started + " UTC, seed " + r.seed)),
        el("td", {}, el("span", { class: "verdict s " + r.verdict }, word(r.verdict))),
        el("td", { "data-l": "on" }, r.cluster === "docker" ? "containers" : r.cluster || "–"),
        el("td", { class: "num", "data-l": "nodes" }, r.nodes || "–"),
        el("td", { "data-l": "faults" }, (r.faults.join(", ") || "none") + (r.plantedBug ? ", planted " + r.plantedBug : "")),
        el("td", { class: "num", "data-l": "operations" }, r.operations < 0 ? "–" : r.operations.toLocaleString("en")),
        el("td", { class: "num", "data-l": "longest gap" }, r.longestUnavailableMillis < 0 ? "–" : (r.longestUnavailableMillis / 1000).toFixed(1) + " s"),
        el("td", { class: "small muted", style: "max-width:34ch;overflow-wrap:anywhere" }, r.why.length > 150 ? r.why.slice(0, 150) + "…" : r.why))));
      if (!found.length) body.append(el("tr", {}, el("td", { colspan: 8, class: "muted" }, "No run fits.")));
      $("shown").textContent = found.length === D.runs.length ? "" : found.length + " of " + D.runs.length;
      $("more").hidden = found.length <= limit; $("more").textContent = "Show more (" + (found.length - limit) + ")";
    };
    $("filter").oninput = $("verdict").onchange = () => { limit = 100; fill(); };
    $("more").onclick = () => { limit += 400; fill(); };
    document.addEventListener("keydown", e => { if (e.key === "/" && e.target.tagName !== "INPUT") { e.preventDefault(); $("filter").focus(); } });
    fill();
  }

  // ---- Charts over time ----
  let plots = [];
  const charts = () => {
    if (!$("plots")) return;
    plots.forEach(p => p.destroy()); plots = []; $("plots").replaceChildren();
    const colors = ["ok", "fail", "info", "leader"].map(n => css("--" + n)), muted = css("--muted"), line = css("--line");
    for (const chart of D.trends || []) {
      if (chart.times.length < 2) continue;
      const host = el("div", { class: "plot" }), names = Object.keys(chart.lines), axis = { stroke: muted, grid: { stroke: line, width: 1 }, ticks: { stroke: line } };
      $("plots").append(el("div", { class: "chart" }, el("h3", {}, chart.title), host));
      plots.push(new uPlot({
        width: $("plots").clientWidth, height: 190, scales: { y: { range: (u, lo, hi) => [0, (hi || 1) * 1.1] } }, axes: [axis, { ...axis, size: 56 }],
        series: [{ label: "when" }, ...names.map((name, i) => ({ label: name, stroke: colors[i % 4], width: 1.6, dash: [[], [7, 4], [3, 3], [9, 3, 2, 3]][i % 4], spanGaps: true, points: { size: 6, fill: colors[i % 4] }, value: (u, v) => v == null ? "–" : v.toFixed(1) }))],
      }, [chart.times, ...names.map(n => chart.lines[n].map(v => v === "" ? null : v))], host));
    }
    if (!plots.length) $("plots").append(el("p", { class: "muted" }, "Trends begin with the second one."));
  };
  const theme = (name, keep) => { document.documentElement.dataset.theme = name; $("theme").textContent = name === "dark" ? "Light" : "Dark"; if (keep) try { localStorage.setItem("raftlab-theme", name); } catch (e) { /* a file may have no storage */ } charts(); };
  $("theme").onclick = () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark", true);
  addEventListener("resize", () => plots.forEach(p => p.setSize({ width: $("plots").clientWidth, height: 190 })));
  let before; addEventListener("beforeprint", () => { before = document.documentElement.dataset.theme; theme("light"); }); addEventListener("afterprint", () => theme(before));
  document.querySelectorAll("[data-copy]").forEach(b => { b.onclick = async () => { try { await navigator.clipboard.writeText(b.dataset.copy); b.textContent = "Copied"; } catch (e) { getSelection().selectAllChildren(b.previousElementSibling); b.textContent = "Selected"; } setTimeout(() => { b.textContent = "Copy"; }, 1600); }; });
  theme(document.documentElement.dataset.theme);
  document.documentElement.dataset.ready = "true";
})();
