// The questions of packed-scenes count and refine, one after the other.
import { el, many } from "/page/dom.js";
import { get, post } from "/page/api.js";
import { question, onKeys } from "/page/question.js";

const box = el("div", { class: "review", "data-testid": "review" });
document.getElementById("main").append(box);
let told = null, shown = "", over = false;
async function answer(what) {
  if (!told || !told.names) return;
  const number = told.number;
  told = { ...told, names: null };
  try { await post("/api/answer", { number, answer: what }); } catch { /* answered in another tab */ }
  look();
}
function draw() {
  const now = JSON.stringify(told);
  if (now === shown) return;
  shown = now;
  box.dataset.answered = told.answered; box.dataset.number = told.number;
  const crop = (side) => `/api/question/${told.number}/${side}.jpg`, of = told.budget ? ` of at most ${told.budget}` : "";
  box.replaceChildren(el("div", { class: "count" }, el("span", { class: "soft" }, told.title), el("b", { class: "status" }, told.status || "Looking at the pictures …"), el("span", { class: "soft" }, `${many(told.answered, "pair")} answered${of}`)),
    told.done ? el("div", { class: "done" }, el("h2", {}, "Done"), el("p", { class: "soft" }, told.note))
      : told.names ? question({ left: crop(0), right: crop(1), names: told.names, answer, more: [el("button", { class: "big", onclick: () => answer("undo") }, "Take back"), el("button", { class: "big quiet", onclick: () => answer("quit") }, "Enough")] })
        : el("p", { class: "empty" }, "Thinking …"));
}
async function look() {
  try { told = await get("/api/question"); draw(); over = told.done; }
  catch { if (!over) { over = true; box.append(el("p", { class: "empty" }, "This has ended; the answers are kept.")); } }
}
onKeys(answer, { Backspace: "undo" });
(function again() { look().finally(() => { if (!over) setTimeout(again, 300); }); })();
