// The frame: heading, views, undo and redo with words, keys that work everywhere.
import { el, toast, ask, clock, many, percent } from "/page/dom.js";
import { store, open, listen, watch, edit, refresh, base, step, tell } from "/page/store.js";
import { get, post } from "/page/api.js";
import { home } from "/page/home.js";
import { sceneView } from "/page/scene.js";
import { groupsView } from "/page/groups.js";
import { reviewView } from "/page/review.js";
import { mapView } from "/page/map.js";
import { reportView } from "/page/report.js";
import { catalogueView } from "/page/catalogue.js";
import { teachView } from "/page/teach.js";

const VIEWS = { photo: ["Photos", sceneView], groups: ["Groups", groupsView], review: ["Review", reviewView], map: ["Map", mapView],
  report: ["Report", reportView], catalogue: ["Catalogue", catalogueView], teach: ["Teach", teachView] };
const top = document.getElementById("top"), main = document.getElementById("main");
let shown = null, leave = null, at = "";

function place() {
  const [, key, view] = location.hash.split("/");
  return { key: key ? decodeURIComponent(key) : null, view: VIEWS[view] ? view : "photo" };
}
export const go = (key, view = "photo") => { location.hash = key ? `#/${encodeURIComponent(key)}/${view}` : "#/"; };
export const seeView = (view) => go(store.key, view);

let turn = 0;
async function route() {
  const { key, view } = place(), mine = ++turn;
  if (leave) { leave(); leave = null; }
  try {
    if (!key) { store.key = null; store.state = null; shown = null; frame(); main.replaceChildren(); leave = home(main, go); main.scrollTo(0, 0); return; }
    if (key !== store.key || !store.state) { main.replaceChildren(el("p", { class: "empty" }, "Opening …")); await open(key); }
    if (mine !== turn) return; // another address was chosen meanwhile
    shown = view; frame();
    main.replaceChildren();
    leave = VIEWS[view][1](main, go);
  } catch (error) {
    if (mine !== turn) return;
    store.key = null; shown = null; frame();
    main.replaceChildren(el("div", { class: "empty" }, el("p", {}, error.message), el("button", { class: "main", onclick: () => go(null) }, "To the start")));
  }
  document.title = store.state ? `${store.state.name} – Packed Scenes` : "Packed Scenes";
}
function frame() {
  const s = store.state, made = JSON.stringify([store.key, shown, s && [s.name, s.undo, s.redo, s.objects, s.groups.length, s.photos.length, s.job && !s.job.finished && s.job], store.busy > 0]);
  if (made === at) return;
  at = made;
  const focus = document.activeElement && document.activeElement.id;
  const brand = el("a", { class: "brand", href: "#/", "aria-label": "Start" }, el("img", { src: "/page/icon.svg", alt: "", width: 26, height: 26 }), el("span", {}, "Packed Scenes"));
  if (!s) { top.replaceChildren(el("div", { class: "bar" }, brand)); return; }
  const job = s.job && !s.job.finished ? s.job : null;
  const named = s.groups.filter((g) => g.c >= 0).length;
  top.replaceChildren(
    el("div", { class: "bar" }, brand,
      el("button", { class: "quiet project", title: "Rename this project", onclick: renameProject }, s.name),
      el("span", { class: "facts", "data-testid": "facts" }, s.photos.length ? `${many(s.photos.length, "photo")}, ${many(s.objects, "object")}, ${many(named, "group")}` : "no photos yet"),
      el("span", { class: "saved" + (store.busy ? " busy" : ""), "data-testid": "saved" }, store.busy ? "Saving …" : "Saved"),
      el("div", { class: "row history" },
        el("button", { id: "undo", disabled: !s.undo, title: s.undo ? `Undo: ${s.undo} (Ctrl+Z)` : "Nothing to undo", "aria-label": s.undo ? `Undo: ${s.undo}` : "Undo", onclick: () => edit({ op: "undo" }) }, "↶", el("span", { class: "word what" }, s.undo ? `Undo: ${s.undo}` : "Undo")),
        el("button", { id: "redo", disabled: !s.redo, title: s.redo ? `Redo: ${s.redo} (Ctrl+Shift+Z)` : "Nothing to redo", "aria-label": s.redo ? `Redo: ${s.redo}` : "Redo", onclick: () => edit({ op: "redo" }) }, "↷", el("span", { class: "word what" }, s.redo ? `Redo: ${s.redo}` : "Redo")),
        menu())),
    el("nav", { "aria-label": "Views" }, ...Object.entries(VIEWS).map(([name, [label]]) =>
      el("a", { href: `#/${encodeURIComponent(store.key)}/${name}`, id: `view-${name}`, class: name === shown ? "on" : "", "aria-current": name === shown ? "page" : null }, label))),
    job ? el("div", { class: "job", "data-testid": "job" }, el("progress", { max: job.total || 1, ...(job.total ? { value: job.done } : {}), "aria-label": "Progress" }),
      el("span", {}, words(job)), el("button", { onclick: () => post(`${base()}/stop`).then((t) => toast(t.said + ".")).catch((e) => toast(e.message, { error: true })) }, "Stop")) : "");
  const on = top.querySelector("nav .on");
  if (on) on.scrollIntoView({ block: "nearest", inline: "nearest" }); // on a phone the views do not fit beside each other
  if (focus && document.getElementById(focus)) document.getElementById(focus).focus();
}
export function words(job) {
  const stage = { read: "Reading", detect: "Finding objects", embed: "Describing every object", group: "Grouping what is the same", frames: "Taking frames of",
    alike: "Looking for more in", teach: "Training the detector", looks: "Training what is the same", renew: "Describing every object anew", again: "Finding boxes anew", score: "Comparing on photos kept out", prepare: "Preparing" }[job.stage] || "Starting";
  const far = job.stage === "teach" && job.total ? ` · ${percent(job.done / job.total)}` : job.total > 1 ? ` · ${Math.min(job.done + 1, job.total)} of ${job.total}` : "";
  return `${stage}${job.name ? " " + job.name : ""}${far}${job.left !== null ? " · " + clock(job.left) : ""}`;
}
async function renameProject() {
  const name = await ask("Rename this project", { value: store.state.name, button: "Rename" });
  if (name) post(`${base()}/about`, { name }).then(refresh).then(frame).catch((error) => toast(error.message, { error: true }));
}
function menu() {
  const box = el("details", { class: "menu" }, el("summary", { "aria-label": "More" }, "⋯"));
  const item = (label, run) => el("button", { onclick: () => { box.open = false; run(); } }, label);
  const link = (label, path) => el("a", { href: path, download: "", onclick: () => { box.open = false; } }, label);
  box.append(el("div", { class: "list" },
    item("Add photos", () => { go(store.key, "photo"); setTimeout(() => { const button = document.getElementById("add-photos"); if (button) button.click(); }, 50); }),
    item("Save as …", async () => {
      const name = await ask("Save as", { value: store.state.name, button: "Save" });
      if (name) try { const told = await post(`${base()}/copy`, { name }); toast(told.said + "."); go(told.key); } catch (error) { toast(error.message, { error: true }); }
    }),
    link("Export as one zip", `${base()}/export.zip`), link("Run folder (zip)", `${base()}/download/run.zip`),
    item("Keys", () => ask("Keys", { text: keysTable(), button: "Close", cancel: false })), item("All projects", () => go(null))));
  return box;
}
const KEYS = [["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"], ["Page Up, Page Down", "photos"], ["V, B, L", "select, draw a box, lasso"], ["arrows", "next object on the photo"], ["Shift+arrows", "move the box"], ["Alt+arrows", "resize it"],
  ["Delete", "not an object, here"], ["D", "next doubtful object"], ["S, X", "the selected are the same, different"], ["+, -, 0", "zoom in, out, fit"], ["Escape", "select nothing"], ["Y, N, U", "in Review: same, different, unsure"]];
const keysTable = () => el("dl", { class: "keys" }, ...KEYS.flatMap(([key, what]) => [el("dt", {}, key), el("dd", {}, what)]));

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest && event.target.closest("input:not([type=range]), textarea, select, dialog");
  const command = event.ctrlKey || event.metaKey;
  if (!store.state || typing) return;
  if (command && event.key.toLowerCase() === "z") { event.preventDefault(); edit({ op: event.shiftKey ? "redo" : "undo" }); }
  else if (command && event.key.toLowerCase() === "y") { event.preventDefault(); edit({ op: "redo" }); }
  else if (event.key === "PageDown") { event.preventDefault(); step(1); }
  else if (event.key === "PageUp") { event.preventDefault(); step(-1); }
});
document.addEventListener("click", (event) => { for (const box of document.querySelectorAll("details.menu[open]")) if (!box.contains(event.target)) box.open = false; });
window.addEventListener("hashchange", route);
listen(() => frame());
watch();
get("/api/home").then((told) => { if (location.hash.length < 3 && told.first) go(told.first); else if (location.hash.length < 3 && !told.recent.length && told.samples.includes("shelf")) return first(); else route(); })
  .catch((error) => { main.replaceChildren(el("p", { class: "empty" }, error.message)); });
// The first visit sees a result, not an empty page.
async function first() {
  let busy = false; // who has gone on meanwhile is not taken away from there
  document.addEventListener("pointerdown", () => { busy = true; }, { once: true });
  try { const told = await post("/api/new", { sample: "shelf" }); if (!busy) go(told.key); } catch { route(); }
}
export { tell };
