export default function ({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector(".root");
  if (!root.viewer) root.viewer = makeViewer(root);
  root.viewer.update(data, setTriggerValue);
  return () => root.viewer && root.viewer.leave();
}

function makeViewer(root) {
  let data = null, send = null, told = 0, zoom = 1, dx = 0, dy = 0, base = 1, hidden = new Set(), over = null, focus = null;
  let drawing = false, start = null, pointers = new Map(), pinch = null, moved = false, drawnBox = null;
  const img = el("img", { alt: "", draggable: "false" });
  const svg = el("svg", { preserveAspectRatio: "none", "aria-hidden": "true" });
  const stage = el("div", { class: "stage" }, img, svg);
  const tip = el("div", { class: "tip", hidden: true });
  const view = el("div", { class: "view", tabindex: "0", role: "application", "data-testid": "scene-view",
    "aria-label": "Photo with groups. Arrow keys go from object to object, Enter selects, plus and minus zoom, 0 fits." }, stage);
  const say = el("div", { class: "quiet", "aria-live": "polite" });
  const zoomIn = el("button", { "aria-label": "Zoom in", title: "Zoom in", onclick: () => zoomAt(1.4) }, "+");
  const zoomOut = el("button", { "aria-label": "Zoom out", title: "Zoom out", onclick: () => zoomAt(1 / 1.4) }, "−");
  const fit = el("button", { onclick: () => { zoom = 1; dx = dy = 0; place(); } }, "Fit");
  const draw = el("button", { "aria-pressed": "false", onclick: () => setDrawing(!drawing) }, "Draw a box");
  const hint = el("span", { class: "soft hint" });
  const bar = el("div", { class: "bar" }, zoomOut, zoomIn, fit, draw, hint);
  const chips = el("div", { class: "chips", role: "group", "aria-label": "Show or hide groups" });
  const all = el("button", { onclick: () => setHidden(new Set()) }, "Show all");
  const none = el("button", { onclick: () => setHidden(new Set(data.groups.map((g) => g.c))) }, "Hide all");
  const many = el("button", { onclick: () => setHidden(new Set(data.groups.filter((g) => g.n < 2).map((g) => g.c))) }, "Only repeated");
  const chipBar = el("div", { class: "bar", style: "margin:10px 0 0" }, el("b", {}, "Groups"), all, none, many);
  root.append(bar, view, chipBar, chips, tip, say);

  const groupOf = (c) => data.groups.find((g) => g.c === c) || { name: "Unsorted", color: "#999999", n: 0 };
  const point = (event) => {
    const box = view.getBoundingClientRect();
    return [(event.clientX - box.left - dx) / (base * zoom), (event.clientY - box.top - dy) / (base * zoom)];
  };
  function at([x, y]) {
    let best = null, size = Infinity;
    for (const object of data.objects) {
      const [x1, y1, x2, y2] = object.b;
      if (x < x1 || x >= x2 || y < y1 || y >= y2 || hidden.has(object.c)) continue;
      const area = (x2 - x1) * (y2 - y1);
      if (area < size) { best = object; size = area; }
    }
    return best;
  }
  function place() {
    const width = view.clientWidth || 1;
    base = width / data.width;
    let height = data.height * base;
    const most = Math.max(260, Math.min(720, window.innerHeight * 0.72));
    if (height > most) { base = most / data.height; height = most; }
    view.style.height = height + "px";
    const w = data.width * base * zoom, h = data.height * base * zoom;
    if (w <= width) dx = (width - w) / 2; else dx = Math.min(0, Math.max(width - w, dx));
    if (h <= height) dy = (height - h) / 2; else dy = Math.min(0, Math.max(height - h, dy));
    stage.style.width = data.width * base + "px";
    stage.style.height = data.height * base + "px";
    stage.style.transform = `translate(${dx}px,${dy}px) scale(${zoom})`;
    view.style.touchAction = zoom > 1.01 || drawing ? "none" : "pan-y";
    zoomOut.disabled = zoom <= 1; fit.disabled = zoom <= 1;
    badges();
  }
  function zoomAt(factor, x, y) {
    const box = view.getBoundingClientRect();
    const px = x === undefined ? box.width / 2 : x - box.left, py = y === undefined ? box.height / 2 : y - box.top;
    const next = Math.max(1, Math.min(16, zoom * factor));
    dx = px - (px - dx) * next / zoom; dy = py - (py - dy) * next / zoom;
    zoom = next; place();
  }
  function setDrawing(on) {
    drawing = on; draw.setAttribute("aria-pressed", on); view.classList.toggle("drawing", on);
    hint.textContent = on ? "Drag over the photo" : defaultHint(); place();
  }
  function defaultHint() { return data.mode === "search" ? "Click an object, or draw a box" : "Scroll to zoom, drag to move, click to select"; }
  function setHidden(next, tell = true) {
    hidden = next;
    for (const chip of chips.children) chip.setAttribute("aria-pressed", !hidden.has(Number(chip.dataset.c)));
    paint();
    if (tell) send("hidden", { c: [...hidden], n: ++told });
  }
  let layer = { areas: null, badges: null, marks: null };
  function build() {
    svg.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
    layer.areas = el("g"); layer.badges = el("g"); layer.marks = el("g");
    for (const found of data.congregations) {
      const color = groupOf(found.c).color;
      layer.areas.append(el("path", { class: "halo", d: found.d, "data-c": found.c }),
        el("path", { class: "area", d: found.d, "data-c": found.c, fill: color, "fill-opacity": data.mode === "search" ? 0 : .24, stroke: color, "stroke-width": 2.4 }));
    }
    for (const object of data.objects) if (object.c < 0) {
      const [x1, y1, x2, y2] = object.b;
      layer.areas.append(el("rect", { class: "noise", x: x1, y: y1, width: x2 - x1, height: y2 - y1, "data-c": -1 }));
    }
    svg.replaceChildren(layer.areas, layer.badges, layer.marks);
    if (data.chips === false) { chipBar.style.display = chips.style.display = "none"; }
    else chips.replaceChildren(...data.groups.map((g) => el("button", { class: "chip", "data-c": g.c, "aria-pressed": "true",
      title: `${g.name}: ${g.n} ${g.n === 1 ? "object" : "objects"}`,
      onclick: () => { const next = new Set(hidden); next.has(g.c) ? next.delete(g.c) : next.add(g.c); setHidden(next); },
      onmouseenter: () => { over = { c: g.c, i: -1 }; paint(); }, onmouseleave: () => { over = null; paint(); } },
      el("span", { class: "swatch", style: `background:${g.color}` }), el("span", { class: "t" }, g.name), el("span", { class: "soft" }, "×" + g.n))));
    root.dataset.groups = data.groups.length; root.dataset.areas = data.congregations.length; root.dataset.state = data.state;
  }
  function badges() {
    if (!layer.badges) return;
    if (data.mode === "search") return paint();
    const unit = 1 / (base * zoom), size = 11 * unit;
    const nodes = [];
    for (const found of data.congregations) {
      if (hidden.has(found.c)) continue;
      const [x1, y1, x2, y2] = found.b, group = groupOf(found.c);
      let text = group.named ? group.name : found.label;
      let wide = (text.length * 7 + 8) * unit;
      if (wide > (x2 - x1) && group.named) { text = found.label; wide = (text.length * 7 + 8) * unit; }
      if (wide > (x2 - x1) * 1.1 || 15 * unit > (y2 - y1)) continue;
      const mid = [(x1 + x2) / 2, (y1 + y2) / 2];
      nodes.push(el("g", { class: "badge", "data-c": found.c },
        el("rect", { x: mid[0] - wide / 2, y: mid[1] - 8 * unit, width: wide, height: 16 * unit, rx: 4 * unit, fill: group.color }),
        el("text", { x: mid[0], y: mid[1] + .5 * unit, "font-size": size, fill: ink(group.color) }, text)));
    }
    layer.badges.replaceChildren(...nodes);
    paint();
  }
  function paint() {
    const lit = over ? over.c : data.selected;
    for (const group of [layer.areas, layer.badges]) for (const node of group.children) {
      const c = Number(node.dataset.c);
      node.classList.toggle("gone", hidden.has(c));
      node.classList.toggle("dim", lit !== null && lit !== undefined && c !== lit);
    }
    const marks = [];
    const mark = (b, name) => marks.push(el("rect", { class: name, x: b[0], y: b[1], width: b[2] - b[0], height: b[3] - b[1] }));
    if (lit !== null && lit !== undefined) for (const object of data.objects) if (object.c === lit && !hidden.has(lit)) mark(object.b, "mark");
    for (const b of data.marks || []) mark(b, "mark");
    if (drawnBox) mark(drawnBox, "area-box");
    layer.marks.replaceChildren(...marks);
  }
  function describe(object) {
    const group = groupOf(object.c);
    return [crop(data.atlas, object.i, 64), el("span", {}, el("b", {}, group.name),
      el("span", { class: "soft" }, `${group.n} ${group.n === 1 ? "object" : "objects"}` + (object.c < 0 || group.n < 2 ? "" : ", " + sure(object.p))))];
  }
  function hover(event) {
    const object = at(point(event));
    if ((object && object.c) !== (over && over.c)) { over = object; paint(); }
    over = object;
    if (object && event.pointerType !== "touch") showTip(root, tip, event.clientX, event.clientY, describe(object));
    else tip.hidden = true;
  }
  view.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    pointers.set(event.pointerId, event); moved = false; start = { x: event.clientX, y: event.clientY, dx, dy, p: point(event) };
    if (drawing || zoom > 1.01) view.setPointerCapture(event.pointerId);
    if (pointers.size === 2) { const [a, b] = [...pointers.values()]; pinch = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY); }
  });
  view.addEventListener("pointermove", (event) => {
    if (pointers.has(event.pointerId)) pointers.set(event.pointerId, event);
    if (pointers.size === 2 && pinch) {
      const [a, b] = [...pointers.values()], now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      zoomAt(now / pinch, (a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2); pinch = now; moved = true; return;
    }
    if (!start) return hover(event);
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > 4) moved = true;
    if (drawing) {
      const [x, y] = point(event), [a, b] = start.p;
      const clip = (v, most) => Math.max(0, Math.min(most, v));
      drawnBox = [clip(Math.min(a, x), data.width), clip(Math.min(b, y), data.height), clip(Math.max(a, x), data.width), clip(Math.max(b, y), data.height)];
      paint();
    } else if (zoom > 1.01 && moved) { dx = start.dx + event.clientX - start.x; dy = start.dy + event.clientY - start.y; view.classList.add("dragging"); tip.hidden = true; place(); }
  });
  const up = (event) => {
    pointers.delete(event.pointerId); if (pointers.size < 2) pinch = null;
    view.classList.remove("dragging");
    if (!start) return;
    const was = start; start = null;
    if (event.type === "pointercancel") return;
    if (drawing && drawnBox && drawnBox[2] - drawnBox[0] > 3 && drawnBox[3] - drawnBox[1] > 3) { send("box", drawnBox.map((v) => Math.round(v * 10) / 10)); setDrawing(false); return; }
    if (!moved && !drawing) { const object = at(was.p); select(object); if (object && event.pointerType === "touch") showTip(root, tip, event.clientX, event.clientY, describe(object)); }
  };
  view.addEventListener("pointerup", up); view.addEventListener("pointercancel", up);
  view.addEventListener("pointerleave", () => { over = null; tip.hidden = true; if (layer.areas) paint(); });
  view.addEventListener("wheel", (event) => {
    if (zoom <= 1 && event.deltaY > 0) return;  // the page scrolls on when there is nothing to zoom out of
    event.preventDefault(); zoomAt(Math.exp(-event.deltaY * 0.0016), event.clientX, event.clientY); }, { passive: false });
  function select(object) { drawnBox = null; send("pick", object ? { row: object.i, c: object.c } : { row: null, c: null }); }
  view.addEventListener("keydown", (event) => {
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (way) { event.preventDefault(); step(way); }
    else if (event.key === "Enter" || event.key === " ") { event.preventDefault(); select(focus); }
    else if (event.key === "+" || event.key === "=") zoomAt(1.4);
    else if (event.key === "-") zoomAt(1 / 1.4);
    else if (event.key === "0") fit.click();
    else if (event.key === "Escape") { over = focus = null; tip.hidden = true; setDrawing(false); select(null); }
  });
  function step([sx, sy]) {
    const middle = (o) => [(o.b[0] + o.b[2]) / 2, (o.b[1] + o.b[3]) / 2];
    const open = data.objects.filter((o) => !hidden.has(o.c));
    if (!open.length) return;
    if (!focus) focus = open.reduce((a, b) => (middle(a)[0] + middle(a)[1] < middle(b)[0] + middle(b)[1] ? a : b));
    else {
      const [fx, fy] = middle(focus); let best = null, cost = Infinity;
      for (const object of open) {
        if (object.i === focus.i) continue;
        const [x, y] = middle(object), along = (x - fx) * sx + (y - fy) * sy, off = Math.abs((x - fx) * sy) + Math.abs((y - fy) * sx);
        if (along > 1 && along + 2.5 * off < cost) { cost = along + 2.5 * off; best = object; }
      }
      if (best) focus = best;
    }
    over = focus; paint();
    const box = view.getBoundingClientRect(), [x, y] = middle(focus);
    showTip(root, tip, box.left + dx + x * base * zoom, box.top + dy + y * base * zoom, describe(focus));
    say.textContent = `${groupOf(focus.c).name}, object ${data.objects.indexOf(focus) + 1} of ${data.objects.length}`;
  }
  const watch = new ResizeObserver(() => data && place());
  watch.observe(view);
  return {
    update(next, trigger) {
      send = trigger;
      if (data && next.scene !== data.scene) { zoom = 1; dx = dy = 0; focus = null; drawnBox = null; }
      data = next; over = null;
      if (focus) focus = data.objects.find((o) => o.i === focus.i) || null;
      if (img.src !== new URL(data.image, document.baseURI).href) img.src = data.image;
      img.alt = `Photo ${data.scene}`;
      draw.style.display = data.mode === "search" ? "" : "none";
      if (!drawing) hint.textContent = defaultHint();
      if (data.box) drawnBox = data.box; else if (data.mode === "search" && !drawing) drawnBox = null;
      build();
      // What was toggled since this picture of the page was sent stands.
      const late = data.hidden.n < told;
      told = Math.max(told, data.hidden.n);
      setHidden(late ? hidden : new Set(data.hidden.c), false); place();
    },
    leave() { watch.disconnect(); root.viewer = null; root.replaceChildren(); },
  };
}
