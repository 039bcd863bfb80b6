// Photos: the viewer, the strip of photos, the card of what is selected, sliders.
import { el, toast, many, sure } from "/page/dom.js";
import { get } from "/page/api.js";
import { store, base, listen, here, groupOf, photoOf, choosePhoto, step, select, edit, scene, refresh } from "/page/store.js";
import { Viewer } from "/page/viewer.js";
import { card, cropOf, dropProposals, offers, taken } from "/page/card.js";
import { ACCEPT, bring, dropping } from "/page/home.js";
import { words } from "/page/main.js";

export function sceneView(main) {
  const tip = el("div", { class: "tip", hidden: true });
  const fail = (error) => toast(error.message, { error: true });
  const pick = (o, add) => {
    if (!o) { if (!add) select([], null); return; }
    const rows = add ? new Set(store.rows) : new Set();
    if (add && rows.has(o[0])) rows.delete(o[0]); else rows.add(o[0]);
    select(rows, o[5]);
  };
  const viewer = new Viewer({
    onPick: pick,
    onBox: async (box) => { const told = await edit({ op: "add", photo: store.photo, boxes: [box] }); if (told && told.rows) { const o = here().objects.find((x) => x[0] === told.rows[0]); select(told.rows, o ? o[5] : null); } },
    onLasso: (rows, add) => select(add ? [...store.rows, ...rows] : rows, rows.length ? undefined : null),
    onChange: (row, box) => edit({ op: "box", row, box }),
    onHover: (o, event) => {
      if (!o || event.pointerType === "touch") { tip.hidden = true; return; }
      const g = groupOf(o[5]), b = stage.getBoundingClientRect();
      tip.replaceChildren(cropOf(o[0], 64), el("span", {}, el("b", {}, g.name), el("span", { class: "soft" }, `${many(g.n, "object")}${o[5] >= 0 && g.n > 1 ? ", " + sure(o[6]) : ""}${o[8] ? ", drawn" : `, score ${o[7].toFixed(2)}`}`)));
      tip.hidden = false;
      tip.style.left = Math.min(event.clientX - b.left + 16, b.width - 230) + "px"; tip.style.top = Math.min(event.clientY - b.top + 16, b.height - 90) + "px";
    },
  });
  const tool = (name, label, key) => el("button", { "data-tool": name, "aria-pressed": "false", title: `${label} (${key})`, onclick: () => setTool(name) }, label);
  const tools = el("div", { class: "tools", role: "toolbar", "aria-label": "Tools" }, tool("select", "Select", "V"), tool("draw", "Draw box", "B"), tool("lasso", "Lasso", "L"),
    el("span", { class: "gap" }), el("button", { class: "zoom", "aria-label": "Zoom out", onclick: () => viewer.zoomAt(1 / 1.4) }, "−"), el("button", { onclick: () => { viewer.zoom = 1; viewer.limit(); viewer.draw(); } }, "Fit"),
    el("button", { class: "zoom", "aria-label": "Zoom in", onclick: () => viewer.zoomAt(1.4) }, "+"), el("button", { id: "boxes", "aria-pressed": "false", onclick: (event) => { viewer.boxes = !viewer.boxes; event.currentTarget.setAttribute("aria-pressed", viewer.boxes); viewer.draw(); } }, "Boxes"),
    el("button", { title: "Next doubtful object (D)", onclick: () => doubtful() }, "Next doubtful"));
  const stage = el("div", { class: "stage" }, viewer.canvas, tip);
  const legend = el("div", { class: "legend", "aria-label": "Groups: click to hide" });
  const strip = el("div", { class: "strip", "aria-label": "Photos", "data-testid": "strip" });
  const cardBox = el("section", { class: "cardbox", "data-testid": "card" }), sliders = el("section", { class: "sliders" }), leftOut = el("section", { class: "leftout", hidden: true });
  const picker = el("input", { type: "file", multiple: true, hidden: true, accept: ACCEPT, "data-testid": "files", onchange: () => { const files = [...picker.files]; picker.value = ""; if (files.length) bring(store.key, files).then(refresh).catch(fail); } });
  const add = el("button", { id: "add-photos", class: "tile add", onclick: () => picker.click() }, "+ Add photos");
  const view = el("div", { class: "scene" }, el("div", { class: "left" }, tools, stage, legend, strip), el("aside", {}, cardBox, leftOut, sliders), picker);
  main.append(view);
  dropping(view, (files) => bring(store.key, files).then(refresh).catch(fail));
  function setTool(name) {
    viewer.tool = name;
    for (const node of tools.querySelectorAll("[data-tool]")) node.setAttribute("aria-pressed", node.dataset.tool === name);
    viewer.canvas.style.cursor = name === "select" ? "default" : "crosshair"; viewer.draw();
  }
  setTool("select");
  function preview() {
    const p = store.proposals;
    if (!p) { viewer.preview = null; return; }
    const found = p.found.find((f) => f.photo === store.photo);
    viewer.preview = { more: found ? found.boxes.filter((b) => b[4] >= p.cut) : [] };
  }
  function doubtful(way = 1) {
    const data = here();
    if (!data) return;
    const list = data.objects.filter((o) => o[5] >= 0 && groupOf(o[5]).n > 1 && o[6] < 0.6).sort((a, b) => a[6] - b[6]);
    if (!list.length) {
      const photos = store.state.photos, from = photos.findIndex((p) => p.n === store.photo), next = photos.findIndex((p, k) => k > from && p.doubtful > 0);
      if (next >= 0) { choosePhoto(photos[next].n); toast(`Nothing doubtful left on this photo; on to ${photos[next].name}.`); } else toast("Nothing doubtful is left from here on.");
      return;
    }
    const now = list.findIndex((o) => store.rows.has(o[0])), o = list[(now + way + list.length) % list.length];
    select([o[0]], o[5]); viewer.center(o);
  }
  let stripOf = "";
  let lit = null;
  const end = el("div", { class: "row" });
  strip.append(end);
  const tiles = new Map(); // photo -> its tile: a thousand of them are patched, not made anew
  function drawStrip() {
    const photos = store.state.photos, job = store.state.job, made = `${store.state.version} ${job ? JSON.stringify([job.number, job.done, job.total, job.stage, job.name, job.finished]) : ""}`;
    if (made !== stripOf) {
      stripOf = made;
      const there = new Set(photos.map((p) => p.n));
      for (const [n, tile] of tiles) if (!there.has(n)) { tile.node.remove(); tiles.delete(n); }
      for (const p of photos) {
        let tile = tiles.get(p.n);
        if (!tile) {
          tile = { node: el("button", { class: "thumb", "data-n": p.n, onclick: () => choosePhoto(p.n) }, el("img", { src: `${base()}/thumb/${p.n}.jpg?v=${p.tag}`, alt: "", loading: "lazy", width: 88, height: 64 }), el("span", {}), el("span", { class: "soft" })), said: "" };
          tiles.set(p.n, tile); strip.insertBefore(tile.node, end);
        }
        const said = `${p.name}\n${p.there ? `${many(p.objects, "object")}${p.corrected ? " ✓" : ""}` : "photo is missing"}`;
        if (said !== tile.said) { tile.said = said; [tile.node.children[1].textContent, tile.node.children[2].textContent] = said.split("\n"); tile.node.title = said.replace("\n", ": "); }
      }
      end.replaceChildren(...coming(), add);
    }
    if (lit !== store.photo || !lit) {
      for (const n of [lit, store.photo]) if (tiles.has(n)) tiles.get(n).node.setAttribute("aria-current", n === store.photo);
      if (tiles.has(store.photo)) { lit = store.photo; tiles.get(lit).node.scrollIntoView({ block: "nearest", inline: "nearest" }); }
    }
  }
  function coming() { // the photo that is worked on stands at the end of the strip, with what is done to it
    const job = store.state.job;
    if (!job || job.finished || job.kind !== "photos") return [];
    return [el("div", { class: "thumb coming", "data-testid": "coming" }, el("progress", { max: job.total || 1, value: job.done, "aria-label": "Photos done" }), el("span", {}, job.name || "…"), el("span", { class: "soft" }, words({ ...job, name: "", total: 0, left: null })), job.total > 1 ? el("span", { class: "soft" }, `${Math.min(job.done + 1, job.total)} of ${job.total}`) : "")];
  }
  let leftOutOf = "";
  function drawLeftOut() { // what could not be read, said where the work goes on
    const list = store.state.left_out, made = JSON.stringify(list);
    if (made === leftOutOf) return;
    leftOutOf = made; leftOut.hidden = !list.length;
    leftOut.replaceChildren(el("details", { open: list.length < 6 }, el("summary", {}, `${many(list.length, "file")} left out`), el("ul", {}, ...list.slice(0, 200).map(([name, why]) => el("li", {}, el("b", {}, name), `: ${why}`)))));
  }
  function drawLegend(data) {
    const count = new Map();
    for (const o of data.objects) count.set(o[5], (count.get(o[5]) || 0) + 1);
    const list = store.state.groups.filter((g) => count.has(g.c)).slice(0, 80);
    legend.replaceChildren(...list.map((g) => el("button", { class: "chip", "data-c": g.c, "aria-pressed": !store.hidden.has(g.c), title: `${g.name}: ${many(count.get(g.c), "object")} here`,
      onclick: () => { if (store.hidden.has(g.c)) store.hidden.delete(g.c); else store.hidden.add(g.c); drawLegend(data); viewer.draw(); } },
      el("i", { style: { background: g.color } }), el("span", {}, g.name), el("span", { class: "soft" }, "×" + count.get(g.c)))),
      store.hidden.size ? el("button", { class: "chip", onclick: () => { store.hidden.clear(); drawLegend(data); viewer.draw(); } }, "Show all") : "");
  }
  let slidersOf = "", asked = 0, soon = null;
  function regrouping(value, note) { // asked of the server while the slider stands; only the last answer counts
    const mine = ++asked;
    clearTimeout(soon);
    soon = setTimeout(async () => {
      try {
        const t = await get(`${base()}/threshold?value=${value}&photo=${store.photo}`), data = here();
        if (mine !== asked || !data) return;
        viewer.preview = { moved: t.rows.map((row) => viewer.byRow.get(row)).filter(Boolean).map((o) => o.slice(1, 5)) }; viewer.draw();
        sliders.dataset.moved = t.rows.length; sliders.dataset.groups = t.groups;
        note.textContent = t.changed ? `${many(t.groups, "group")} instead of ${t.were}; ${many(t.rows.length, "object")} on this photo would change` : "Nothing would change";
      } catch (error) { if (mine === asked) note.textContent = error.message; }
    }, 120);
    return note.textContent || "…";
  }
  function drawSliders() {
    const s = store.state, made = JSON.stringify([s.threshold, s.confidence, s.reach, s.lowest, s.never, s.version, store.photo]);
    if (made === slidersOf || sliders.contains(document.activeElement) && document.activeElement.matches(":active")) return;
    slidersOf = made;
    const focus = document.activeElement && document.activeElement.id;
    const slider = (id, label, help, value, low, high, stepped, show, live, done) => {
      const out = el("output", {}, show(value)), note = el("span", { class: "soft live" });
      const input = el("input", { type: "range", id, min: low, max: high, step: stepped, "aria-label": label, oninput: () => { out.textContent = show(Number(input.value)); if (live) note.textContent = live(Number(input.value), note); }, onchange: () => { asked += 1; clearTimeout(soon); viewer.preview = null; done(Number(input.value)); } });
      input.value = value;
      return el("label", { class: "slider" }, el("span", { class: "row" }, el("b", {}, label), out), input, el("span", { class: "soft small" }, help), note);
    };
    const two = (v) => v.toFixed(2);
    sliders.replaceChildren(
      slider("threshold", "How alike is the same?", "Left: more, purer groups. Right: fewer, larger ones. Drag: amber would change its group. What you decided stays.", Math.min(s.threshold, 0.8), 0.02, 0.8, 0.01, two, regrouping, (value) => edit({ op: "threshold", value })),
      slider("confidence", "How sure must a box be?", "Drag: green appears, red disappears. Drawn boxes stay.", s.confidence, Math.min(s.lowest, s.confidence), 0.95, 0.01, two, (value) => {
        const data = here();
        if (!data) return "";
        const more = data.weak.filter((w) => w[5] >= value && value < s.confidence).map((w) => w.slice(1, 5)), less = data.objects.filter((o) => !o[8] && o[7] < value).map((o) => o.slice(1, 5));
        viewer.preview = { more, less }; viewer.draw();
        sliders.dataset.more = more.length; sliders.dataset.less = less.length;
        return `${more.length} appear, ${less.length} disappear on this photo`;
      }, (value) => edit({ op: "confidence", value })),
      slider("reach", "How far does a place reach?", "Widest gap, in object sizes, that still belongs to one place.", Math.min(s.reach, 3), 0, 3, 0.05, two, null, (value) => edit({ op: "reach", value })),
      photoFacts());
    if (focus && document.getElementById(focus)) document.getElementById(focus).focus();
  }
  function photoFacts() {
    const p = photoOf(store.photo);
    if (!p) return "";
    return el("div", { class: "soft small photofacts" }, el("b", {}, p.name), ` · ${p.w} × ${p.h} px · ${many(p.objects, "object")}`, ...p.warnings.map((line) => el("p", {}, line)), store.state.teach.refused ? el("p", { class: "bad" }, store.state.teach.refused) : "",
      el("label", { class: "row" }, el("input", { type: "checkbox", id: "corrected", checked: p.corrected, onchange: (event) => edit({ op: "corrected", photos: [p.n], yes: event.currentTarget.checked }) }), "Every box and group here is right (it can teach)"),
      el("button", { class: "quiet", onclick: () => edit({ op: "remove_photo", photo: p.n }) }, "Remove this photo"));
  }
  let cardOf = "";
  function drawCard(force) {
    const made = JSON.stringify([[...store.rows], store.group, store.state.version, store.proposals && [store.proposals.cut, store.proposals.found.length], store.photo, store.offers.length]);
    if (!force && made === cardOf) return;
    if (cardBox.contains(document.activeElement) && document.activeElement.matches("input[type=text]") && cardOf.startsWith(JSON.stringify([[...store.rows], store.group]).slice(0, -1))) return;
    cardOf = made;
    cardBox.replaceChildren(...card({ viewer, redraw: () => { drawCard(true); preview(); viewer.draw(); } }));
  }
  function update(what) {
    if (!store.state) return;
    const data = here();
    if (what === "busy") return;
    view.classList.toggle("none", !store.state.photos.length);
    drawStrip(); drawSliders(); drawLeftOut();
    if (!data) {
      if (!store.state.photos.length) stage.dataset.empty = store.state.running ? "The first photo appears here when it is done." : "Drop photos here, or choose Add photos below.";
      return;
    }
    delete stage.dataset.empty;
    if (what === "all" || what === "photo") tip.hidden = true; // what it says may not be so any more
    const photo = photoOf(store.photo);
    if (photo) viewer.show(data, `${base()}/photo/${photo.n}.jpg?v=${photo.tag}`);
    drawLegend(data); drawCard(); preview(); viewer.draw();
    if (what === "all" || what === "photo") offers().then(() => drawCard()).catch(() => null);
    const job = store.state.job;
    if (job && job.finished && job.kind === "alike" && job.result && !store.proposals && !taken(job.number)) { // until they are added or discarded, over a reload, too
      if (!job.result.found.length) { taken(job.number, true); toast("Nothing more like this is on any photo."); } else { store.proposals = { ...job.result, cut: 0, job: job.number }; cut(); drawCard(true); preview(); viewer.draw(); }
    }
    if (job && job.finished && job.error && store.told !== job.error) { store.told = job.error; toast(job.error, { error: true }); }
  }
  const cut = () => { const all = store.proposals.found.flatMap((f) => f.boxes.map((b) => b[4])); store.proposals.cut = all.length ? Math.max(1 - store.state.threshold * 1.3, Math.min(...all)) : 0; };
  const keys = (event) => {
    if (event.target.closest && event.target.closest("input, textarea, select, dialog, details.menu") || event.ctrlKey || event.metaKey || !here()) return;
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key], rows = [...store.rows];
    if (way && (event.shiftKey || event.altKey) && rows.length === 1) {
      event.preventDefault(); const o = viewer.byRow.get(rows[0]); if (!o) return;
      const b = o.slice(1, 5), by = event.repeat ? 4 : 1;
      if (event.shiftKey) { b[0] += way[0] * by; b[2] += way[0] * by; b[1] += way[1] * by; b[3] += way[1] * by; } else { b[2] = Math.max(b[0] + 4, b[2] + way[0] * by); b[3] = Math.max(b[1] + 4, b[3] + way[1] * by); }
      nudge(o, b);
    } else if (way && event.target === viewer.canvas) { event.preventDefault(); walk(way); }
    else if ((event.key === "Delete" || event.key === "Backspace") && rows.length) { event.preventDefault(); edit({ op: "delete", rows }); }
    else if (event.key === "Escape") { dropProposals(); setTool("select"); select([], null); }
    else { const act = { v: () => setTool("select"), b: () => setTool("draw"), l: () => setTool("lasso"), d: () => doubtful(), D: () => doubtful(-1), s: () => rows.length > 1 && edit({ op: "pairs", rows, answer: "same" }),
      x: () => rows.length > 1 && edit({ op: "pairs", rows, answer: "different" }), "+": () => viewer.zoomAt(1.4), "=": () => viewer.zoomAt(1.4), "-": () => viewer.zoomAt(1 / 1.4), 0: () => { viewer.zoom = 1; viewer.limit(); viewer.draw(); }, "]": () => step(1), "[": () => step(-1) }[event.key]; if (act) { event.preventDefault(); act(); } }
  };
  let waiting = null; // keys that repeat become one edit
  function nudge(o, b) {
    o[1] = b[0]; o[2] = b[1]; o[3] = b[2]; o[4] = b[3]; viewer.build(); viewer.draw();
    clearTimeout(waiting); waiting = setTimeout(() => edit({ op: "box", row: o[0], box: b }), 350);
  }
  function walk([sx, sy]) {
    const open = here().objects.filter((o) => !store.hidden.has(o[5])), mid = (o) => [(o[1] + o[3]) / 2, (o[2] + o[4]) / 2];
    if (!open.length) return;
    const now = viewer.byRow.get([...store.rows][0]);
    let best = null, cost = Infinity;
    if (!now) best = open.reduce((a, b) => (mid(a)[0] + mid(a)[1] < mid(b)[0] + mid(b)[1] ? a : b));
    else for (const o of open) {
      if (o[0] === now[0]) continue;
      const [x, y] = mid(o), [fx, fy] = mid(now), along = (x - fx) * sx + (y - fy) * sy, off = Math.abs((x - fx) * sy) + Math.abs((y - fy) * sx);
      if (along > 1 && along + 2.5 * off < cost) { cost = along + 2.5 * off; best = o; }
    }
    if (best) { select([best[0]], best[5]); viewer.center(best); }
  }
  document.addEventListener("keydown", keys);
  const stop = listen(update);
  scene().then(() => update("all")).catch(fail);
  window.packedScenes = { viewer, store };
  return () => { stop(); viewer.leave(); document.removeEventListener("keydown", keys); tip.remove(); };
}
