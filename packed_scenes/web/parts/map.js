export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".root");
  if (!root.map) root.map = makeMap(root);
  root.map.update(data, setTriggerValue);
  return () => { if (root.map) { root.map.leave(); root.map = null; root.replaceChildren(); } };
}

function makeMap(root) {
  let data = null, send = null, zoom = 1, dx = 0, dy = 0, turn = 0.6, tilt = 0.35, spots = [], at = -1, start = null, moved = false, crops = true;
  const canvas = el("canvas", { tabindex: "0", role: "application", "data-testid": "map",
    "aria-label": "Map of all objects; near means alike. Arrow keys turn or move the map, N goes to the next object, plus and minus zoom." });
  const tip = el("div", { class: "tip", hidden: true });
  const say = el("div", { class: "quiet", "aria-live": "polite" });
  const toggle = el("button", { "aria-pressed": "true", onclick: () => { crops = !crops; toggle.setAttribute("aria-pressed", crops); paint(); } }, "Pictures");
  const bar = el("div", { class: "bar" },
    el("button", { "aria-label": "Zoom out", onclick: () => scale(1 / 1.3) }, "−"), el("button", { "aria-label": "Zoom in", onclick: () => scale(1.3) }, "+"),
    el("button", { onclick: () => { zoom = 1; dx = dy = 0; turn = 0.6; tilt = 0.35; paint(); } }, "Fit"), toggle, el("span", { class: "soft hint" }, "Hover for the crop, click to see its group, drag to move or turn"));
  root.append(bar, el("div", { class: "wrap" }, canvas), tip, say);
  const sprite = new Image();
  sprite.onload = () => paint();
  const groupOf = (c) => data.groups.find((g) => g.c === c) || { name: "Unsorted", color: "#999999", n: 0 };
  function paint() {
    if (!data) return;
    const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    canvas.width = width * ratio; canvas.height = height * ratio;
    const g = canvas.getContext("2d"); g.scale(ratio, ratio);
    const style = getComputedStyle(canvas), grid = style.borderTopColor;
    const unit = Math.min(width, height) * 0.44 * zoom, cx = width / 2 + dx, cy = height / 2 + dy;
    const [ca, sa, cb, sb] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
    const flat = ([x, y, z]) => {
      if (data.dimensions === 2) return [cx + x * (width > height ? unit * 1.5 : unit), cy - y * unit, 0];
      const u = x * ca - z * sa, w = x * sa + z * ca, v = y * cb - w * sb, d = y * sb + w * cb;
      const far = 3 / (3.4 - d); return [cx + u * unit * far, cy - v * unit * far, d];
    };
    g.strokeStyle = grid; g.lineWidth = 1; g.globalAlpha = .8;
    if (data.dimensions === 3) {
      const corner = [-1, 1];
      const line = (a, b) => { const [p, q] = [flat(a), flat(b)]; g.beginPath(); g.moveTo(p[0], p[1]); g.lineTo(q[0], q[1]); g.stroke(); };
      for (const a of corner) for (const b of corner) { line([-1, a, b], [1, a, b]); line([a, -1, b], [a, 1, b]); line([a, b, -1], [a, b, 1]); }
    }
    g.globalAlpha = 1;
    const byGroup = new Map(data.groups.map((x) => [x.c, x]));
    spots = data.points.map((p, i) => [...flat(p), i]).sort((a, b) => a[2] - b[2]);
    const side = Math.max(14, Math.min(44, (crops ? 30 : 14) * Math.sqrt(zoom) * Math.min(1, Math.sqrt(400 / spots.length) + .4)));
    for (const [x, y, d, i] of spots) {
      if (x < -50 || y < -50 || x > width + 50 || y > height + 50) continue;
      const c = data.cluster[i], color = (byGroup.get(c) || { color: "#999999" }).color;
      const dim = data.selected !== null && data.selected !== undefined && data.selected !== c;
      const size = data.dimensions === 3 ? side * (1 + d * .25) : side;
      g.globalAlpha = dim ? .25 : 1;
      if (crops && sprite.complete && sprite.naturalWidth) {
        const cell = data.atlas.cell;
        g.fillStyle = color; g.fillRect(x - size / 2 - 2, y - size / 2 - 2, size + 4, size + 4);
        g.fillStyle = style.backgroundColor; g.fillRect(x - size / 2, y - size / 2, size, size);
        g.drawImage(sprite, (i % data.atlas.columns) * cell, Math.floor(i / data.atlas.columns) * cell, cell, cell, x - size / 2, y - size / 2, size, size);
      } else { g.beginPath(); g.arc(x, y, size / 2.6, 0, 7); g.fillStyle = color; g.fill(); g.strokeStyle = "rgba(0,0,0,.55)"; g.stroke(); }
      if (i === at) { g.globalAlpha = 1; g.strokeStyle = style.color; g.lineWidth = 2.5; g.strokeRect(x - size / 2 - 4, y - size / 2 - 4, size + 8, size + 8); g.lineWidth = 1; }
    }
    g.globalAlpha = 1;
  }
  function scale(factor, x, y) {
    const next = Math.max(.6, Math.min(30, zoom * factor)), cx = canvas.clientWidth / 2, cy = canvas.clientHeight / 2;
    const px = (x === undefined ? cx : x) - cx, py = (y === undefined ? cy : y) - cy;
    dx = px - (px - dx) * next / zoom; dy = py - (py - dy) * next / zoom; zoom = next; paint();
  }
  function near(event) {
    const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    let best = -1, far = 24;
    for (const [px, py, , i] of spots) { const d = Math.hypot(px - x, py - y); if (d <= far) { far = d; best = i; } }
    return best;
  }
  function show(i) {
    at = i; paint();
    const spot = spots.find((s) => s[3] === i);
    if (i < 0 || !spot) { tip.hidden = true; return; }
    const box = canvas.getBoundingClientRect(), group = groupOf(data.cluster[i]);
    showTip(root, tip, box.left + spot[0], box.top + spot[1], [crop(data.atlas, i, 96), el("span", {}, el("b", {}, group.name),
      el("span", { class: "soft" }, `${group.n} ${group.n === 1 ? "object" : "objects"} · ${data.scenes[data.scene[i]]}`))]);
    say.textContent = group.name;
  }
  canvas.addEventListener("pointerdown", (event) => { start = { x: event.clientX, y: event.clientY, dx, dy, turn, tilt }; moved = false; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    if (!start) { const i = near(event); if (i !== at) show(i); return; }
    const [mx, my] = [event.clientX - start.x, event.clientY - start.y];
    if (Math.hypot(mx, my) > 4) moved = true;
    if (!moved) return;
    if (data.dimensions === 3) { turn = start.turn + mx * .008; tilt = Math.max(-1.5, Math.min(1.5, start.tilt + my * .008)); } else { dx = start.dx + mx; dy = start.dy + my; }
    tip.hidden = true; paint();
  });
  canvas.addEventListener("pointerup", (event) => { const was = start; start = null; if (was && !moved) { const i = near(event); send("pick", { row: i < 0 ? null : i }); if (i >= 0) show(i); } });
  canvas.addEventListener("pointercancel", () => { start = null; });
  canvas.addEventListener("pointerleave", () => { if (!start) show(-1); });
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); const box = canvas.getBoundingClientRect(); scale(Math.exp(-event.deltaY * .0016), event.clientX - box.left, event.clientY - box.top); }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (way) { event.preventDefault(); if (data.dimensions === 3) { turn += way[0] * .15; tilt += way[1] * .15; } else { dx -= way[0] * 40; dy -= way[1] * 40; } paint(); }
    else if (event.key === "n" || event.key === "N") show((at + 1) % data.points.length);
    else if (event.key === "p" || event.key === "P") show((at - 1 + data.points.length) % data.points.length);
    else if (event.key === "Enter" && at >= 0) send("pick", { row: at });
    else if (event.key === "+" || event.key === "=") scale(1.3);
    else if (event.key === "-") scale(1 / 1.3);
    else if (event.key === "Escape") { show(-1); send("pick", { row: null }); }
  });
  const watch = new ResizeObserver(() => paint());
  watch.observe(canvas);
  return {
    update(next, trigger) {
      send = trigger;
      if (data && (next.dimensions !== data.dimensions || next.how !== data.how)) { zoom = 1; dx = dy = 0; }
      data = next; at = -1; tip.hidden = true; root.dataset.points = data.points.length; root.dataset.dimensions = data.dimensions;
      if (sprite.src !== new URL(data.atlas.url, document.baseURI).href) sprite.src = data.atlas.url;
      paint();
    },
    leave() { watch.disconnect(); },
  };
}
