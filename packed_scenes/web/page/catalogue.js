// Catalogue: what is known by name, with pictures; this project's photos can be added.
import { el, toast, apart, many } from "/page/dom.js";
import { get, post } from "/page/api.js";
import { base, store, groupOf, edit } from "/page/store.js";
import { offers } from "/page/card.js";
import { figures } from "/page/report.js";

export function catalogueView(main) {
  const page = el("div", { class: "report" });
  main.append(page);
  const fail = (error) => toast(error.message, { error: true });
  async function load() {
    let told;
    try { told = await get("/api/catalogue"); await offers(true); } catch (error) { fail(error); return; }
    if (!told.there) { page.replaceChildren(el("h2", {}, "Catalogue"), el("p", { class: "empty" }, "Start the app with --catalogue FOLDER to keep names and pictures across projects. Here it would offer them for your groups.")); return; }
    const rename = (i) => { const input = el("input", { type: "text", value: i.name, placeholder: `#${i.id}`, maxlength: 120, "aria-label": `Name of ${i.name || "#" + i.id}` }); const save = () => { if (input.value.trim() !== i.name) post("/api/catalogue/rename", { id: i.id, name: input.value }).then((t) => { toast(t.said + "."); load(); }).catch((e) => { fail(e); input.value = i.name; }); }; input.addEventListener("keydown", (e) => { if (e.key === "Enter") input.blur(); }); input.addEventListener("blur", save); return input; };
    page.replaceChildren(el("div", { class: "row wrap head" }, el("h2", {}, "Catalogue"), el("button", { class: "main", disabled: !store.state.photos.length, onclick: () => post(`${base()}/catalogue`).then((t) => { toast(t.said + "."); load(); }).catch(fail) }, "Add this project's photos")),
      figures([["Photos", told.photos], ["Identities", told.identities.length], ["With a name", told.identities.filter((i) => i.name).length]]),
      store.offers.length ? el("section", {}, el("h3", {}, "Groups that look like something known"), el("div", { class: "cards" }, ...store.offers.slice(0, 60).map((o) => { const g = groupOf(o.c), known = told.identities.find((i) => i.id === o.id);
        return el("article", { class: "card" }, el("div", { class: "row" }, el("img", { class: "crop", src: `${base()}/crop/${g.row}.jpg?v=${store.state.version}`, alt: "", width: 64, height: 64 }), "→", known && known.crop ? el("img", { class: "crop", src: `/api/catalogue/crop/${known.crop}.jpg`, alt: "", width: 64, height: 64 }) : "", el("span", {}, el("b", {}, g.name), " may be ", el("b", {}, o.name), ` (${apart(o.distance)})`)), el("button", { onclick: () => edit({ op: "rename", c: o.c, name: o.name }).then(load) }, "Take this name")); }))) : "",
      told.identities.length ? el("div", { class: "cards small" }, ...told.identities.slice(0, 300).map((i) => el("article", { class: "card" }, i.crop ? el("img", { class: "crop", src: `/api/catalogue/crop/${i.crop}.jpg`, alt: "", width: 96, height: 96, loading: "lazy" }) : "", rename(i), el("span", { class: "soft" }, `${many(i.n, "object")} on ${many(i.photos, "photo")}, last ${i.last.slice(0, 10)}`)))) : el("p", { class: "empty" }, "The catalogue is empty. Name your groups, then add the photos: the names are kept and offered next time."));
  }
  load();
  return () => null;
}
