// Teach: train on what was corrected, compare on corrected photos kept out, keep or discard.
import { el, toast, many } from "/page/dom.js";
import { post } from "/page/api.js";
import { store, base, listen, refresh } from "/page/store.js";
import { table } from "/page/report.js";
import { words } from "/page/main.js";

export function teachView(main) {
  const page = el("div", { class: "report" });
  main.append(page);
  const ticked = new Set();
  const fail = (error) => toast(error.message, { error: true });
  let minutes = 12, made = "";
  const send = (what, told = {}) => post(`${base()}/teach`, { what, ...told }).then((t) => { toast(t.said + "."); return refresh(); }).catch(fail);
  function draw() {
    const s = store.state;
    if (!s) return;
    const job = s.job && s.job.kind === "teach" ? s.job : null, now = JSON.stringify([s.version, s.teach, job, s.photos.length, [...ticked]]);
    if (now === made) return;
    made = now;
    const t = s.teach, score = (v) => (v === null || v === undefined ? "–" : v.toFixed(3));
    const range = el("input", { type: "number", min: 1, max: 240, value: minutes, "aria-label": "Minutes", onchange: () => { minutes = Number(range.value) || 12; } });
    page.replaceChildren(el("h2", {}, "Teach"),
      el("p", { class: "soft" }, "Tick photos whose boxes are right: every object has one, nothing else has. The detector is trained further on most of them, and compared, before and after, on those kept out. Nothing changes until you keep it."),
      el("div", { class: "tiles photos" }, ...s.photos.map((p) => { const box = el("input", { type: "checkbox", checked: ticked.has(p.n), onchange: () => { if (box.checked) ticked.add(p.n); else ticked.delete(p.n); made = ""; draw(); } }); return el("label", { class: "tile" }, el("img", { src: `${base()}/thumb/${p.n}.jpg?v=${p.tag}`, alt: "", loading: "lazy" }), el("span", { class: "row" }, box, p.name), el("span", { class: "soft" }, many(p.objects, "box", "boxes"))); })),
      el("div", { class: "row wrap" }, el("button", { onclick: () => { if (ticked.size === s.photos.length) ticked.clear(); else s.photos.forEach((p) => ticked.add(p.n)); made = ""; draw(); } }, "All or none"), el("label", { class: "row" }, "Minutes ", range),
        el("button", { class: "main", disabled: s.running || ticked.size < 3, onclick: () => send("detector", { photos: [...ticked], minutes }) }, `Train the detector on ${many(ticked.size, "photo")}`)),
      ticked.size < 3 ? el("p", { class: "soft" }, "At least three corrected photos are needed, ten are better.") : "",
      job && !job.finished ? el("div", { class: "panel" }, el("b", {}, words(job)), el("progress", { max: job.total || 1, ...(job.total ? { value: job.done } : {}), "aria-label": "Training" })) : "",
      job && job.finished && job.error ? el("p", { class: "bad" }, job.error) : "",
      t ? el("div", { class: "panel", "data-testid": "taught" }, el("h3", {}, "A trained detector is ready"), table(["", "before", "after"], t.rows.map((r) => [r.name, score(r.before), score(r.after)]), { label: "Before and after" }), el("p", { class: "soft" }, t.note),
        t.kept ? el("p", {}, el("b", {}, "In use: "), "photos that you add are analysed with it.") : "",
        el("div", { class: "row" }, t.kept ? "" : el("button", { class: "main", disabled: s.running, onclick: () => send("keep") }, "Keep"), el("button", { disabled: s.running, onclick: () => send("discard") }, t.kept ? "Back to the shipped one" : "Discard"))) : "");
  }
  const stop = listen(() => draw());
  draw();
  return stop;
}
