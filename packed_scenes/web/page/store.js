// The project as the page knows it, kept up to date with the server, which is the only one that changes it.
import { get, post } from "/page/api.js";
import { toast } from "/page/dom.js";

export const store = {
  key: null, state: null, photo: null, rows: new Set(), group: null, hidden: new Set(), proposals: null, offers: [], names: [],
  scenes: new Map(), busy: 0,
};
const listeners = new Set();
const channel = "BroadcastChannel" in window ? new BroadcastChannel("packed-scenes") : null;
if (channel) channel.onmessage = (event) => { if (event.data === store.key) refresh(); };

export function listen(work) { listeners.add(work); return () => listeners.delete(work); }
export function tell(what = "all") { for (const work of [...listeners]) work(what); }
export const base = () => `/api/p/${encodeURIComponent(store.key)}`;
export const groupOf = (c) => (store.state && store.state.groups.find((g) => g.c === c)) || { c, name: c < 0 ? "Unsorted" : `Group ${c}`, color: "#969696", n: 0, unsure: 0 };
export const photoOf = (n) => store.state && store.state.photos.find((p) => p.n === n);

export async function open(key) {
  Object.assign(store, { key, state: null, photo: null, group: null, proposals: null, offers: [], names: [] });
  store.rows.clear(); store.hidden.clear(); store.scenes.clear();
  await refresh();
}
let asking = null;
export function refresh() {
  if (!store.key) return Promise.resolve();
  if (!asking) asking = fresh().finally(() => { asking = null; });
  return asking;
}
async function fresh() {
  const key = store.key, since = store.state ? `?since=${encodeURIComponent(store.state.tag)}` : "";
  const told = await get(`${base()}/state${since}`);
  if (key !== store.key || !told.photos) return;
  const before = store.state;
  store.state = told;
  if (!told.photos.some((p) => p.n === store.photo)) choosePhoto(told.photos.length ? told.photos[0].n : null, false);
  if (store.group !== null && !told.groups.some((g) => g.c === store.group)) store.group = null;
  if (!before || before.version !== told.version) await scene();
  tell(before && before.version === told.version ? "job" : "all");
}
export async function scene() {
  if (store.photo === null) return null;
  const held = store.scenes.get(store.photo);
  if (held && held.version === store.state.version) return held;
  const photo = store.photo, told = await get(`${base()}/scene/${photo}`);
  if (store.scenes.size > 12) store.scenes.clear();
  store.scenes.set(photo, told);
  const there = new Set(told.objects.map((o) => o[0]));
  for (const row of [...store.rows]) if (photo === store.photo && !there.has(row)) store.rows.delete(row);
  return told;
}
export const here = () => store.scenes.get(store.photo) || null;

export function choosePhoto(n, say = true) {
  if (n === store.photo) return;
  store.photo = n; store.rows.clear(); // the lit group stays lit on the next photo
  if (store.group !== null && store.state && !store.state.groups.some((g) => g.c === store.group)) store.group = null;
  if (n !== null && store.state && say) scene().then(() => tell("photo")).catch((error) => toast(error.message, { error: true }));
}
export function step(way) {
  const photos = store.state ? store.state.photos : [], at = photos.findIndex((p) => p.n === store.photo);
  const next = photos[Math.max(0, Math.min(photos.length - 1, at + way))];
  if (next) choosePhoto(next.n);
}
export function select(rows, group) {
  store.rows = new Set(rows); store.group = group === undefined ? store.group : group; tell("selection");
}
// One edit at a time, in order; what cannot be done is said, and nothing has changed.
let last = Promise.resolve();
export function edit(told, { quiet = false } = {}) {
  const run = async () => {
    store.busy += 1; tell("busy");
    try {
      const answer = await post(`${base()}/edit`, told);
      await refresh();
      if (channel) channel.postMessage(store.key);
      if (!quiet && answer.said && answer.changed) toast(answer.said + ".", { action: /^(Undone|Done again)/.test(answer.said) ? null : { label: "Undo", run: () => edit({ op: "undo" }) } });
      else if (!quiet && answer.said && !answer.changed) toast(answer.said + (told.op === "undo" || told.op === "redo" ? "." : ": nothing changed."));
      return answer;
    } catch (error) { toast(error.message, { error: true }); await refresh().catch(() => null); return null; }
    finally { store.busy -= 1; tell("busy"); }
  };
  last = last.then(run, run);
  return last;
}
let away = false, spent = 0;
export function watch() {
  const look = async () => {
    if (!document.hidden && store.key) {
      try { const start = performance.now(); await refresh(); spent = performance.now() - start; if (away) { away = false; toast("The server is back; everything is saved."); } }
      catch (error) { if (!away) toast(`No answer: ${error.message}`, { error: true }); away = true; }
    }
    const job = store.state && store.state.running;
    setTimeout(look, Math.max(job ? 400 : 1000, 4 * spent)); // a large project is asked for less often
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh().catch(() => null); });
  look();
}
