// The card of what is selected: name, offers of the catalogue, same and different, boxes, find these too.
import { el, toast, many, apart } from "/page/dom.js";
import { get, post } from "/page/api.js";
import { store, base, choosePhoto, groupOf, here, edit, select, tell, refresh } from "/page/store.js";

export function cropOf(row, side = 72) {
  const o = here() && here().objects.find((x) => x[0] === row);
  return el("img", { class: "crop", src: `${base()}/crop/${row}.jpg?v=${o ? o.slice(1, 5).join("_") : ""}`, alt: "", width: side, height: side, loading: "lazy", draggable: "false" });
}
// Proposals of a search through all photos come once: until they are added or discarded.
export function taken(job, now = false) { const key = `taken ${store.key} ${job}`; if (now) sessionStorage.setItem(key, "1"); return now || sessionStorage.getItem(key) !== null; }
export function dropProposals() { if (store.proposals && store.proposals.job) taken(store.proposals.job, true); store.proposals = null; }
let offered = null;
export async function offers(force = false) {
  const key = `${store.key} ${store.state && store.state.version}`;
  if (!force && offered === key) return;
  offered = key;
  const told = await get(`${base()}/names`);
  store.names = told.names; store.offers = told.offers;
}
export function nameField(c, after = () => null) {
  const g = groupOf(c), id = `name-${c}`;
  const input = el("input", { type: "text", id, value: g.named ? g.name : "", placeholder: "Name this group", maxlength: 120, "aria-label": `Name of ${g.name}`, list: `names-${c}`, autocomplete: "off", spellcheck: "false" });
  let sent = g.named ? g.name : ""; // Enter, and leaving the field afterwards, are one edit
  const save = () => { const name = input.value.trim(); if (name !== sent) edit({ op: "rename", c, name }).then(after); sent = name; };
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") { save(); input.blur(); } if (event.key === "Escape") { input.value = g.named ? g.name : ""; input.blur(); } });
  input.addEventListener("blur", save);
  return [input, el("datalist", { id: `names-${c}` }, ...store.names.map((name) => el("option", { value: name })))];
}
export function offersFor(c) {
  const mine = store.offers.filter((o) => o.c === c).slice(0, 2);
  return mine.map((o) => el("div", { class: "offer", "data-testid": "offer" }, el("img", { class: "crop", src: `/api/catalogue/crop/${o.crop}.jpg`, alt: `${o.name} in the catalogue`, width: 48, height: 48, loading: "lazy" }), el("span", {}, "This may be ", el("b", {}, o.name), ` (${apart(o.distance)})`),
    el("button", { onclick: () => edit({ op: "rename", c, name: o.name }) }, "Take this name")));
}
export function card({ viewer, redraw }) {
  const rows = [...store.rows], c = store.group, nodes = [], fail = (error) => toast(error.message, { error: true });
  if (store.proposals) nodes.push(proposals(redraw));
  if (c === null && !rows.length) {
    nodes.push(el("div", { class: "hint" }, el("b", {}, "Nothing selected"), el("p", { class: "soft" }, "Click an object; Shift-click or the lasso for several. Draw a box where one is missing."),
      store.state.sample ? el("p", {}, "This is a sample, analysed already. ", el("a", { href: "#/" }, "Start with your own photos")) : ""));
    return nodes;
  }
  if (c !== null) {
    const g = groupOf(c);
    nodes.push(el("div", { class: "group" }, el("div", { class: "row" }, el("i", { class: "swatch", style: { background: g.color } }), el("h2", {}, g.name), el("span", { class: "soft" }, `×${g.n}${g.photos > 1 ? ` on ${g.photos} photos` : ""}${here() && g.n && !here().objects.some((o) => o[5] === c) ? ", none on this one" : ""}`)),
      c >= 0 ? el("div", { class: "row wrap" }, ...nameField(c)) : "", c >= 0 ? offersFor(c) : "",
      el("div", { class: "row wrap" }, el("button", { onclick: () => select(here().objects.filter((o) => o[5] === c).map((o) => o[0]), c) }, "Select all here"),
        c >= 0 && g.n > 1 ? el("button", { onclick: () => edit({ op: "split", c }) }, "Split") : "")));
  }
  if (rows.length) {
    const several = rows.length > 1, into = el("select", { "aria-label": "Move to", onchange: () => { if (into.value !== "") edit({ op: "move", rows, to: into.value === "new" ? null : Number(into.value) }); } },
      el("option", { value: "" }, "Move to …"), el("option", { value: "new" }, "a new group"), ...store.state.groups.filter((g) => g.c !== c || several).map((g) => el("option", { value: g.c }, g.c < 0 ? "no group" : g.name)));
    nodes.push(el("div", { class: "picked", "data-testid": "picked" }, el("b", {}, several ? many(rows.length, "object") + " selected" : "1 object selected"),
      el("div", { class: "crops" }, ...rows.slice(0, 12).map((row) => cropOf(row, several ? 52 : 84)), rows.length > 12 ? el("span", { class: "soft" }, `+${rows.length - 12}`) : ""),
      several ? el("div", { class: "row wrap" }, el("button", { class: "main", title: "S", onclick: () => edit({ op: "pairs", rows, answer: "same" }) }, "Same"), el("button", { class: "main", title: "X", onclick: () => edit({ op: "pairs", rows, answer: "different" }) }, "Different")) : "",
      el("div", { class: "row wrap" }, into, el("button", { title: "Delete", onclick: () => edit({ op: "delete", rows }) }, several ? "Not objects, here" : "Not an object, here"),
        el("button", { onclick: () => edit({ op: "never", rows }) }, "Never an object")),
      el("div", { class: "row wrap" }, el("button", { onclick: () => find(rows, false) }, "Find these too, here"), store.state.photos.length > 1 ? el("button", { onclick: () => find(rows, true) }, "… on all photos") : "",
        several ? "" : el("button", { onclick: () => similar(rows[0]) }, "Most similar"))));
  }
  async function find(rows_, everywhere) {
    try {
      const told = await post(`${base()}/alike`, { rows: rows_.slice(0, 4), photo: store.photo, everywhere });
      if (everywhere) { dropProposals(); toast(told.said + "."); await refresh(); return; }
      const all = told.found.flatMap((f) => f.boxes.map((b) => b[4]));
      store.proposals = { ...told, cut: all.length ? Math.max(1 - store.state.threshold * 1.3, Math.min(...all)) : 0 };
      if (!all.length) { store.proposals = null; toast("Nothing more like this is on this photo."); }
      redraw();
    } catch (error) { fail(error); }
  }
  async function similar(row) {
    const o = viewer.byRow.get(row);
    try {
      const told = await post(`${base()}/search`, { photo: store.photo, box: o.slice(1, 5) });
      const list = el("div", { class: "hits", "data-testid": "hits" }, el("b", {}, told.title ? `This is ${told.title}` : "Nothing here is the same"), el("div", { class: "crops" }, ...told.hits.filter((h) => h.row !== row).map((h) =>
        el("button", { class: "hit", title: h.name, onclick: () => { choosePhoto(h.photo); select([h.row], h.c); } }, cropOf(h.row, 56), el("span", {}, apart(h.distance))))));
      const old = document.querySelector(".hits"); if (old) old.remove();
      document.querySelector(".picked").append(list);
    } catch (error) { fail(error); }
  }
  return nodes;
}
function proposals(redraw) {
  const p = store.proposals, all = p.found.flatMap((f) => f.boxes), kept = () => all.filter((b) => b[4] >= p.cut).length;
  const low = Math.min(...all.map((b) => b[4]), 1), button = el("button", { class: "main" });
  const words = () => { button.textContent = `Add ${many(kept(), "box", "boxes")}`; };
  words();
  button.addEventListener("click", async () => {
    const found = p.found.map((f) => ({ photo: f.photo, boxes: f.boxes.filter((b) => b[4] >= p.cut).map((b) => b.slice(0, 4)) })).filter((f) => f.boxes.length);
    dropProposals(); tell("selection");
    for (const f of found) await edit({ op: "add", photo: f.photo, boxes: f.boxes });
  });
  const slider = el("input", { type: "range", min: low, max: 1, step: 0.005, "aria-label": "How alike must they be?", oninput: () => { p.cut = Number(slider.value); words(); const v = window.packedScenes.viewer, f = p.found.find((x) => x.photo === store.photo); v.preview = { more: f ? f.boxes.filter((b) => b[4] >= p.cut) : [] }; v.draw(); } });
  slider.value = p.cut;
  return el("div", { class: "proposals", "data-testid": "proposals" }, el("b", {}, `${many(all.length, "place")} found${p.found.length > 1 ? ` on ${p.found.length} photos` : ""}`), el("label", {}, "How alike must they be?", slider),
    el("div", { class: "row" }, button, el("button", { onclick: () => { dropProposals(); redraw(); } }, "Discard")));
}
