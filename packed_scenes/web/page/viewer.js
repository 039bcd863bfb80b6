// The photo with its boxes on a canvas: one path for each group, so that thousands of objects redraw in a few frames.
import { el, ink } from "/page/dom.js";
import { store, groupOf } from "/page/store.js";

const GRIP = 9; // px around a handle
export class Viewer {
  constructor({ onPick, onBox, onLasso, onChange, onHover }) {
    this.on = { onPick, onBox, onLasso, onChange, onHover };
    this.canvas = el("canvas", { tabindex: 0, "data-testid": "photo", role: "img", "aria-label": "Photo with its objects" });
    this.g = this.canvas.getContext("2d");
    this.image = new Image();
    this.image.addEventListener("load", () => this.draw());
    this.image.addEventListener("error", () => { if (this.image.src) this.canvas.dataset.missing = "1"; });
    this.data = null; this.tool = "select"; this.zoom = 1; this.dx = 0; this.dy = 0; this.over = null; this.boxes = false;
    this.preview = null; this.drag = null; this.pointers = new Map(); this.lasso = null; this.drawn = null; this.light = null;
    this.watch = new ResizeObserver(() => { this.size(); this.draw(); });
    this.watch.observe(this.canvas);
    this.listen();
  }
  leave() { this.watch.disconnect(); cancelAnimationFrame(this.frame); }
  show(data, address) {
    const other = !this.data || this.data.n !== data.n;
    if (other) { this.zoom = 1; this.dx = this.dy = 0; this.over = null; delete this.canvas.dataset.missing; }
    if (this.address !== address) { this.address = address; this.image.src = address; }
    if (this.data !== data) { this.data = data; this.build(); }
    this.size(); this.draw();
  }
  build() { // paths once for each version; drawing only fills and strokes them
    this.paths = new Map();
    for (const place of this.data.places) {
      let path = this.paths.get(place.c);
      if (!path) this.paths.set(place.c, path = { area: new Path2D(), boxes: new Path2D(), noise: false });
      for (const ring of place.rings) {
        path.area.moveTo(ring[0], ring[1]);
        for (let k = 2; k < ring.length; k += 2) path.area.lineTo(ring[k], ring[k + 1]);
        path.area.closePath();
      }
    }
    this.byRow = new Map();
    for (const o of this.data.objects) {
      this.byRow.set(o[0], o);
      let path = this.paths.get(o[5]);
      if (!path) this.paths.set(o[5], path = { area: new Path2D(), boxes: new Path2D(), noise: o[5] < 0 });
      path.boxes.rect(o[1], o[2], o[3] - o[1], o[4] - o[2]);
      if (path.noise) path.area.rect(o[1], o[2], o[3] - o[1], o[4] - o[2]);
    }
    this.canvas.dataset.objects = this.data.objects.length; this.canvas.dataset.version = this.data.version; this.canvas.dataset.photo = this.data.n;
  }
  size() {
    const ratio = Math.min(2, window.devicePixelRatio || 1), box = this.canvas.getBoundingClientRect();
    const w = Math.max(1, Math.round(box.width * ratio)), h = Math.max(1, Math.round(box.height * ratio));
    if (this.canvas.width !== w || this.canvas.height !== h) { this.canvas.width = w; this.canvas.height = h; }
    this.ratio = ratio; this.box = box;
    if (this.data) { this.fit = Math.min(box.width / this.data.w, box.height / this.data.h); this.limit(); }
  }
  limit() {
    const s = this.fit * this.zoom, w = this.data.w * s, h = this.data.h * s, b = this.box;
    this.dx = w <= b.width ? (b.width - w) / 2 : Math.min(0, Math.max(b.width - w, this.dx));
    this.dy = h <= b.height ? (b.height - h) / 2 : Math.min(0, Math.max(b.height - h, this.dy));
  }
  zoomAt(factor, x = this.box.width / 2, y = this.box.height / 2) {
    const next = Math.max(1, Math.min(40, this.zoom * factor));
    this.dx = x - (x - this.dx) * next / this.zoom; this.dy = y - (y - this.dy) * next / this.zoom; this.zoom = next;
    this.limit(); this.draw();
  }
  center(o) {
    const s = this.fit * this.zoom, x = (o[1] + o[3]) / 2 * s + this.dx, y = (o[2] + o[4]) / 2 * s + this.dy, b = this.box;
    if (x < 30 || y < 30 || x > b.width - 30 || y > b.height - 30) { this.dx += b.width / 2 - x; this.dy += b.height / 2 - y; this.limit(); }
    this.draw();
  }
  point(event) {
    const b = this.canvas.getBoundingClientRect(), s = this.fit * this.zoom;
    return [(event.clientX - b.left - this.dx) / s, (event.clientY - b.top - this.dy) / s];
  }
  at([x, y]) {
    let best = null, least = Infinity;
    for (const o of this.data.objects) {
      if (x < o[1] || x > o[3] || y < o[2] || y > o[4] || store.hidden.has(o[5])) continue;
      const area = (o[3] - o[1]) * (o[4] - o[2]);
      if (area < least) { least = area; best = o; }
    }
    return best;
  }
  draw() { if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.paint(); }); }
  paint() {
    if (!this.data) return;
    const start = performance.now(), { g, data } = this, s = this.fit * this.zoom, unit = 1 / s;
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, this.canvas.width, this.canvas.height);
    g.setTransform(s * this.ratio, 0, 0, s * this.ratio, this.dx * this.ratio, this.dy * this.ratio);
    if (this.image.complete && this.image.naturalWidth) g.drawImage(this.image, 0, 0, data.w, data.h);
    else { g.fillStyle = "rgba(128,128,128,.25)"; g.fillRect(0, 0, data.w, data.h); }
    const lit = this.over ? this.over[5] : store.group;
    for (const [c, path] of this.paths) {
      if (store.hidden.has(c)) continue;
      const color = c < 0 ? "#d0d0d0" : groupOf(c).color, dim = lit !== null && lit !== undefined && c !== lit;
      g.globalAlpha = dim ? 0.22 : 1;
      if (!path.noise) { g.fillStyle = color + (c === lit ? "66" : "3d"); g.fill(path.area); }
      g.setLineDash(path.noise ? [5 * unit, 4 * unit] : []);
      g.lineWidth = 4 * unit; g.strokeStyle = "rgba(0,0,0,.45)"; if (!dim) g.stroke(path.area);
      g.lineWidth = (c === lit ? 3 : 2) * unit; g.strokeStyle = color; g.stroke(path.area);
      if (this.boxes || c === lit) { g.lineWidth = 1.2 * unit; g.strokeStyle = c === lit ? "#fff" : color; g.stroke(path.boxes); }
    }
    g.setLineDash([]); g.globalAlpha = 1;
    this.labels(g, unit, lit);
    if (this.preview) this.ghosts(g, unit);
    this.marks(g, unit);
    this.canvas.dataset.paint = (performance.now() - start).toFixed(1);
    this.canvas.dataset.view = `${this.zoom.toFixed(3)} ${this.dx.toFixed(0)} ${this.dy.toFixed(0)}`;
  }
  labels(g, unit, lit) {
    const size = 12 * unit;
    g.font = `600 ${size}px system-ui, sans-serif`; g.textAlign = "center"; g.textBaseline = "middle";
    let left = 400;
    for (const place of this.data.places) {
      if (store.hidden.has(place.c) || (lit !== null && lit !== undefined && place.c !== lit)) continue;
      const [x1, y1, x2, y2] = place.b, group = groupOf(place.c);
      if (y2 - y1 < 20 * unit || x2 - x1 < 26 * unit || !left--) continue;
      let text = group.named ? group.name : place.label, wide = g.measureText(text).width + 8 * unit;
      if (wide > x2 - x1) { text = place.label; wide = g.measureText(text).width + 8 * unit; }
      if (wide > (x2 - x1) * 1.1) continue;
      const x = (x1 + x2) / 2, y = (y1 + y2) / 2;
      g.fillStyle = group.color; g.beginPath(); g.roundRect(x - wide / 2, y - 9 * unit, wide, 18 * unit, 4 * unit); g.fill();
      g.fillStyle = ink(group.color); g.fillText(text, x, y + 0.5 * unit);
    }
  }
  ghosts(g, unit) { // what a slider or a search would bring (green), take away (red) or group otherwise (amber)
    for (const [list, color] of [[this.preview.more || [], "#19c37d"], [this.preview.less || [], "#ff4d4d"], [this.preview.moved || [], "#ffb020"]]) {
      const path = new Path2D();
      for (const b of list) path.rect(b[0], b[1], b[2] - b[0], b[3] - b[1]);
      g.fillStyle = color + "33"; g.fill(path);
      g.lineWidth = 3.5 * unit; g.strokeStyle = "rgba(0,0,0,.5)"; g.stroke(path);
      g.setLineDash([6 * unit, 3 * unit]); g.lineWidth = 2 * unit; g.strokeStyle = color; g.stroke(path); g.setLineDash([]);
    }
  }
  marks(g, unit) {
    const frame = (b, color, width, dash = []) => {
      g.setLineDash([]); g.lineWidth = (width + 2) * unit; g.strokeStyle = "rgba(0,0,0,.6)"; g.strokeRect(b[0], b[1], b[2] - b[0], b[3] - b[1]);
      g.setLineDash(dash.map((v) => v * unit)); g.lineWidth = width * unit; g.strokeStyle = color; g.strokeRect(b[0], b[1], b[2] - b[0], b[3] - b[1]); g.setLineDash([]);
    };
    if (this.over) frame(this.over.slice(1, 5), "#fff", 1.5);
    for (const row of store.rows) { const o = this.byRow.get(row); if (o && !(this.drag && this.drag.row === row)) frame(o.slice(1, 5), "#ffd54a", 2.5); }
    const box = this.drag && this.drag.box ? this.drag.box : this.handled();
    if (this.drag && this.drag.box) frame(this.drag.box, "#ffd54a", 2.5, [5, 3]);
    if (box && this.tool === "select") for (const [x, y] of handles(box)) {
      g.fillStyle = "#ffd54a"; g.strokeStyle = "#000"; g.lineWidth = unit; g.beginPath(); g.rect(x - 4 * unit, y - 4 * unit, 8 * unit, 8 * unit); g.fill(); g.stroke();
    }
    if (this.drawn) frame(this.drawn, "#ffd54a", 2, [5, 3]);
    if (this.lasso) {
      g.beginPath(); this.lasso.forEach(([x, y], k) => (k ? g.lineTo(x, y) : g.moveTo(x, y)));
      g.lineWidth = 2 * unit; g.strokeStyle = "#ffd54a"; g.fillStyle = "rgba(255,213,74,.15)"; g.fill(); g.stroke();
    }
  }
  handled() { if (store.rows.size !== 1) return null; const o = this.byRow && this.byRow.get([...store.rows][0]); return o ? o.slice(1, 5) : null; }
  grip([x, y], touch = false) { // fingers get more room outside the box; inside, a quarter of it stays for moving
    const box = this.handled(), unit = 1 / (this.fit * this.zoom), far = (touch ? 2 : 1) * GRIP * unit;
    if (!box || this.tool !== "select") return -1;
    const near = (v, at, low, high) => { const inside = v > low && v < high; return Math.abs(v - at) < (inside ? Math.min(far, Math.max(3 * unit, (high - low) / 4)) : far); };
    return handles(box).findIndex(([hx, hy]) => near(x, hx, box[0], box[2]) && near(y, hy, box[1], box[3]));
  }
  listen() {
    const c = this.canvas, clip = (v, most) => Math.max(0, Math.min(most, v));
    c.addEventListener("pointerdown", (event) => {
      if (event.button || !this.data) return;
      c.focus({ preventScroll: true }); c.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, event);
      if (this.pointers.size === 2) { this.drag = this.drawn = this.lasso = null; this.pinch = spread([...this.pointers.values()]); return; }
      const p = this.point(event), grip = this.grip(p, event.pointerType === "touch"), box = this.handled();
      this.start = { x: event.clientX, y: event.clientY, dx: this.dx, dy: this.dy, p, moved: false, add: event.shiftKey || event.ctrlKey || event.metaKey };
      if (this.tool === "select" && grip >= 0) this.drag = { row: [...store.rows][0], grip, from: box, box: [...box] };
      else if (this.tool === "select" && box && !this.start.add && p[0] > box[0] && p[0] < box[2] && p[1] > box[1] && p[1] < box[3]) this.drag = { row: [...store.rows][0], grip: -1, from: box, box: null };
      else if (this.tool === "lasso") this.lasso = [p];
    });
    c.addEventListener("pointermove", (event) => {
      if (!this.data) return;
      if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, event);
      if (this.pointers.size === 2) {
        const now = spread([...this.pointers.values()]), b = c.getBoundingClientRect();
        if (this.pinch) this.zoomAt(now.d / this.pinch.d, now.x - b.left, now.y - b.top);
        this.dx += now.x - (this.pinch ? this.pinch.x : now.x); this.dy += now.y - (this.pinch ? this.pinch.y : now.y);
        this.limit(); this.pinch = now; this.start = null; this.draw(); return;
      }
      const p = this.point(event);
      if (!this.start) {
        const grip = this.grip(p), o = this.tool === "draw" ? null : this.at(p);
        c.style.cursor = grip >= 0 ? ["nwse", "ns", "nesw", "ew", "nwse", "ns", "nesw", "ew"][grip] + "-resize" : this.tool !== "select" ? "crosshair" : o ? "pointer" : this.zoom > 1 ? "grab" : "default";
        if (o !== this.over) { this.over = o; this.draw(); }
        this.on.onHover(o, event);
        return;
      }
      if (Math.hypot(event.clientX - this.start.x, event.clientY - this.start.y) > 4) this.start.moved = true;
      if (!this.start.moved) return;
      this.on.onHover(null, event);
      const { w, h } = this.data;
      if (this.drag) {
        const [mx, my] = [p[0] - this.start.p[0], p[1] - this.start.p[1]], b = [...this.drag.from], k = this.drag.grip;
        if (k < 0) { const x = clip(b[0] + mx, w - b[2] + b[0]), y = clip(b[1] + my, h - b[3] + b[1]); this.drag.box = [x, y, x + b[2] - b[0], y + b[3] - b[1]]; }
        else {
          if ([0, 6, 7].includes(k)) b[0] = clip(b[0] + mx, b[2] - 3); if ([2, 3, 4].includes(k)) b[2] = Math.max(b[0] + 3, clip(b[2] + mx, w));
          if ([0, 1, 2].includes(k)) b[1] = clip(b[1] + my, b[3] - 3); if ([4, 5, 6].includes(k)) b[3] = Math.max(b[1] + 3, clip(b[3] + my, h));
          this.drag.box = b;
        }
      } else if (this.tool === "draw") {
        const [a, b] = this.start.p;
        this.drawn = [clip(Math.min(a, p[0]), w), clip(Math.min(b, p[1]), h), clip(Math.max(a, p[0]), w), clip(Math.max(b, p[1]), h)];
      } else if (this.tool === "lasso") this.lasso.push(p);
      else { this.dx = this.start.dx + event.clientX - this.start.x; this.dy = this.start.dy + event.clientY - this.start.y; this.limit(); }
      this.draw();
    });
    const up = (event) => {
      this.pointers.delete(event.pointerId);
      if (this.pointers.size < 2) this.pinch = null;
      const start = this.start, { drag, drawn, lasso } = this;
      this.start = this.drag = this.drawn = this.lasso = null;
      if (!start || event.type === "pointercancel") { this.draw(); return; }
      if (drag && drag.box && start.moved) this.on.onChange(drag.row, drag.box);
      else if (drawn && start.moved && drawn[2] - drawn[0] > 3 && drawn[3] - drawn[1] > 3) this.on.onBox(drawn);
      else if (lasso && start.moved && lasso.length > 3) {
        const path = new Path2D(); lasso.forEach(([x, y], k) => (k ? path.lineTo(x, y) : path.moveTo(x, y)));
        this.g.save(); this.g.setTransform(1, 0, 0, 1, 0, 0);
        const rows = this.data.objects.filter((o) => !store.hidden.has(o[5]) && this.g.isPointInPath(path, (o[1] + o[3]) / 2, (o[2] + o[4]) / 2)).map((o) => o[0]);
        this.g.restore(); this.on.onLasso(rows, start.add);
      } else if (!start.moved) this.on.onPick(this.at(start.p), start.add, event);
      this.draw();
    };
    c.addEventListener("pointerup", up); c.addEventListener("pointercancel", up);
    c.addEventListener("pointerleave", (event) => { if (!this.start) { this.over = null; this.on.onHover(null, event); this.draw(); } });
    c.addEventListener("wheel", (event) => {
      if (this.zoom <= 1 && event.deltaY > 0) return; // the page scrolls on when there is nothing to zoom out of
      event.preventDefault(); const b = c.getBoundingClientRect(); this.zoomAt(Math.exp(-event.deltaY * 0.0016), event.clientX - b.left, event.clientY - b.top);
    }, { passive: false });
  }
}
const handles = ([a, b, c, d]) => [[a, b], [(a + c) / 2, b], [c, b], [c, (b + d) / 2], [c, d], [(a + c) / 2, d], [a, d], [a, (b + d) / 2]];
function spread([a, b]) { return { d: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), x: (a.clientX + b.clientX) / 2, y: (a.clientY + b.clientY) / 2 }; }
