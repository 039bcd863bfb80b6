// The map of all objects: near means alike. Two or three dimensions on a canvas.
import { el, toast, many } from "/page/dom.js";
import { get } from "/page/api.js";
import { store, base, listen, groupOf, photoOf, choosePhoto, select } from "/page/store.js";

export function mapView(main, go) {
  let data = null, spots = [], zoom = 1, dx = 0, dy = 0, turn = 0.6, tilt = 0.35, at = -1, start = null, moved = false, how = "pca", d = 2, version = null;
  const canvas = el("canvas", { tabindex: 0, "data-testid": "map", "aria-label": "Map of all objects" }), g = canvas.getContext("2d"), tip = el("div", { class: "tip", hidden: true });
  const choice = (name, list, now, run) => el("div", { class: "choice", role: "radiogroup", "aria-label": name }, ...list.map(([value, label]) => { const node = el("button", { role: "radio", "aria-checked": value === now, onclick: () => { for (const other of node.parentNode.children) other.setAttribute("aria-checked", other === node); run(value); } }, label); return node; }));
  const note = el("span", { class: "soft" }), box = el("div", { class: "stage" }, canvas, tip);
  main.append(el("div", { class: "mapview" }, el("div", { class: "row wrap head" }, choice("Dimensions", [[2, "2-D"], [3, "3-D"]], d, (v) => { d = v; zoom = 1; dx = dy = 0; load(); }), choice("Method", [["pca", "PCA"], ["umap", "UMAP"]], how, (v) => { how = v; load(); }), note), box));
  async function load() {
    version = store.state.version; note.textContent = how === "umap" ? "Laying out the map: UMAP takes a while the first time" : "";
    try { data = await get(`${base()}/map?how=${how}&d=${d}`); note.textContent = data.rows.length ? `${many(data.rows.length, "object")}: near means alike` : "There are no objects yet."; canvas.dataset.points = data.rows.length; canvas.dataset.dimensions = data.d; paint(); } catch (error) { note.textContent = error.message; }
  }
  function flat([x, y, z]) {
    const w = canvas.clientWidth, h = canvas.clientHeight, size = Math.min(w, h) * 0.44 * zoom;
    if (d === 3) { const a = x * Math.cos(turn) + z * Math.sin(turn), b = -x * Math.sin(turn) + z * Math.cos(turn); x = a; z = b; const e = y * Math.cos(tilt) - z * Math.sin(tilt); z = y * Math.sin(tilt) + z * Math.cos(tilt); y = e; }
    return [w / 2 + dx + x * size, h / 2 + dy - y * size, z];
  }
  function paint() {
    if (!data) return;
    const ratio = Math.min(2, devicePixelRatio || 1), w = canvas.clientWidth, h = canvas.clientHeight;
    canvas.width = w * ratio; canvas.height = h * ratio; g.setTransform(ratio, 0, 0, ratio, 0, 0);
    const style = getComputedStyle(document.documentElement);
    if (d === 3) { g.strokeStyle = style.getPropertyValue("--line"); const e = [-1, 1]; for (const a of e) for (const b of e) for (const [p, q] of [[[-1, a, b], [1, a, b]], [[a, -1, b], [a, 1, b]], [[a, b, -1], [a, b, 1]]]) { const s = flat(p), t = flat(q); g.beginPath(); g.moveTo(s[0], s[1]); g.lineTo(t[0], t[1]); g.stroke(); } }
    spots = data.points.map((p, i) => [...flat(p), i]).sort((a, b) => a[2] - b[2]);
    const r = Math.max(3, Math.min(9, 9 * Math.sqrt(150 / Math.max(1, spots.length)) * Math.sqrt(zoom)));
    for (const [x, y, z, i] of spots) {
      const c = data.cluster[i], dim = store.group !== null && store.group !== c;
      g.globalAlpha = dim ? 0.2 : 1; g.beginPath(); g.arc(x, y, d === 3 ? r * (1 + z * 0.25) : r, 0, 7); g.fillStyle = groupOf(c).color; g.fill(); g.strokeStyle = "rgba(0,0,0,.55)"; g.lineWidth = 1; g.stroke();
      if (i === at) { g.globalAlpha = 1; g.strokeStyle = style.getPropertyValue("--text"); g.lineWidth = 2.5; g.beginPath(); g.arc(x, y, r + 4, 0, 7); g.stroke(); }
    }
    g.globalAlpha = 1;
  }
  function near(event) { const b = canvas.getBoundingClientRect(), x = event.clientX - b.left, y = event.clientY - b.top; let best = -1, far = 22; for (const [px, py, , i] of spots) { const s = Math.hypot(px - x, py - y); if (s <= far) { far = s; best = i; } } return best; }
  function show(i) {
    at = i; paint();
    const spot = spots.find((s) => s[3] === i);
    if (!spot) { tip.hidden = true; return; }
    const group = groupOf(data.cluster[i]), photo = photoOf(data.photo[i]);
    tip.replaceChildren(el("img", { class: "crop", src: `${base()}/crop/${data.rows[i]}.jpg?v=${store.state.version}`, alt: "", width: 84, height: 84 }), el("span", {}, el("b", {}, group.name), el("span", { class: "soft" }, `${many(group.n, "object")}${photo ? " · " + photo.name : ""}`)));
    tip.hidden = false; tip.style.left = Math.max(0, Math.min(spot[0] + 16, canvas.clientWidth - 230)) + "px"; tip.style.top = Math.max(0, Math.min(spot[1] + 16, canvas.clientHeight - 110)) + "px";
  }
  const scale = (f, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) => { const next = Math.max(0.6, Math.min(30, zoom * f)), px = x - canvas.clientWidth / 2, py = y - canvas.clientHeight / 2; dx = px - (px - dx) * next / zoom; dy = py - (py - dy) * next / zoom; zoom = next; paint(); };
  canvas.addEventListener("pointerdown", (e) => { start = { x: e.clientX, y: e.clientY, dx, dy, turn, tilt }; moved = false; canvas.setPointerCapture(e.pointerId); });
  canvas.addEventListener("pointermove", (e) => {
    if (!start) { const i = near(e); if (i !== at) show(i); return; }
    const mx = e.clientX - start.x, my = e.clientY - start.y;
    if (Math.hypot(mx, my) > 4) moved = true;
    if (!moved) return;
    if (d === 3) { turn = start.turn + mx * 0.008; tilt = Math.max(-1.5, Math.min(1.5, start.tilt + my * 0.008)); } else { dx = start.dx + mx; dy = start.dy + my; }
    tip.hidden = true; paint();
  });
  canvas.addEventListener("pointerup", (e) => { const was = start; start = null; if (was && !moved) { const i = near(e); select(i < 0 ? [] : [data.rows[i]], i < 0 ? null : data.cluster[i]); if (i >= 0) show(i); paint(); } });
  canvas.addEventListener("dblclick", (e) => { const i = near(e); if (i >= 0) { choosePhoto(data.photo[i], false); select([data.rows[i]], data.cluster[i]); go(store.key, "photo"); } });
  canvas.addEventListener("pointerleave", () => { if (!start) show(-1); });
  canvas.addEventListener("wheel", (e) => { e.preventDefault(); const b = canvas.getBoundingClientRect(); scale(Math.exp(-e.deltaY * 0.0016), e.clientX - b.left, e.clientY - b.top); }, { passive: false });
  canvas.addEventListener("keydown", (e) => {
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[e.key];
    if (way) { e.preventDefault(); if (d === 3) { turn += way[0] * 0.15; tilt += way[1] * 0.15; } else { dx -= way[0] * 40; dy -= way[1] * 40; } paint(); }
    else if (e.key === "n" && data) show((at + 1) % data.points.length); else if (e.key === "p" && data) show((at - 1 + data.points.length) % data.points.length);
    else if (e.key === "Enter" && at >= 0) select([data.rows[at]], data.cluster[at]); else if (e.key === "+" || e.key === "=") scale(1.3); else if (e.key === "-") scale(1 / 1.3); else if (e.key === "Escape") { select([], null); show(-1); }
  });
  const watch = new ResizeObserver(paint); watch.observe(canvas);
  const stop = listen((what) => { if (what === "all" && store.state && store.state.version !== version) load(); else if (what === "selection") paint(); });
  load();
  return () => { watch.disconnect(); stop(); };
}
