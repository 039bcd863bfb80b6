// The one question of the workbench's review and of packed-scenes count: are these two the same?
import { el } from "/page/dom.js";

export const KEYS = { y: "same", n: "different", u: "unsure", "?": "unsure" };
export function question({ left, right, names = ["", ""], note = "", answer, see = null, more = [] }) {
  const side = (src, name, at) => {
    const image = el("img", { src, alt: "One of the two objects" });
    return el("figure", {}, see ? el("button", { class: "quiet", title: "Show it on its photo", "aria-label": `Show it on ${name}`, onclick: () => see(at) }, image) : image, el("figcaption", { class: "soft" }, name));
  };
  return el("div", { class: "question" }, el("h2", {}, "The same?"), el("div", { class: "pair" }, side(left, names[0], 0), side(right, names[1], 1)), note ? el("p", { class: "soft" }, note) : "",
    el("div", { class: "row center" }, el("button", { class: "main big", onclick: () => answer("same") }, "Yes, the same ", el("kbd", {}, "Y")), el("button", { class: "main big", onclick: () => answer("different") }, "No, different ", el("kbd", {}, "N")),
      el("button", { class: "big", onclick: () => answer("unsure") }, "Unsure ", el("kbd", {}, "U")), ...more));
}
export function onKeys(answer, extra = {}) {
  const keys = (event) => {
    if (event.target.closest && event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey || event.repeat) return;
    const what = KEYS[event.key.toLowerCase()] || extra[event.key];
    if (what) { event.preventDefault(); answer(what); }
  };
  document.addEventListener("keydown", keys);
  return () => document.removeEventListener("keydown", keys);
}
