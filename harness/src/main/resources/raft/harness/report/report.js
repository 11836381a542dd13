"use strict";
/* The page of one run: unpacks the data, draws the timeline on a canvas of its own and the charts with uPlot. One state, `view`: the stretch of
   time that is shown; everything follows it. Times are microseconds since the run began. */
(async () => {
  const started = performance.now();
  const $ = id => document.getElementById(id);
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const el = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "onclick") node.onclick = value; else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  };

  // ---- Data ----
  const packed = Uint8Array.from(atob($("data").textContent.trim()), c => c.charCodeAt(0));
  $("data").remove();
  const D = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  const O = D.ops, N = O.t.length, OUT = ["open", "ok", "fail", "info"], OUT_WORDS = ["no answer", "ok", "failed", "unknown"];
  const start = new Float64Array(N), end = new Float64Array(N), lane = new Int32Array(N), outcome = Uint8Array.from(O.o), index = new Float64Array(N);
  let t = 0, ix = 0;
  for (let i = 0; i < N; i++) { t += O.t[i]; ix += O.i[i]; start[i] = t; index[i] = ix; end[i] = O.d[i] < 0 ? -1 : t + O.d[i]; }
  const runEnd = Math.max(D.end, 1), runStart = D.start;
  const lanes = assignLanes();
  const accused = new Map(D.accused.map(i => [i, true]));
  const accusedOps = []; for (let i = 0; i < N; i++) if (accused.has(index[i])) accusedOps.push(i);

  /* A process is one client at a time, and after an unknown outcome its thread goes on as another; threads are lanes. Where the number of threads is
     not known, processes whose lives do not overlap share a lane. */
  function assignLanes() {
    const found = [];
    if (D.concurrency > 0) {
      for (let i = 0; i < N; i++) { const l = O.p[i] % D.concurrency; lane[i] = l; (found[l] ||= []).push(i); }
      for (let l = 0; l < D.concurrency; l++) found[l] ||= [];
    } else {
      const last = new Map(); for (let i = 0; i < N; i++) last.set(O.p[i], end[i] < 0 ? Infinity : end[i]);
      const of = new Map(), free = [];
      for (let i = 0; i < N; i++) {
        let l = of.get(O.p[i]);
        if (l === undefined) { l = free.findIndex(until => until < start[i]); if (l < 0) { l = free.length; free.push(0); found.push([]); } of.set(O.p[i], l); free[l] = last.get(O.p[i]); }
        lane[i] = l; found[l].push(i);
      }
    }
    const arrays = found.map(list => Int32Array.from(list));
    // What never ended is drawn up to the next operation of its lane.
    for (const list of arrays) for (let j = 0; j < list.length; j++) if (end[list[j]] < 0) end[list[j]] = j + 1 < list.length ? start[list[j + 1]] : runEnd;
    return arrays;
  }

  const f = i => D.functions[O.f[i]], key = i => D.keys[O.k[i]], node = i => O.n[i] < 0 ? null : D.nodeNames[O.n[i]], error = i => O.e[i] < 0 ? null : D.errors[O.e[i]];
  const show = v => v === null ? "nil" : Array.isArray(v) ? "[" + v.map(show).join(", ") + "]" : String(v);
  const duration = us => us < 1000 ? us.toFixed(0) + " µs" : us < 1e6 ? (us / 1e3).toFixed(us < 1e4 ? 2 : 1) + " ms" : (us / 1e6).toFixed(2) + " s";
  const clock = us => { const span = view.to - view.from; return (us / 1e6).toFixed(span > 2e7 ? 1 : span > 2e5 ? 3 : 6) + " s"; };
  const at = us => (us / 1e6).toFixed(3) + " s";
  // What these bring back is what matters of them; others are told by what they were asked to do.
  const brings = name => /^(read|get|acquire|dequeue|poll|pop)$/.test(name);
  const words = (name, k, ok, v) => name + (k === null ? "" : " " + show(k)) + (brings(name) ? (ok ? " → " + show(v) : v === null ? "" : " " + show(v)) : v === null ? "" : " " + show(v));
  const title = i => words(f(i), key(i), outcome[i] === 1, O.v[i]);
  const short = i => { const r = brings(f(i)); return f(i)[0] + " " + (key(i) === null ? "" : show(key(i)) + (O.v[i] === null && !(r && outcome[i] === 1) ? "" : "=")) + (O.v[i] === null ? (r && outcome[i] === 1 ? "nil" : "") : show(O.v[i])); };

  // ---- State ----
  const view = { from: runStart, to: runEnd };
  let selected = null, matches = null, matchSet = null, matchAt = -1, colors = {}, dirty = true;
  const listeners = [];
  const failing = accusedOps.length || D.counterexample ? window_() : null;
  function window_() {
    const from = D.counterexample.from, to = D.counterexample.to, margin = Math.max((to - from) * .15, 2000);
    return [from - margin, to + margin];
  }
  function setView(from, to, source) {
    const span = Math.min(Math.max(to - from, 20), runEnd - runStart);
    from = Math.max(runStart, Math.min(from, runEnd - span));
    view.from = from; view.to = from + span;
    redraw();
    listeners.forEach(listen => listen(source));
  }
  const zoom = (factor, centre = (view.from + view.to) / 2) => setView(centre - (centre - view.from) * factor, centre + (view.to - centre) * factor);
  const pan = share => setView(view.from + share * (view.to - view.from), view.to + share * (view.to - view.from));
  let frame = 0;
  function redraw() { dirty = true; if (!frame) frame = requestAnimationFrame(() => { frame = 0; if (dirty) { dirty = false; draw(); } }); }

  // ---- Timeline ----
  const canvas = $("canvas"), c = canvas.getContext("2d");
  let W = 0, H = 0, LABEL = 118, rows = {}, ratio = 1;
  const faultRows = packFaults();
  function packFaults() {
    const rowEnds = [];
    return D.faults.map(fault => {
      const from = fault.from, to = fault.to < 0 ? runEnd : fault.to;
      let row = rowEnds.findIndex(until => until < from);
      if (row < 0) { row = rowEnds.length; rowEnds.push(0); }
      rowEnds[row] = to;
      return { ...fault, to, row };
    });
  }
  function layout() {
    const box = $("frame").clientWidth;
    LABEL = box < 560 ? 62 : 118;
    ratio = Math.min(window.devicePixelRatio || 1, 2);
    const laneHeight = Math.max(4, Math.min(20, Math.floor((box < 560 ? 300 : 420) / Math.max(1, lanes.length))));
    const faultCount = Math.max(0, ...faultRows.map(x => x.row + 1));
    let y = 4;
    rows = {};
    rows.over = { y, h: 36 }; y += 36 + 6;
    rows.axis = { y, h: 20 }; y += 20;
    rows.faults = { y, h: faultCount * 18, each: 18 }; y += faultCount * 18 + (faultCount ? 8 : 0);
    rows.nodes = { y, h: D.nodes.length * 20, each: 20 }; y += D.nodes.length * 20 + (D.nodes.length ? 8 : 0);
    rows.lanes = { y, h: lanes.length * laneHeight, each: laneHeight }; y += rows.lanes.h + 6;
    W = box; H = y;
    canvas.style.height = H + "px";
    canvas.width = Math.round(W * ratio); canvas.height = Math.round(H * ratio);
    overview = null;
  }
  const x = us => LABEL + (us - view.from) / (view.to - view.from) * (W - LABEL - 6);
  const us = px => view.from + (px - LABEL) / (W - LABEL - 6) * (view.to - view.from);
  function readColors() { for (const n of ["bg", "surface", "line", "line-strong", "text", "muted", "ok", "fail", "info", "open", "leader", "candidate", "follower", "down", "accused", "match", "fault", "fault-band", "accent", "bad", "unsure"]) colors[n] = css("--" + n); overview = null; }
  const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
  /* As much of a text as fits. Measuring is dear, so what fits or fails for certain is not measured, and the rest by halving. */
  function fitText(text, width) {
    if (text.length * 11 <= width || c.measureText(text).width <= width) return text;
    let low = 0, high = Math.min(text.length - 1, Math.floor(width / 3));
    while (low < high) { const m = (low + high + 1) >> 1; if (c.measureText(text.slice(0, m) + "…").width <= width) low = m; else high = m - 1; }
    return low > 1 ? text.slice(0, low) + "…" : "";
  }

  function draw() {
    const begun = performance.now();
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, W, H);
    c.font = FONT; c.textBaseline = "middle"; c.textAlign = "left";
    c.save(); c.beginPath(); c.rect(LABEL, 0, W - LABEL, H); c.clip();
    drawBands(); drawAxis(); drawFaults(); drawNodes(); drawOps(); drawFailing();
    c.restore();
    drawOverview(); drawLabels();
    const took = performance.now() - begun;
    (window.raftFrames ||= []).push(took);
    scheduleLists();
  }
  function drawBands() {
    c.fillStyle = colors["fault-band"];
    const y = rows.nodes.y, h = rows.lanes.y + rows.lanes.h - y;
    for (const fault of faultRows) if (fault.proven && fault.to >= view.from && fault.from <= view.to) c.fillRect(x(fault.from), y, Math.max(1, x(fault.to) - x(fault.from)), h);
  }
  function ticks() {
    const span = view.to - view.from, wanted = Math.max(2, Math.floor((W - LABEL) / 110)), raw = span / wanted, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map(m => m * power).find(s => s >= raw), found = [];
    for (let v = Math.ceil(view.from / step) * step; v <= view.to; v += step) found.push(v);
    return [found, step];
  }
  function drawAxis() {
    const [marks, step] = ticks(), digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(step / 1e6)))), y = rows.axis.y;
    c.strokeStyle = colors.line; c.fillStyle = colors.muted; c.lineWidth = 1; c.beginPath(); c.textAlign = "center";
    for (const v of marks) {
      const px = Math.round(x(v)) + .5, label = (v / 1e6).toFixed(digits) + " s", half = c.measureText(label).width / 2;
      c.moveTo(px, y + 16); c.lineTo(px, H);
      if (px - half > LABEL && px + half < W) c.fillText(label, px, y + 8);
    }
    c.stroke(); c.textAlign = "left";
  }
  let hatch;
  function hatched() {
    if (hatch && hatch.color === colors.fault) return hatch.pattern;
    const tile = document.createElement("canvas"); tile.width = tile.height = 8;
    const h = tile.getContext("2d"); h.strokeStyle = colors.fault; h.globalAlpha = .55; h.lineWidth = 1.2; h.beginPath();
    for (const o of [-8, 0, 8]) { h.moveTo(o, 8); h.lineTo(o + 8, 0); } h.stroke();
    hatch = { color: colors.fault, pattern: c.createPattern(tile, "repeat") };
    return hatch.pattern;
  }
  function drawFaults() {
    for (const fault of faultRows) {
      if (fault.to < view.from || fault.from > view.to) continue;
      const from = Math.max(LABEL, x(fault.from)), to = Math.min(W, x(fault.to)), y = rows.faults.y + fault.row * 18, w = Math.max(2, to - from);
      c.fillStyle = colors.surface; c.fillRect(from, y + 1, w, 16);
      if (fault.proven) { c.fillStyle = hatched(); c.fillRect(from, y + 1, w, 16); }
      c.strokeStyle = colors.fault; c.lineWidth = selected?.fault === fault ? 2.5 : 1; c.setLineDash(fault.proven ? [] : [3, 3]); c.strokeRect(from + .5, y + 1.5, Math.max(1, w - 1), 15); c.setLineDash([]);
      const text = fitText(fault.kind + (fault.proven ? "" : " (" + fault.status + ")"), w - 12);
      if (text && w > 30) { c.fillStyle = colors.surface; c.fillRect(from + 4, y + 3, c.measureText(text).width + 5, 12); c.fillStyle = colors.text; c.fillText(text, from + 6, y + 9.5); }
    }
  }
  const ROLE = { leader: "leader", candidate: "candidate", "pre-candidate": "candidate", follower: "follower", learner: "follower", "": "down" };
  function drawNodes() {
    D.nodes.forEach((n, i) => {
      const y = rows.nodes.y + i * 20;
      n.roles.forEach(([from, role, term], j) => {
        const to = j + 1 < n.roles.length ? n.roles[j + 1][0] : runEnd;
        if (to < view.from || from > view.to) return;
        const a = Math.max(LABEL, x(from)), b = Math.min(W, x(to)), w = Math.max(1, b - a), down = role === "down" || role === "";
        c.fillStyle = colors[ROLE[role] || (down ? "down" : "follower")]; c.globalAlpha = role === "pre-candidate" ? .55 : role === "follower" ? .55 : 1;
        c.fillRect(a, y + 2, w, 15); c.globalAlpha = 1;
        if (down) { c.strokeStyle = colors["line-strong"]; c.setLineDash([2, 3]); c.beginPath(); c.moveTo(a, y + 9.5); c.lineTo(b, y + 9.5); c.stroke(); c.setLineDash([]); }
        const text = down ? "no answer" : ((role === "leader" ? "leader " : role === "follower" ? "" : role + " ") + (term ? "T" + term : "")).trim(), fit = fitText(text, w - 8);
        if (fit && w > 22) { c.fillStyle = role === "leader" || role === "candidate" ? (document.documentElement.dataset.theme === "dark" ? "#10211b" : role === "leader" ? "#fff" : "#1d1d1b") : colors.text; c.fillText(fit, a + 4, y + 10); }
      });
      let last = -9;
      for (const [when, level] of n.logs) {
        if (when < view.from || when > view.to) continue;
        const px = x(when); if (px - last < 1.5 && level === 0) continue; last = px;
        c.fillStyle = level === 2 ? colors.bad : level === 1 ? colors.fail : colors.muted; c.fillRect(px, y + (level ? 12 : 15), 1.5, level ? 7 : 4);
      }
    });
  }
  const PASSES = [1, 0, 2, 3];
  /* More operations than can be told apart: in each pixel the outcome that matters most, and one rectangle for each stretch of the same. Operations
     are looked at once, whatever their outcome, which keeps 100,000 of them within a frame. */
  const RANK = [2, 1, 3, 4], RANK_COLOR = ["", "ok", "open", "fail", "info"];
  function drawDense(ranges, h, gap, scale) {
    const width = Math.ceil(W - LABEL), pixels = new Uint8Array(width), bars = [[], [], [], [], []];
    for (let l = 0; l < lanes.length; l++) {
      const list = lanes[l], y = rows.lanes.y + l * h + gap / 2;
      pixels.fill(0);
      for (let j = ranges[l][0]; j < ranges[l][1]; j++) {
        const i = list[j], rank = RANK[outcome[i]], to = Math.min(width - 1, Math.floor((end[i] - view.from) * scale));
        for (let p = Math.max(0, Math.floor((start[i] - view.from) * scale)); p <= to; p++) if (pixels[p] < rank) pixels[p] = rank;
      }
      for (let p = 0; p < width;) { const rank = pixels[p], from = p; while (p < width && pixels[p] === rank) p++; if (rank) bars[rank].push(LABEL + from, y, p - from); }
    }
    for (let rank = 1; rank < 5; rank++) { c.fillStyle = colors[RANK_COLOR[rank]]; const list = bars[rank]; for (let k = 0; k < list.length; k += 3) c.fillRect(list[k], list[k + 1], list[k + 2], h - gap); }
  }
  function firstVisible(list) { let low = 0, high = list.length; while (low < high) { const m = (low + high) >> 1; if (end[list[m]] < view.from) low = m + 1; else high = m; } return low; }
  function drawOps() {
    const h = rows.lanes.each, gap = h > 8 ? 2 : h > 5 ? 1 : 0, scale = (W - LABEL - 6) / (view.to - view.from), pale = matchSet !== null;
    const ranges = lanes.map(list => { const a = firstVisible(list); let b = a; while (b < list.length && start[list[b]] <= view.to) b++; return [a, b]; });
    let visible = 0; for (const [a, b] of ranges) visible += b - a;
    if (!pale && visible > 3 * W) drawDense(ranges, h, gap, scale);
    else for (const pass of PASSES) {
      c.fillStyle = [colors.open, colors.ok, colors.fail, colors.info][pass];
      for (const bright of pale ? [false, true] : [true]) {
        c.globalAlpha = bright ? 1 : .16;
        for (let l = 0; l < lanes.length; l++) {
          const list = lanes[l], y = rows.lanes.y + l * h + gap / 2, bar = h - gap;
          let from = -1, to = -1;
          for (let j = ranges[l][0]; j < ranges[l][1]; j++) {
            const i = list[j];
            if (outcome[i] !== pass || pale && matchSet.has(i) !== bright) continue;
            let a = LABEL + (start[i] - view.from) * scale, b = LABEL + (end[i] - view.from) * scale;
            if (b - a < 1.2) b = a + 1.2;
            if (a <= to + .35 && from >= 0) { if (b > to) to = b; continue; }
            if (from >= 0) c.fillRect(from, y, to - from, bar);
            from = a; to = b > a + 4 ? b - .7 : b;
          }
          if (from >= 0) c.fillRect(from, y, to - from, bar);
        }
      }
    }
    c.globalAlpha = 1;
    if (h >= 11 && visible < 1500) drawOpTexts(ranges, h, gap);
    if (h >= 7 && visible < 4000) { // A shape beside the colour: failed has a notch, unknown an open end.
      c.strokeStyle = colors.surface; c.lineWidth = 1.4; c.beginPath();
      for (let l = 0; l < lanes.length; l++) for (let j = ranges[l][0]; j < ranges[l][1]; j++) {
        const i = lanes[l][j], a = x(start[i]), b = x(end[i]); if (b - a < 5 || outcome[i] === 1) continue;
        const y = rows.lanes.y + l * h;
        if (outcome[i] === 2) { c.moveTo(b - 4.5, y + 2); c.lineTo(b - .5, y + h - 3); } else { for (let k = 2; k <= 8 && b - k > a + 2; k += 3) { c.moveTo(b - k, y); c.lineTo(b - k, y + h); } }
      }
      c.stroke();
    }
    const mark = (i, color, width) => { const a = x(start[i]), b = Math.max(a + 3, x(end[i])), y = rows.lanes.y + lane[i] * h; c.strokeStyle = color; c.lineWidth = width; c.strokeRect(a - 1, y - .5, b - a + 2, h); };
    for (const i of accusedOps) if (end[i] >= view.from && start[i] <= view.to) {
      mark(i, colors.accused, 2.2);
      const m = Math.min(Math.max(x(start[i]), LABEL + 5), W - 6), y = rows.lanes.y + lane[i] * h;
      c.fillStyle = colors.accused; c.beginPath(); c.moveTo(m - 5, y - 7); c.lineTo(m + 5, y - 7); c.lineTo(m, y - 1); c.fill();
    }
    if (matches && matchAt >= 0) mark(matches[matchAt], colors.match, 2);
    if (selected?.op !== undefined) mark(selected.op, colors.match, 2.6);
  }
  function drawOpTexts(ranges, h, gap) {
    c.font = (h > 15 ? 11.5 : 10) + "px system-ui, sans-serif"; c.fillStyle = document.documentElement.dataset.theme === "dark" ? "#101112" : "#fff";
    for (let l = 0; l < lanes.length; l++) for (let j = ranges[l][0]; j < ranges[l][1]; j++) {
      const i = lanes[l][j], a = Math.max(LABEL, x(start[i])), b = Math.min(W, x(end[i])); if (b - a < 24) continue;
      const text = fitText(short(i), b - a - 10); if (text) c.fillText(text, a + 4, rows.lanes.y + l * h + h / 2 + .5);
    }
    c.font = FONT;
  }
  function drawFailing() {
    if (!D.counterexample) return;
    const a = x(D.counterexample.from), b = x(D.counterexample.to), y = rows.faults.y;
    if (b < LABEL || a > W) return;
    c.strokeStyle = colors.accused; c.lineWidth = 1.2; c.setLineDash([5, 4]); c.beginPath();
    for (const px of [a, b]) { c.moveTo(Math.round(px) + .5, y); c.lineTo(Math.round(px) + .5, H); } c.stroke(); c.setLineDash([]);
  }
  let overview = null;
  function drawOverview() {
    const w = W - LABEL - 6, { y, h } = rows.over, X = us => LABEL + (us - runStart) / (runEnd - runStart) * w;
    if (!overview) { // Counted once a layout: completions of each kind in every pixel.
      overview = document.createElement("canvas"); overview.width = Math.max(1, Math.round(w)); overview.height = h;
      const o = overview.getContext("2d"), n = overview.width, counts = [0, 1, 2, 3].map(() => new Float32Array(n));
      for (let i = 0; i < N; i++) counts[outcome[i]][Math.min(n - 1, Math.max(0, Math.floor((end[i] - runStart) / (runEnd - runStart) * n)))]++;
      let most = 1; for (let p = 0; p < n; p++) most = Math.max(most, counts[0][p] + counts[1][p] + counts[2][p] + counts[3][p]);
      for (let p = 0; p < n; p++) { let base = h; for (const k of [1, 2, 3, 0]) { const tall = counts[k][p] / most * (h - 2); if (!tall) continue; o.fillStyle = [colors.open, colors.ok, colors.fail, colors.info][k]; const t2 = Math.max(tall, k === 3 ? 2 : .6); o.fillRect(p, base - t2, 1, t2); base -= t2; } }
    }
    c.fillStyle = colors["fault-band"]; for (const fault of faultRows) if (fault.proven) c.fillRect(X(fault.from), y, Math.max(1, X(fault.to) - X(fault.from)), h);
    c.drawImage(overview, LABEL, y, w, h);
    if (D.counterexample) { c.fillStyle = colors.accused; const a = X(D.counterexample.from); c.fillRect(a, y - 2, Math.max(3, X(D.counterexample.to) - a), 3); }
    const a = X(view.from), b = Math.max(a + 3, X(view.to));
    c.fillStyle = colors.bg; c.globalAlpha = .62; c.fillRect(LABEL, y, a - LABEL, h); c.fillRect(b, y, W - 6 - b, h); c.globalAlpha = 1;
    c.strokeStyle = colors.accent; c.lineWidth = 1.5; c.strokeRect(a, y, b - a, h);
  }
  function drawLabels() {
    c.fillStyle = colors.surface; c.fillRect(0, rows.axis.y, LABEL - 4, H); c.fillStyle = colors.muted; c.textAlign = "right";
    const phone = LABEL < 100, put = (text, y) => c.fillText(fitText(text, LABEL - 16), LABEL - 10, y);
    put(phone ? "all" : "whole run", rows.over.y + 18);
    if (rows.faults.h) put("faults", rows.faults.y + 9);
    D.nodes.forEach((n, i) => { c.fillStyle = colors.text; put(n.id, rows.nodes.y + i * 20 + 10); });
    c.fillStyle = colors.muted;
    const every = Math.max(1, Math.ceil(13 / rows.lanes.each));
    for (let l = 0; l < lanes.length; l += every) put(D.concurrency > 0 ? (phone ? "p " + l : "client " + l) : lanes[l].length ? (phone ? "p " : "process ") + O.p[lanes[l][0]] : "", rows.lanes.y + l * rows.lanes.each + Math.max(5, rows.lanes.each / 2));
    c.textAlign = "left"; c.strokeStyle = colors.line; c.lineWidth = 1; c.beginPath();
    for (const r of [rows.nodes, rows.lanes]) if (r.h) { c.moveTo(0, r.y - 4.5); c.lineTo(W, r.y - 4.5); } c.stroke();
  }

  // ---- What is under a point, and details of it ----
  function hit(px, py) {
    if (px < LABEL) return null;
    const time = us(px), slack = 3 * (view.to - view.from) / (W - LABEL), inside = r => r.h && py >= r.y && py < r.y + r.h;
    if (inside(rows.faults)) { const row = Math.floor((py - rows.faults.y) / 18), fault = faultRows.find(x => x.row === row && time >= x.from - slack && time <= x.to + slack); return fault ? { fault } : null; }
    if (inside(rows.nodes)) {
      const n = D.nodes[Math.floor((py - rows.nodes.y) / 20)]; let role = null; for (const r of n.roles) if (r[0] <= time) role = r;
      const log = n.logs.reduce((best, l, i) => Math.abs(l[0] - time) < (best < 0 ? slack * 1.5 : Math.abs(n.logs[best][0] - time)) ? i : best, -1);
      return { node: n, time, role, log: log < 0 ? null : n.logs[log] };
    }
    if (inside(rows.lanes)) {
      const list = lanes[Math.floor((py - rows.lanes.y) / rows.lanes.each)]; if (!list) return null;
      let low = 0, high = list.length; while (low < high) { const m = (low + high) >> 1; if (start[list[m]] <= time + slack) low = m + 1; else high = m; }
      let best = null, near = Infinity;
      for (let j = Math.max(0, low - 40); j < low; j++) { const i = list[j], far = time < start[i] ? start[i] - time : time > end[i] ? time - end[i] : 0; if (far <= slack && (far < near || far === near && accused.has(index[i]))) { best = i; near = far; } }
      return best === null ? null : { op: best };
    }
    return null;
  }
  function tipText(h) {
    if (h.op !== undefined) return title(h.op) + "\n" + OUT_WORDS[outcome[h.op]] + " after " + duration(end[h.op] - start[h.op]) + (error(h.op) ? "\n" + error(h.op) : "");
    if (h.fault) return h.fault.kind + "\n" + h.fault.action + "\n" + at(h.fault.from) + " to " + at(h.fault.to);
    return h.node.id + ": " + (h.role ? (h.role[1] === "down" ? "no answer" : h.role[1] + ", " + (h.role[2] ? "term " + h.role[2] : "before the first term")) : "not known") + (h.log ? "\n" + h.log[2] : "");
  }
  function kv(pairs) { const list = el("dl", { class: "kv" }); for (const [name, value] of pairs) if (value !== null && value !== undefined && value !== "") list.append(el("dt", {}, name), el("dd", {}, value instanceof Node ? value : String(value))); return list; }
  function select(what, quiet) {
    selected = what; redraw();
    const box = $("selected"); box.replaceChildren(); $("selected-hint").textContent = what ? "" : "nothing yet: click an operation, a fault or a node";
    if (!what) return;
    if (what.op !== undefined) {
      const i = what.op;
      const mark = el("b", {}, title(i));
      box.append(el("p", {}, el("span", { class: "swatch", style: "background:var(--" + OUT[outcome[i]] + ")" }), mark, accused.has(index[i]) ? el("span", { class: "no" }, "  part of the contradiction") : ""),
        kv([["outcome", OUT_WORDS[outcome[i]] + (error(i) ? ": " + error(i) : "")], ["time", at(start[i]) + " to " + (O.d[i] < 0 ? "no answer" : at(end[i])) + ", " + (O.d[i] < 0 ? "still open" : duration(end[i] - start[i]))],
          ["process", O.p[i] + (D.concurrency > 0 && O.p[i] >= D.concurrency ? " (client " + lane[i] + ")" : "")], ["node", node(i)], ["events", "#" + index[i] + (O.c[i] < 0 ? "" : " and #" + (index[i] + O.c[i]))],
          ["log", O.term && O.term[i] ? "term " + O.term[i] + (O.log[i] ? ", index " + O.log[i] : "") : null], ["key", key(i) === null ? null : el("button", { class: "link", type: "button", onclick: () => search("key:" + show(key(i))) }, show(key(i)) + " — all operations on it")]]));
      if (!quiet) $("live").textContent = title(i) + ", " + OUT_WORDS[outcome[i]] + ", at " + at(start[i]);
    } else if (what.fault) {
      const x = what.fault;
      box.append(el("p", {}, el("b", {}, x.name)), kv([["asked", x.action], ["in force", (x.proven ? "proven, " : x.status + ", ") + at(x.from) + " to " + at(x.to)], ["evidence", x.evidence.join("; ")], ["gone again", (x.healed ? "proven: " : "not proven ") + x.healEvidence.join("; ")]]),
        el("p", { style: "margin-top:8px" }, el("button", { type: "button", onclick: () => setView(x.from - (x.to - x.from) * .1, x.to + (x.to - x.from) * .1) }, "Show this time")));
    } else box.append(el("p", {}, el("b", {}, what.node.id)), kv([["at", at(what.time)], ["role", what.role ? (what.role[1] === "down" ? "no answer" : what.role[1]) : "not known"], ["term", what.role && what.role[1] !== "down" ? what.role[2] || "before the first" : null], ["log line", what.log ? what.log[2] : null]]));
  }
  function reveal(i) { const span = view.to - view.from; if (start[i] < view.from || end[i] > view.to) { const want = Math.min(span, Math.max(2e5, (end[i] - start[i]) * 8)), m = (start[i] + end[i]) / 2; setView(m - want / 2, m + want / 2); } select({ op: i }); }

  // ---- Lists beside the picture ----
  let listTimer = 0;
  function scheduleLists() { clearTimeout(listTimer); listTimer = setTimeout(fillLists, 120); }
  function row(i, current) { return el("button", { type: "button", "aria-current": current ? "true" : false, onclick: () => reveal(i) }, el("span", { class: "mono" }, at(start[i])), el("span", {}, el("span", { class: "swatch", style: "background:var(--" + OUT[outcome[i]] + ")" }), title(i)), el("span", { class: "muted" }, "p" + O.p[i] + " · " + OUT_WORDS[outcome[i]])); }
  function fillLists() {
    const LIMIT = 120, shown = [];
    let count = 0;
    if (matches) { for (const i of matches) if (end[i] >= view.from && start[i] <= view.to) { if (count++ < LIMIT) shown.push(i); } }
    else { // Operations are in the order of their begin; a run of three seconds is the longest that may have begun before.
      for (let i = lower(view.from - D.longest); i < N && start[i] <= view.to; i++) if (end[i] >= view.from && count++ < LIMIT) shown.push(i);
    }
    $("list-title").replaceChildren((matches ? "Matches" : "Operations") + " in view ", el("span", {}, count.toLocaleString("en") + (count > LIMIT ? ", the first " + LIMIT + " are listed" : "")));
    $("list").replaceChildren(...shown.map(i => row(i, selected?.op === i)));
    if (!shown.length) $("list").append(el("div", { class: "empty" }, matches ? "No match here. Zoom out, or press n." : "No operation here."));
    const logs = [];
    for (const n of D.nodes) for (const l of n.logs) if (l[0] >= view.from && l[0] <= view.to && (!logTerms.length || logTerms.every(w => l[2].toLowerCase().includes(w)))) logs.push([l[0], n.id, l]);
    logs.sort((a, b) => a[0] - b[0]);
    $("logs-count").textContent = logs.length.toLocaleString("en") + (logs.length > 300 ? ", the first 300 are listed" : "");
    $("loglist").replaceChildren(...logs.slice(0, 300).map(([when, id, l]) => el("div", { class: "log " + ["", "warn", "error"][l[1]] }, el("span", { class: "mono muted" }, at(when)), el("span", {}, id), el("span", {}, l[2]))));
  }
  function lower(time) { let low = 0, high = N; while (low < high) { const m = (low + high) >> 1; if (start[m] < time) low = m + 1; else high = m; } return low; }

  // ---- Search ----
  let logTerms = [], searching = 0;
  function search(text) { if ($("search").value !== text) $("search").value = text; run(); }
  function run() {
    clearTimeout(searching); searching = 0;
    const words = $("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    logTerms = words.filter(w => !/^(key|process|p|f|node|value|error|outcome):|^#/.test(w));
    if (!words.length) { matches = matchSet = null; matchAt = -1; logTerms = []; }
    else {
      const tests = words.map(test);
      matches = []; for (let i = 0; i < N; i++) if (tests.every(fits => fits(i))) matches.push(i);
      matchSet = new Set(matches); matchAt = -1;
    }
    $("matches").textContent = matches ? matches.length.toLocaleString("en") + (matches.length === 1 ? " match" : " matches") : "";
    $("prev").disabled = $("next").disabled = !matches?.length;
    redraw();
  }
  const holds = (v, text) => v !== null && (Array.isArray(v) ? v.some(part => holds(part, text)) || show(v).toLowerCase() === text : String(v).toLowerCase() === text);
  function test(word) {
    const m = /^(key|process|p|f|node|value|error|outcome):(.*)$/.exec(word);
    if (/^#\d+$/.test(word)) { const n = Number(word.slice(1)); return i => index[i] === n || O.c[i] >= 0 && index[i] + O.c[i] === n; }
    const named = { failed: 2, fail: 2, unknown: 3, info: 3, ok: 1, open: 0 };
    if (m) {
      const v = m[2];
      if (m[1] === "key") return i => key(i) !== null && show(key(i)).toLowerCase() === v;
      if (m[1] === "process" || m[1] === "p") return i => String(O.p[i]) === v;
      if (m[1] === "f") { const ok = D.functions.map(n => n.toLowerCase().startsWith(v)); return i => ok[O.f[i]]; }
      if (m[1] === "node") return i => node(i) !== null && node(i).toLowerCase() === v;
      if (m[1] === "value") return i => holds(O.v[i], v);
      if (m[1] === "outcome") return i => outcome[i] === named[v];
      const ok = D.errors.map(e => e.toLowerCase().includes(v)); return i => O.e[i] >= 0 && ok[O.e[i]];
    }
    if (word in named) return i => outcome[i] === named[word];
    const ef = D.errors.map(e => e.toLowerCase().includes(word)), ff = D.functions.map(n => n.toLowerCase() === word);
    return i => ff[O.f[i]] || O.e[i] >= 0 && ef[O.e[i]] || holds(O.v[i], word) || key(i) !== null && show(key(i)).toLowerCase() === word || node(i) === word;
  }
  function step(by) {
    if (searching) run(); // Enter was faster than the pause after typing.
    if (!matches?.length) return;
    if (matchAt < 0) { const from = by > 0 ? matches.findIndex(i => start[i] >= view.from) : matches.findLastIndex(i => start[i] <= view.to); matchAt = from < 0 ? (by > 0 ? 0 : matches.length - 1) : from; }
    else matchAt = (matchAt + by + matches.length) % matches.length;
    $("matches").textContent = (matchAt + 1).toLocaleString("en") + " of " + matches.length.toLocaleString("en");
    reveal(matches[matchAt]);
  }

  // ---- Hands ----
  const pointers = new Map(); let drag = null, pinch = null;
  const spot = e => { const r = canvas.getBoundingClientRect(); return [e.clientX - r.left, e.clientY - r.top]; };
  canvas.addEventListener("pointerdown", e => {
    const [px, py] = spot(e); pointers.set(e.pointerId, px); canvas.setPointerCapture(e.pointerId); $("tip").style.display = "none";
    if (pointers.size === 2) { const [a, b] = [...pointers.values()]; pinch = { gap: Math.abs(a - b), from: view.from, to: view.to, middle: us((a + b) / 2) }; drag = null; return; }
    drag = { px, py, from: view.from, to: view.to, moved: false, over: py < rows.over.y + rows.over.h, choose: e.shiftKey };
    if (drag.over && px > LABEL) { const share = (px - LABEL) / (W - LABEL - 6), span = view.to - view.from, m = runStart + share * (runEnd - runStart); if (m < view.from || m > view.to) setView(m - span / 2, m + span / 2); drag.from = view.from; drag.to = view.to; }
  });
  canvas.addEventListener("pointermove", e => {
    const [px, py] = spot(e);
    if (pointers.has(e.pointerId)) pointers.set(e.pointerId, px);
    if (pinch && pointers.size === 2) { const [a, b] = [...pointers.values()], factor = pinch.gap / Math.max(10, Math.abs(a - b)); setView(pinch.middle - (pinch.middle - pinch.from) * factor, pinch.middle + (pinch.to - pinch.middle) * factor); return; }
    if (drag) {
      if (Math.abs(px - drag.px) > 3) drag.moved = true;
      if (!drag.moved) return;
      if (drag.choose) { draw(); c.fillStyle = colors.accent; c.globalAlpha = .18; c.fillRect(Math.min(px, drag.px), rows.axis.y, Math.abs(px - drag.px), H); c.globalAlpha = 1; return; }
      const scale = drag.over ? (runEnd - runStart) / (W - LABEL - 6) : -(drag.to - drag.from) / (W - LABEL - 6), by = (px - drag.px) * scale;
      setView(drag.from + by, drag.to + by); return;
    }
    const h = hit(px, py), tip = $("tip");
    canvas.style.cursor = py < rows.over.y + rows.over.h ? "grab" : h ? "pointer" : "crosshair";
    if (!h) { tip.style.display = "none"; return; }
    tip.textContent = tipText(h); tip.style.display = "block";
    tip.style.left = Math.min(px + 12, W - tip.offsetWidth - 6) + "px"; tip.style.top = Math.max(2, py + 16 + tip.offsetHeight > H ? py - tip.offsetHeight - 8 : py + 16) + "px";
  });
  const up = e => {
    const [px, py] = spot(e); pointers.delete(e.pointerId); if (pointers.size < 2) pinch = null;
    if (drag && e.type === "pointerup") { if (drag.choose && drag.moved) setView(us(Math.min(px, drag.px)), us(Math.max(px, drag.px))); else if (!drag.moved && !drag.over) select(hit(px, py)); }
    drag = null;
  };
  canvas.addEventListener("pointerup", up); canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => { $("tip").style.display = "none"; });
  canvas.addEventListener("dblclick", e => zoom(.4, us(spot(e)[0])));
  canvas.addEventListener("wheel", e => {
    if (e.ctrlKey || e.metaKey) { e.preventDefault(); zoom(Math.exp(Math.max(-80, Math.min(80, e.deltaY)) * .006), us(spot(e)[0])); }
    else if (Math.abs(e.deltaX) > Math.abs(e.deltaY) || e.shiftKey) { e.preventDefault(); pan((e.deltaX || e.deltaY) / 900); }
  }, { passive: false });
  document.addEventListener("keydown", e => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName);
    if (e.key === "Escape") { if (e.target === $("search")) { search(""); canvas.focus(); } else select(null); return; }
    if (typing) { if (e.target === $("search") && e.key === "Enter") { e.preventDefault(); step(e.shiftKey ? -1 : 1); } return; }
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const onCanvas = e.target === canvas, keys = { "+": () => zoom(.6), "=": () => zoom(.6), "-": () => zoom(1.7), "0": () => setView(runStart, runEnd), "/": () => $("search").focus(), n: () => step(1), p: () => step(-1) };
    if (onCanvas) Object.assign(keys, { ArrowLeft: () => pan(-.15), ArrowRight: () => pan(.15), ArrowUp: () => zoom(.6), ArrowDown: () => zoom(1.7), Home: () => setView(runStart, runStart + view.to - view.from), End: () => setView(runEnd - (view.to - view.from), runEnd) });
    if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
  });
  $("search").addEventListener("input", () => { clearTimeout(searching); searching = setTimeout(run, N > 20000 ? 150 : 0); });
  $("next").onclick = () => step(1); $("prev").onclick = () => step(-1); $("in").onclick = () => zoom(.5); $("out").onclick = () => zoom(2); $("fit").onclick = () => setView(runStart, runEnd);
  $("prev").disabled = $("next").disabled = true;
  if (failing) { $("failing").hidden = false; $("failing").onclick = () => setView(...failing); }
  document.querySelectorAll("[data-goto]").forEach(button => { button.onclick = () => { const n = Number(button.dataset.goto); for (let i = 0; i < N; i++) if (index[i] === n) { if (failing) setView(...failing); reveal(i); } $("timeline").scrollIntoView(); }; });
  document.querySelectorAll("[data-copy]").forEach(button => { button.onclick = async () => { try { await navigator.clipboard.writeText(button.dataset.copy); button.textContent = "Copied"; } catch (e) { getSelection().selectAllChildren(button.previousElementSibling); button.textContent = "Selected"; } setTimeout(() => { button.textContent = "Copy"; }, 1600); }; });
  document.querySelectorAll("[data-failing]").forEach(button => { button.onclick = () => { if (failing) setView(...failing); if (accusedOps.length) select({ op: accusedOps.at(-1) }); $("timeline").scrollIntoView(); }; });

  // ---- The contradiction as a figure: one column an event, so that what is close in time can still be read ----
  function figure() {
    const host = $("figure"); if (!host || !D.counterexample?.events.length) return;
    const events = D.counterexample.events.slice(0, 60), processes = [...new Set(events.map(e => e.process))], ops = [];
    const open = new Map();
    events.forEach((e, col) => { if (e.type === "invoke") { const op = { ...e, from: col, to: -1, end: null }; open.set(e.process, op); ops.push(op); } else { const op = open.get(e.process); if (op) { op.to = col; op.end = e; open.delete(e.process); } } });
    // As wide as there is room for, so that the end, where the contradiction is, can be seen at once.
    const left = 92, room = host.clientWidth - left - 40, wide = Math.round(Math.max(28, Math.min(150, room / events.length))), width = left + events.length * wide + 40, height = processes.length * 44 + 40, NS = "http://www.w3.org/2000/svg";
    const original = new Map(accusedOps.map(i => [index[i], O.p[i]])), named = new Map(ops.map(op => [op.process, original.get(op.index) ?? op.process])), every = Math.ceil(62 / wide);
    const svg = (tag, a, text) => { const n = document.createElementNS(NS, tag); for (const k in a) n.setAttribute(k, a[k]); if (text !== undefined) n.textContent = text; return n; };
    const root = svg("svg", { width, height, viewBox: "0 0 " + width + " " + height, role: "img", "aria-label": "The operations that contradict each other, in the order of their events" });
    events.forEach((e, col) => { const px = left + col * wide + 20; root.append(svg("line", { x1: px, x2: px, y1: 22, y2: height - 8, stroke: "var(--line)" })); if ((events.length - 1 - col) % every === 0) root.append(svg("text", { x: px, y: 14, "text-anchor": "middle", class: "dim", "font-size": 11.5 }, at(e.time))); });
    processes.forEach((p, r) => root.append(svg("text", { x: 0, y: 30 + r * 44 + 18, class: "dim" }, "process " + named.get(p))));
    for (const op of ops) {
      const r = processes.indexOf(op.process), a = left + op.from * wide + 20, b = op.to < 0 ? width - 14 : left + op.to * wide + 20, y = 30 + r * 44, type = op.end ? op.end.type : "info", g = svg("g", {});
      const last = op === ops.at(-1), color = type === "ok" ? "var(--ok)" : type === "fail" ? "var(--fail)" : "var(--info)";
      g.append(svg("rect", { x: a, y, width: b - a, height: 26, rx: 4, fill: color, "fill-opacity": .16, stroke: last ? "var(--accused)" : color, "stroke-width": last ? 2.4 : 1.6, "stroke-dasharray": op.to < 0 ? "5 4" : "none" }));
      const label = words(op.f, op.key, type === "ok", type === "ok" ? op.end.value : op.value) + (op.to < 0 ? " ?" : "") + "  #" + op.index;
      // Beside its bar, on the side where there is more room, where it is longer than the bar.
      const fits = label.length * 7.4 < b - a, after = fits || b < width / 2;
      g.append(svg("text", fits ? { x: a + 8, y: y + 17 } : after ? { x: b + 6, y: y + 17 } : { x: a - 6, y: y + 17, "text-anchor": "end" }, label));
      root.append(g);
    }
    host.append(root);
  }

  // ---- Charts ----
  const plots = [];
  function charts() {
    plots.splice(0).forEach(p => p.destroy()); $("plots").replaceChildren();
    if (!N) { $("plots").append(el("p", { class: "muted" }, "No operation was recorded, so there is nothing to chart.")); return; }
    const B = Math.max(30, Math.min(300, Math.round(N / 50))), span = runEnd - runStart, bucket = span / B, xs = Array.from({ length: B }, (_, i) => (runStart + (i + .5) * bucket) / 1e6);
    const per = [0, 1, 2, 3].map(() => new Array(B).fill(0)), lat = Array.from({ length: B }, () => []);
    for (let i = 0; i < N; i++) { const b = Math.min(B - 1, Math.floor((end[i] - runStart) / bucket)); per[outcome[i]][b]++; if (outcome[i] === 1) lat[b].push((end[i] - start[i]) / 1e3); }
    const q = [.5, .95, .99, 1].map(() => new Array(B).fill(null));
    lat.forEach((list, b) => { if (list.length) { list.sort((m, n) => m - n); [.5, .95, .99, 1].forEach((s, k) => { q[k][b] = list[Math.max(0, Math.ceil(s * list.length) - 1)]; }); } });
    const second = bucket / 1e6, rate = k => per[k].map(n => n / second), unknown = per[3].map((n, b) => (n + per[0][b]) / second);
    const oks = []; for (let i = 0; i < N; i++) if (outcome[i] === 1) oks.push(end[i]); oks.sort((m, n) => m - n);
    const gx = [], gy = []; let last = runStart;
    for (const ok of [...oks, runEnd]) { const gap = ok - last; if (gap > Math.max(2000, span / 4000)) { gx.push(last / 1e6, ok / 1e6, ok / 1e6 + 1e-6); gy.push(0, gap / 1e3, 0); } last = ok; }
    const line = (label, color, extra = {}) => ({ label, stroke: colors[color] || color, width: 1.8, points: { show: false }, value: (u, v) => v == null ? "–" : v >= 100 ? v.toFixed(0) : v.toFixed(2), ...extra });
    scatter();
    plot("Latency quantiles of successes, ms", [xs, ...q], [line("p50", "ok"), line("p95", "leader", { dash: [8, 4] }), line("p99", "fail", { dash: [4, 3] }), line("max", "accused", { dash: [2, 3] })], { log: true });
    plot("Rate, operations a second", [xs, rate(1), rate(2), unknown], [line("ok", "ok"), line("failed", "fail", { dash: [6, 3] }), line("unknown", "info", { dash: [2, 3] })]);
    if (gx.length) plot("Unavailability: time without a success, ms", [gx, gy], [line("since the last success", "accused", { fill: colors.accused + "22" })], { height: 150 });
    if (D.nodes.some(n => n.clock.length)) {
      const times = [...new Set(D.nodes.flatMap(n => n.clock.map(x => x[0])))].sort((m, n) => m - n), palette = ["ok", "fail", "info", "leader", "accused", "muted", "accent", "candidate", "open"];
      const having = D.nodes.filter(n => n.clock.length);
      const series = having.map(n => { let j = 0, now = null; return times.map(x => { while (j < n.clock.length && n.clock[j][0] <= x) now = n.clock[j++][1]; return now; }); });
      plot("Clock offset of each node, ms", [times.map(x => x / 1e6), ...series], having.map((n, i) => line(n.id, palette[i % palette.length], { dash: [[], [8, 4], [3, 3], [10, 3, 2, 3]][i % 4], paths: uPlot.paths.stepped({ align: 1 }) })), { height: 170 });
    }
  }
  function shell(name) { const host = el("div", { class: "plot" }), box = el("div", { class: "chart" }, el("h3", {}, name), host); $("plots").append(box); return host; }
  function base(height, log) {
    return {
      width: $("plots").clientWidth, height, legend: { live: true }, cursor: { sync: { key: "run" }, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
      scales: { x: { time: false, min: view.from / 1e6, max: view.to / 1e6 }, y: log ? { distr: 3, log: 10, range: (u, lo, hi) => [10 ** Math.floor(Math.log10(Math.max(lo || .1, .001))), 10 ** Math.ceil(Math.log10(Math.max(hi || 1, .01)))] } : { range: (u, lo, hi) => [Math.min(0, lo || 0), (hi || 1) * 1.08] } },
      axes: [{ stroke: colors.muted, grid: { stroke: colors.line, width: 1 }, ticks: { stroke: colors.line }, values: (u, v) => v.map(n => +n.toFixed(6) + " s"), font: FONT }, { stroke: colors.muted, grid: { stroke: colors.line, width: 1 }, ticks: { stroke: colors.line }, size: 62, font: FONT, values: (u, v) => v.map(n => n == null ? "" : Math.abs(n) >= 1000 ? n / 1000 + " k" : log && ![1, 10, 100].some(m => Math.abs(n / m - 1) < 1e-9) && n >= 1 ? "" : +n.toPrecision(3)) }],
      hooks: {
        drawClear: [u => { const g = u.ctx; g.save(); g.beginPath(); g.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height); g.clip(); g.fillStyle = colors["fault-band"]; for (const x of faultRows) if (x.proven) { const a = u.valToPos(x.from / 1e6, "x", true), b = u.valToPos(x.to / 1e6, "x", true); g.fillRect(a, u.bbox.top, Math.max(1, b - a), u.bbox.height); }
          if (D.counterexample) { g.strokeStyle = colors.accused; g.setLineDash([6, 5]); g.lineWidth = 1.5; g.beginPath(); for (const v of [D.counterexample.from, D.counterexample.to]) { const px = u.valToPos(v / 1e6, "x", true); g.moveTo(px, u.bbox.top); g.lineTo(px, u.bbox.top + u.bbox.height); } g.stroke(); } g.restore(); }],
        setSelect: [u => { if (u.select.width > 3) setView(u.posToVal(u.select.left, "x") * 1e6, u.posToVal(u.select.left + u.select.width, "x") * 1e6); u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false); }],
        ready: [u => u.over.addEventListener("dblclick", e => { e.stopPropagation(); setView(runStart, runEnd); }, true)],
      },
    };
  }
  function plot(name, data, series, { log = false, height = 200 } = {}) {
    const options = base(height, log); options.series = [{ label: "time", value: (u, v) => v == null ? "–" : v.toFixed(3) + " s" }, ...series];
    plots.push(new uPlot(options, data, shell(name)));
  }
  /* Latency of every operation, a mark each: colour for the outcome, shape for the operation. uPlot has the axes and the cursor; marks that would
     lie on one another are painted once. */
  const visibleGroup = new Map();
  function from(times, time) { let low = 0, high = times.length; while (low < high) { const m = (low + high) >> 1; if (times[m] < time) low = m + 1; else high = m; } return low; }
  function scatter() {
    const groups = []; for (let fn = 0; fn < D.functions.length; fn++) for (const o of [1, 2, 3]) groups.push({ fn, o, name: D.functions[fn] + " " + OUT_WORDS[o], list: [] });
    let low = Infinity, high = 0;
    for (let i = 0; i < N; i++) { if (O.d[i] < 0) continue; groups[O.f[i] * 3 + outcome[i] - 1].list.push(i); const ms = Math.max(.001, (end[i] - start[i]) / 1e3); if (ms < low) low = ms; if (ms > high) high = ms; }
    // By their end, with what is drawn of each worked out once: only those in view are looked at.
    for (const group of groups) {
      const list = Int32Array.from(group.list).sort((m, n) => end[m] - end[n]);
      group.at = Float64Array.from(list, i => end[i]); group.log = Float32Array.from(list, i => Math.log10(Math.max(.001, (end[i] - start[i]) / 1e3)));
    }
    const options = base(280, true), used = groups.filter(g => g.list.length);
    options.legend = { show: false }; options.cursor.points = { show: false };
    options.scales.y.range = () => [10 ** Math.floor(Math.log10(low)), 10 ** Math.ceil(Math.log10(Math.max(high, low * 10)))];
    options.series = [{}, { show: true, points: { show: false }, paths: () => null }];
    options.hooks.draw = [u => {
      const g = u.ctx, { left, top, width, height } = u.bbox, size = Math.max(3, Math.round(3 * ratio)), shift = moving ? 2 : 1, columns = (width >> shift) + 2, seen = new Uint8Array(columns * ((height >> shift) + 2));
      const x0 = u.scales.x.min * 1e6, kx = width / ((u.scales.x.max - u.scales.x.min) * 1e6), y0 = Math.log10(u.scales.y.min), ky = height / (Math.log10(u.scales.y.max) - y0);
      g.save(); g.beginPath(); g.rect(left, top, width, height); g.clip();
      for (const group of used) {
        if (visibleGroup.get(group.name) === false) continue;
        g.fillStyle = g.strokeStyle = [null, colors.ok, colors.fail, colors.info][group.o]; g.globalAlpha = group.o === 1 ? .75 : .95; g.lineWidth = ratio; g.beginPath();
        seen.fill(0); let count = 0;
        for (let k = from(group.at, x0); k < group.at.length; k++) {
          const px = (group.at[k] - x0) * kx; if (px > width) break;
          const py = height - (group.log[k] - y0) * ky, cell = (px >> shift) + (py >> shift) * columns;
          if (py < 0 || py > height || seen[cell]) continue; seen[cell] = 1;
          const X = left + px, Y = top + py, shape = group.fn % 3;
          if (shape === 0) { g.fillRect(X - size / 2, Y - size / 2, size, size); continue; }
          // One path of thousands of shapes would be far dearer than many small ones.
          if ((++count & 127) === 0) { g.fill(); g.beginPath(); }
          if (shape === 1) { g.moveTo(X, Y - size * .75); g.lineTo(X + size * .75, Y + size * .6); g.lineTo(X - size * .75, Y + size * .6); g.closePath(); }
          else { g.moveTo(X, Y - size * .8); g.lineTo(X + size * .8, Y); g.lineTo(X, Y + size * .8); g.lineTo(X - size * .8, Y); g.closePath(); }
        }
        g.fill();
      }
      g.restore();
    }];
    const host = shell("Latency of every operation, ms (log scale)"), u = new uPlot(options, [[runStart / 1e6, runEnd / 1e6], [low, high]], host);
    plots.push(u);
    const keys = el("div", { class: "legend", role: "group", "aria-label": "Which operations are shown" });
    for (const group of used) {
      const sign = ["■", "▲", "◆"][group.fn % 3], b = el("button", { type: "button", "aria-pressed": visibleGroup.get(group.name) === false ? "false" : "true", style: "min-height:28px;padding:1px 9px;font-size:13px" }, el("span", { style: "color:var(--" + OUT[group.o] + ");margin-right:5px" }, sign), group.name + " " + group.list.length.toLocaleString("en"));
      b.onclick = () => { const on = visibleGroup.get(group.name) === false; visibleGroup.set(group.name, on); b.setAttribute("aria-pressed", on); u.redraw(false); };
      keys.append(b);
    }
    host.after(keys);
  }
  /* Charts follow the view: those on the screen in the next frame, the others when they come into sight. While it moves, latencies
     are drawn with fewer marks. */
  let syncing = 0, moving = 0;
  const still = () => { moving = 0; plots.forEach(p => { if (onScreen.has(p)) p.redraw(false); }); };
  const onScreen = new Set(), follow = p => { if (p.scales.x.min !== view.from / 1e6 || p.scales.x.max !== view.to / 1e6) p.setScale("x", { min: view.from / 1e6, max: view.to / 1e6 }); };
  const sight = new IntersectionObserver(seen => { for (const s of seen) { const p = plots.find(each => each.root === s.target); if (!p) continue; if (s.isIntersecting) { onScreen.add(p); follow(p); } else onScreen.delete(p); } }, { rootMargin: "100px" });
  const watchPlots = () => { sight.disconnect(); onScreen.clear(); plots.forEach(p => sight.observe(p.root)); };
  listeners.push(() => { if (!syncing) syncing = requestAnimationFrame(() => { syncing = 0; clearTimeout(moving); moving = setTimeout(still, 160); onScreen.forEach(follow); }); });

  // ---- Light and dark, size, print ----
  function theme(name, keep) {
    document.documentElement.dataset.theme = name; $("theme").textContent = name === "dark" ? "Light" : "Dark";
    if (keep) try { localStorage.setItem("raftlab-theme", name); } catch (e) { /* a file may have no storage */ }
    readColors(); redraw(); charts(); watchPlots();
  }
  $("theme").onclick = () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark", true);
  function resize() { layout(); redraw(); plots.forEach(p => p.setSize({ width: $("plots").clientWidth, height: p.height })); }
  new ResizeObserver(() => { if ($("frame").clientWidth !== W) resize(); }).observe($("frame"));
  let before;
  addEventListener("beforeprint", () => { before = document.documentElement.dataset.theme; theme("light"); plots.forEach(follow); draw(); });
  addEventListener("afterprint", () => theme(before));

  const legend = [["ok", "ok"], ["fail", "failed: certainly did not happen"], ["info", "unknown: may have happened"], ["leader", "leader"], ["candidate", "candidate"], ["follower", "follower"]];
  for (const [name, words] of legend) $("legend").append(el("span", {}, el("span", { class: "swatch", style: "background:var(--" + name + ")" }), words));
  $("legend").append(el("span", {}, el("span", { class: "swatch", style: "background:repeating-linear-gradient(135deg,var(--fault) 0 1.5px,transparent 1.5px 4px);border:1px solid var(--fault)" }), "proven fault"));
  if (D.counterexample) $("legend").append(el("span", {}, el("span", { class: "swatch", style: "border:2px solid var(--accused);background:none" }), "part of the contradiction"));
  $("logs").hidden = !D.nodes.some(n => n.logs.length);
  readColors(); layout(); figure(); if (accusedOps.length) select({ op: accusedOps.at(-1) }, true); draw();
  window.raftFirstPicture = performance.now() - started; window.raftFirstPictureSinceNavigation = performance.now();
  $("theme").textContent = document.documentElement.dataset.theme === "dark" ? "Light" : "Dark";
  setTimeout(() => { charts(); watchPlots(); window.raftReady = performance.now(); document.documentElement.dataset.ready = "true"; }, 0);
  window.raft = { view, plots, accused: accusedOps, setView, zoom, select, search, step, count: N, laneOf: i => lane[i], indexOf: n => index.indexOf(n), place: i => { const r = canvas.getBoundingClientRect(); return { x: (Math.max(x(start[i]), LABEL) + Math.min(x(Math.max(end[i], start[i])), W)) / 2, y: rows.lanes.y + (lane[i] + .5) * rows.lanes.each, width: r.width, height: r.height }; }, draw };
})();
