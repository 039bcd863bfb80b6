// Report: share of shelf, gaps, plan, and everything that can be taken away.
import { el, toast, percent } from "/page/dom.js";
import { get, post } from "/page/api.js";
import { store, base, listen, choosePhoto, photoOf, groupOf } from "/page/store.js";

const NUMBER = /^[-–.,%\d ]+$/; // is not broken over lines
export function table(head, rows, { label = "" } = {}) {
  return el("div", { class: "tablebox", tabindex: 0, role: "region", "aria-label": label }, el("table", {}, el("thead", {}, el("tr", {}, ...head.map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", { class: NUMBER.test(cell instanceof Node ? cell.textContent : String(cell)) ? "number" : null }, cell)))))));
}
export const figures = (list) => el("div", { class: "figures" }, ...list.map(([name, value]) => el("div", {}, el("span", { class: "soft" }, name), el("b", {}, String(value)))));
export function reportView(main) {
  const page = el("div", { class: "report" });
  main.append(page);
  let version = null, photo = null;
  async function load() {
    version = store.state.version; photo = store.photo;
    const p = photoOf(photo);
    if (!p) { page.replaceChildren(el("p", { class: "empty" }, "There are no photos yet.")); return; }
    let told;
    try { told = await get(`${base()}/report/${photo}`); } catch (error) { page.replaceChildren(el("p", { class: "empty" }, error.message)); return; }
    const pick = el("select", { "aria-label": "Photo", onchange: () => choosePhoto(Number(pick.value)) }, ...store.state.photos.map((x) => el("option", { value: x.n, selected: x.n === photo }, x.name)));
    const most = Math.max(...told.lines.map((l) => l.count), 1e-9);
    const line = (l) => { const g = groupOf(l.c), bar = el("i"); bar.style.width = `${l.count / most * 100}%`; // of the largest
      return [el("span", { class: "row" }, g.row !== undefined ? el("img", { class: "crop", src: `${base()}/crop/${g.row}.jpg?v=${store.state.version}`, alt: "", width: 40, height: 40, loading: "lazy" }) : "", el("i", { class: "swatch", style: { background: g.color } }), l.name), l.n, el("span", { class: "track" }, bar), `${(l.count * 100).toFixed(1)} %`, `${(l.area * 100).toFixed(1)} %`, l.boards.join(", ")]; };
    const file = (label, kind) => el("a", { class: "button", href: `${base()}/download/${kind}${kind.includes("csv") && kind !== "plan.csv" || kind === "objects.json" || kind === "groups.png" || kind === "run.zip" ? "" : `?photo=${photo}`}`, download: "" }, label);
    const plan = el("input", { type: "file", accept: ".csv", "aria-label": "Plan", onchange: async () => {
      const text = await plan.files[0].text(); plan.value = "";
      try { const r = await post(`${base()}/plan`, { photo, text }); result.replaceChildren(el("b", {}, percent(r.agreement)), ` of the expected facings stand where they should: ${r.missing} missing, ${r.moved} moved, ${r.extra} extra.`); } catch (error) { toast(error.message, { error: true }); }
    } }), result = el("p");
    page.replaceChildren(el("div", { class: "row wrap head" }, el("h2", {}, "Shelf report"), store.state.photos.length > 1 ? pick : el("span", { class: "soft" }, p.name)),
      figures([["Facings", told.facings], ["Products", told.products], ["Boards", told.boards], ["Possible gaps", told.gaps.length]]),
      el("h3", {}, "Share of shelf"), table(["product", "facings", "", "by count", "by area", "boards"], told.lines.map(line), { label: "Share of shelf" }),
      told.gaps.length ? el("h3", {}, "Possible gaps") : "", told.gaps.length ? table(["board", "room for", "right of", "left of"], told.gaps.map((g) => [g.board, g.room, g.left, g.right]), { label: "Possible gaps" }) : "",
      el("h3", {}, "Take away"), el("div", { class: "row wrap" }, file("Objects (CSV)", "objects.csv"), file("COCO (JSON)", "objects.json"), file("Overlay (PNG)", "overlay.png"), file("Groups (PNG)", "groups.png"), file("Report (HTML)", "report.html"), file("This photo as a plan", "plan.csv"), file("Run folder (zip)", "run.zip")),
      el("p", { class: "soft" }, "For other tools, as a zip:"), el("div", { class: "row wrap" }, ...[["COCO", "coco"], ["YOLO", "yolo"], ["Pascal VOC", "voc"], ["CVAT", "cvat"], ["Label Studio", "label-studio"], ["FiftyOne", "fiftyone"], ["supervision", "supervision"]].map(([label, form]) => file(label, `export-${form}.zip`))),
      el("h3", {}, "Compare with a plan"), el("p", { class: "soft" }, "A CSV with the columns row, position, product and facings; a good photo makes one."), plan, result);
  }
  const stop = listen((what) => { if (what !== "busy" && store.state && (store.state.version !== version || store.photo !== photo)) load(); });
  load();
  return stop;
}
