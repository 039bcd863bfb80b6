// Teach: train on what was corrected, compare on corrected photos kept out, keep or discard.
import { el, toast, many } from "/page/dom.js";
import { post } from "/page/api.js";
import { store, base, edit, listen, refresh } from "/page/store.js";
import { table } from "/page/report.js";
import { compared } from "/page/compared.js";
import { words } from "/page/main.js";

const KINDS = {
  detector: { title: "Where objects are", help: "Trains the detector on the boxes. Keeping it finds the boxes of photos that you add later, and of those here that you look at anew.", button: "Train on boxes", back: "Back to the detector of before" },
  embedder: { title: "What is the same", help: "Learns from your groups what the same looks like here: seconds to a minute or two. Keeping it describes and groups every object of this project anew, at the distance it found; what you decided stays.", button: "Train on groups", back: "Back to the network of before" },
};
const WORK = ["teach", "renew", "again"];
export function teachView(main) {
  const page = el("div", { class: "report" }), pictures = el("div", { "data-testid": "compared" });
  main.append(page);
  const fail = (error) => toast(error.message, { error: true });
  const right = () => store.state.photos.filter((p) => p.corrected).map((p) => p.n); // kept in the project, like every edit
  const mark = (photos, yes) => { if (photos.length) edit({ op: "corrected", photos, yes }, { quiet: true }); };
  let minutes = 12, made = "", shown = "";
  const send = (kind, what, told = {}) => post(`${base()}/teach`, { kind, what, ...told }).then((t) => { toast(t.said + "."); return refresh(); }).catch(fail);
  const button = (label, kind, what, { main: strong = false, off = false, told = () => ({}) } = {}) => el("button", { class: strong ? "main" : "", disabled: store.state.running || off, onclick: () => send(kind, what, told()) }, label);
  function result(kind, t) {
    const score = (v) => (v === null || v === undefined ? "–" : v.toFixed(3));
    const rows = t.rows.map((r) => [r.name, score(r.before), el("b", { class: r.after > r.before ? "better" : r.after < r.before ? "bad" : "" }, score(r.after))]);
    const nothing = kind === "embedder" && !t.sha256;
    return el("div", { "data-testid": `taught-${kind}` }, table(["on photos kept out", "before", "after"], rows, { label: "Before and after" }), el("p", { class: "soft" }, t.note),
      t.kept ? el("p", {}, el("b", {}, "In use.")) : "",
      el("div", { class: "row wrap" }, t.kept || nothing ? "" : button("Keep", kind, "keep", { main: true }), t.kept ? "" : button("Discard", kind, "discard")));
  }
  function use(kind) { // what can be done with what is in use
    const { teach } = store.state, n = teach.uncorrected;
    if (!teach.in_use[kind]) return "";
    return el("div", { class: "row wrap", "data-testid": `use-${kind}` }, teach[kind] && teach[kind].kept ? "" : el("b", {}, teach[kind] ? "One kept before is in use." : "In use."),
      kind === "detector" && n ? button(`Find boxes anew on ${many(n, "photo")} not ticked`, kind, "again") : "",
      teach[kind] && !teach[kind].kept ? "" : button(KINDS[kind].back, kind, "discard"));
  }
  function panel(kind, chosen) {
    const { teach, running } = store.state, told = () => ({ photos: right(), minutes });
    const left = kind === "detector" && teach.interrupted && !running;
    return el("section", { class: "panel", "data-testid": `teach-${kind}` }, el("h3", {}, KINDS[kind].title), el("p", { class: "soft" }, KINDS[kind].help),
      left ? el("div", { class: "row wrap", "data-testid": "interrupted" }, el("span", {}, "A training was not finished."), button("Go on with it", kind, "resume", { main: true }), button("Discard it", kind, "discard")) : "",
      kind === "embedder" && teach.changed ? el("div", { class: "row wrap" }, el("span", {}, "These objects were described by another version of the network."), button("Describe all objects anew", kind, "renew", { main: true })) : "",
      button(`${KINDS[kind].button} of ${many(chosen.length, "photo")}`, kind, "train", { main: !left, off: chosen.length < 3, told }),
      teach[kind] ? result(kind, teach[kind]) : "", use(kind));
  }
  function draw() {
    const s = store.state;
    if (!s) return;
    const job = s.job && WORK.includes(s.job.kind) ? s.job : null, now = JSON.stringify([s.version, s.teach, job, s.running, s.photos.map((p) => p.n), minutes]);
    if (now === made) return;
    made = now;
    const chosen = right();
    const range = el("input", { type: "number", min: 0.1, max: 600, step: "any", value: minutes, "aria-label": "Minutes", onchange: () => { minutes = Number(range.value) || 12; } });
    const tile = (p) => { const box = el("input", { type: "checkbox", checked: p.corrected, "aria-label": `${p.name} is right`, onchange: () => mark([p.n], box.checked) }); return el("label", { class: "tile" }, el("img", { src: `${base()}/thumb/${p.n}.jpg?v=${p.tag}`, alt: "", loading: "lazy" }), el("span", { class: "row" }, box, p.name), el("span", { class: "soft" }, many(p.objects, "box", "boxes"))); };
    const focus = document.activeElement && document.activeElement.getAttribute("aria-label"), top = page.querySelector(".tiles"), at = top ? top.scrollTop : 0;
    page.replaceChildren(el("h2", {}, "Teach"),
      el("p", { class: "soft" }, "Tick photos that are right: every object has its box, nothing else has, and the groups are right. Most of them train, the others are kept out and show what it brought. Nothing changes until you keep it."),
      el("div", { class: "tiles photos" }, ...s.photos.map(tile)),
      el("div", { class: "row wrap" }, el("button", { onclick: () => (chosen.length === s.photos.length ? mark(chosen, false) : mark(s.photos.map((p) => p.n), true)) }, "All or none"), el("label", { class: "row" }, "Minutes of training on boxes ", range), chosen.length < 3 ? el("span", { class: "soft" }, "At least three photos are needed, ten are better.") : ""),
      job && !job.finished ? el("div", { class: "panel", "data-testid": "training" }, el("b", {}, words(job)), el("progress", { max: job.total || 1, ...(job.total ? { value: job.done } : {}), "aria-label": "Training" }), el("span", { class: "soft" }, job.kind === "teach" ? "You can go on working, close this page and come back." : "")) : "",
      job && job.finished && job.error ? el("p", { class: "bad", role: "alert" }, job.error) : "",
      el("div", { class: "two" }, panel("detector", chosen), panel("embedder", chosen)), pictures);
    page.querySelector(".tiles").scrollTop = at;
    const of = JSON.stringify(s.teach.detector || null);
    if (of !== shown) { shown = of; pictures.replaceChildren(); if (s.teach.detector) compared(pictures); }
    const again = focus && [...page.querySelectorAll("input")].find((node) => node.getAttribute("aria-label") === focus);
    if (again) again.focus();
  }
  const stop = listen((what) => { if (what !== "busy") draw(); });
  draw();
  return stop;
}
