// Review: the most doubtful pairs first, answered by keys, until the rest no longer matters.
import { el, toast, percent, many } from "/page/dom.js";
import { get } from "/page/api.js";
import { store, base, listen, edit, photoOf, choosePhoto, select } from "/page/store.js";
import { question, onKeys } from "/page/question.js";

export function reviewView(main, go) {
  const box = el("div", { class: "review", "data-testid": "review" });
  main.append(box);
  let told = null, version = null, busy = false, gone = false, on = false;
  const kept = `intervals ${store.key}`; // the way so far outlives a reload
  let intervals = [];
  try { intervals = JSON.parse(sessionStorage.getItem(kept)) || []; } catch { intervals = []; }
  async function load() {
    if (!store.state || busy) return;
    const now = store.state.version;
    busy = true;
    try { told = await get(`${base()}/review`); version = now; } catch (error) { toast(error.message, { error: true }); } finally { busy = false; }
    if (gone || !told) return;
    const last = intervals[intervals.length - 1];
    if (!last || last.low !== told.low || last.high !== told.high || last.answered !== told.answered) intervals.push({ low: told.low, high: told.high, count: told.count, answered: told.answered });
    sessionStorage.setItem(kept, JSON.stringify(intervals.slice(-40)));
    draw();
    if (store.state.version !== version) load();
  }
  async function answer(what) {
    const q = told && told.questions[0];
    if (!q || busy) return;
    await edit({ op: "pairs", rows: [q.a, q.b], answer: what }, { quiet: true });
  }
  const see = (at) => { const q = told.questions[0]; choosePhoto(q.photos[at], false); select([at ? q.b : q.a], q.groups[at]); go(store.key, "photo"); };
  const crop = (row) => `${base()}/crop/${row}.jpg?v=${store.state.version}`, nameOf = (photo) => (photoOf(photo) ? photoOf(photo).name : "");
  function chart() {
    const lows = intervals.map((i) => i.low), highs = intervals.map((i) => i.high), low = Math.min(...lows), high = Math.max(...highs, low + 1);
    const list = intervals.slice(-40);
    return el("div", { class: "narrowing", role: "img", "aria-label": `Between ${told.low} and ${told.high}` }, ...list.map((i) => { const bar = el("i"); bar.style.bottom = `${(i.low - low) / (high - low) * 100}%`; bar.style.height = `${Math.max(3, (i.high - i.low) / (high - low) * 100)}%`; return el("span", { title: `${i.low} to ${i.high} after ${i.answered} answers` }, bar); }));
  }
  function draw() {
    const q = told.questions[0], done = !q || (told.enough && !on);
    box.dataset.open = told.open; box.dataset.answered = told.answered; box.dataset.low = told.low; box.dataset.high = told.high; box.dataset.pair = q ? `${q.a}-${q.b}` : "";
    box.replaceChildren(
      el("div", { class: "count" }, el("span", { class: "soft" }, "How many different things?"), el("b", { class: "figure" }, told.low === told.high ? String(told.low) : `${told.low} – ${told.high}`),
        el("span", { class: "soft" }, `${many(told.groups, "group")} now · ${many(told.answered, "pair")} answered · ${told.open >= 40 ? "40 or more" : told.open} open`), intervals.length > 1 ? chart() : ""),
      done
        ? el("div", { class: "done" }, el("h2", {}, q ? "The rest hardly matters" : "Nothing doubtful is left"), el("p", { class: "soft" }, q ? "The open questions change the number by less than half a group, or 2 %." : "Every pair worth asking about is answered."), q ? el("button", { onclick: () => { on = true; draw(); } }, "Go on all the same") : "")
        : question({ left: crop(q.a), right: crop(q.b), names: q.photos.map(nameOf), note: `By looks: the same with ${percent(q.same)}. Click a picture to see it on its photo.`, see, answer }));
  }
  const deaf = onKeys(answer);
  const stop = listen((what) => { if (what !== "busy" && store.state && store.state.version !== version) load(); });
  box.append(el("p", { class: "empty" }, "Looking for doubtful pairs …"));
  load();
  return () => { gone = true; stop(); deaf(); };
}
