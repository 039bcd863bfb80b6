// Teach: train on what was corrected, compare on corrected photos kept out, keep or discard.
import { el, toast, many } from "/page/dom.js";
import { post } from "/page/api.js";
import { store, base, edit, listen, refresh } from "/page/store.js";
import { table } from "/page/report.js";
import { words } from "/page/main.js";

const KINDS = {
  detector: { title: "Where objects are", help: "Trains the detector on the boxes. Photos that you add later are analysed with it.", button: "Train on boxes", back: "Back to the shipped detector" },
  embedder: { title: "What is the same", help: "Learns from your groups what the same looks like here: seconds to a minute or two. Keeping it describes and groups every object of this project anew, at the distance it found; what you decided stays.", button: "Train on groups", back: "Back to the shipped network" },
};
export function teachView(main) {
  const page = el("div", { class: "report" });
  main.append(page);
  const fail = (error) => toast(error.message, { error: true });
  const right = () => store.state.photos.filter((p) => p.corrected).map((p) => p.n); // kept in the project, like every edit
  const mark = (photos, yes) => { if (photos.length) edit({ op: "corrected", photos, yes }, { quiet: true }); };
  let minutes = 12, made = "";
  const send = (kind, what, told = {}) => post(`${base()}/teach`, { kind, what, ...told }).then((t) => { toast(t.said + "."); return refresh(); }).catch(fail);
  function result(kind, t) {
    const score = (v) => (v === null || v === undefined ? "–" : v.toFixed(3)), s = store.state;
    const rows = t.rows.map((r) => [r.name, score(r.before), el("b", { class: r.after > r.before ? "better" : r.after < r.before ? "bad" : "" }, score(r.after))]);
    return el("div", { "data-testid": `taught-${kind}` }, table(["on photos kept out", "before", "after"], rows, { label: "Before and after" }), el("p", { class: "soft" }, t.note),
      t.kept ? el("p", {}, el("b", {}, "In use.")) : "",
      el("div", { class: "row wrap" }, t.kept || (kind === "embedder" && !t.sha256) ? "" : el("button", { class: "main", disabled: s.running, onclick: () => send(kind, "keep") }, "Keep"), el("button", { disabled: s.running, onclick: () => send(kind, "discard") }, t.kept ? KINDS[kind].back : "Discard")));
  }
  function draw() {
    const s = store.state;
    if (!s) return;
    const job = s.job && ["teach", "renew"].includes(s.job.kind) ? s.job : null, now = JSON.stringify([s.version, s.teach, job, s.photos.map((p) => p.n), minutes]);
    if (now === made) return;
    made = now;
    const chosen = right(), few = chosen.length < 3;
    const range = el("input", { type: "number", min: 1, max: 240, value: minutes, "aria-label": "Minutes", onchange: () => { minutes = Number(range.value) || 12; } });
    const tile = (p) => { const box = el("input", { type: "checkbox", checked: p.corrected, "aria-label": `${p.name} is right`, onchange: () => mark([p.n], box.checked) }); return el("label", { class: "tile" }, el("img", { src: `${base()}/thumb/${p.n}.jpg?v=${p.tag}`, alt: "", loading: "lazy" }), el("span", { class: "row" }, box, p.name), el("span", { class: "soft" }, many(p.objects, "box", "boxes"))); };
    const panel = (kind) => el("section", { class: "panel", "data-testid": `teach-${kind}` }, el("h3", {}, KINDS[kind].title), el("p", { class: "soft" }, KINDS[kind].help),
      el("button", { class: "main", disabled: s.running || few, onclick: () => send(kind, "train", { photos: chosen, minutes }) }, `${KINDS[kind].button} of ${many(chosen.length, "photo")}`),
      s.teach[kind] ? result(kind, s.teach[kind]) : kind === "embedder" && s.teach.in_use ? el("p", {}, el("b", {}, "In use. "), el("button", { disabled: s.running, onclick: () => send(kind, "discard") }, KINDS[kind].back)) : "");
    const focus = document.activeElement && document.activeElement.getAttribute("aria-label");
    page.replaceChildren(el("h2", {}, "Teach"),
      el("p", { class: "soft" }, "Tick photos that are right: every object has its box, nothing else has, and the groups are right. Most of them train, the others are kept out and show what it brought. Nothing changes until you keep it."),
      el("div", { class: "tiles photos" }, ...s.photos.map(tile)),
      el("div", { class: "row wrap" }, el("button", { onclick: () => (chosen.length === s.photos.length ? mark(chosen, false) : mark(s.photos.map((p) => p.n), true)) }, "All or none"), el("label", { class: "row" }, "Minutes of training on boxes ", range), few ? el("span", { class: "soft" }, "At least three photos are needed, ten are better.") : ""),
      job && !job.finished ? el("div", { class: "panel" }, el("b", {}, words(job)), el("progress", { max: job.total || 1, ...(job.total ? { value: job.done } : {}), "aria-label": "Training" })) : "",
      job && job.finished && job.error ? el("p", { class: "bad", role: "alert" }, job.error) : "",
      el("div", { class: "two" }, panel("detector"), panel("embedder")));
    const again = focus && [...page.querySelectorAll("input")].find((node) => node.getAttribute("aria-label") === focus);
    if (again) again.focus();
  }
  const stop = listen((what) => { if (what !== "busy") draw(); });
  draw();
  return stop;
}
