// Photos kept out of a training: what the detector found before and after it, beside what is right.
import { el, many } from "/page/dom.js";
import { get } from "/page/api.js";
import { base, photoOf } from "/page/store.js";

const RIGHT = "#19c37d", WRONG = "#ff4d4d", MISSED = "#ffb020", SIDE = 900;
const overlap = (a, b) => {
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]), h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (w <= 0 || h <= 0) return 0;
  return w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h);
};
function picture(image, photo, truth, found) {
  const scale = Math.min(4, SIDE / Math.max(photo.w, photo.h)), canvas = el("canvas", { width: Math.round(photo.w * scale), height: Math.round(photo.h * scale) }), g = canvas.getContext("2d");
  const right = found.filter((b) => b[4]), missed = truth.filter((t) => !right.some((b) => overlap(b, t) >= 0.5));
  g.drawImage(image, 0, 0, canvas.width, canvas.height);
  for (const [list, color, dash] of [[missed, MISSED, [7, 5]], [found.filter((b) => !b[4]), WRONG, []], [right, RIGHT, []]]) for (const [width, style, pattern] of [[5, "rgba(0,0,0,.6)", []], [2.5, color, dash]]) {
    g.lineWidth = width; g.strokeStyle = style; g.setLineDash(pattern);
    for (const b of list) g.strokeRect(b[0] * scale, b[1] * scale, (b[2] - b[0]) * scale, (b[3] - b[1]) * scale);
  }
  return [canvas, `${right.length} of ${truth.length} found, ${found.length - right.length} wrong`];
}
export async function compared(box) {
  let list;
  try { list = await get(`${base()}/compared`); } catch { return; }
  list = list.filter((item) => photoOf(item.photo));
  if (!list.length) return;
  const mark = (color, text, dash) => el("span", { class: "row" }, el("i", { class: "swatch", style: { background: "none", border: `2px ${dash ? "dashed" : "solid"} ${color}` } }), text);
  const rows = el("div", { class: "compared" });
  box.replaceChildren(el("h3", {}, `On ${many(list.length, "photo")} kept out`), el("div", { class: "row wrap soft small" }, mark(RIGHT, "found"), mark(WRONG, "not an object"), mark(MISSED, "missed", true)), rows);
  for (const item of list) {
    const photo = photoOf(item.photo), image = new Image(), line = el("div", { class: "beside" });
    rows.append(line);
    image.addEventListener("load", () => line.replaceChildren(...[["Before", item.before], ["After", item.after]].map(([name, found]) => {
      const [canvas, said] = picture(image, photo, item.truth, found);
      canvas.setAttribute("role", "img"); canvas.setAttribute("aria-label", `${photo.name}, ${name.toLowerCase()}: ${said}`);
      return el("figure", {}, canvas, el("figcaption", {}, el("b", {}, name), ` · ${said}`));
    })));
    image.src = `${base()}/photo/${photo.n}.jpg?v=${photo.tag}`;
  }
}
