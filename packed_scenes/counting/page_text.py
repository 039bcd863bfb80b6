"""The page of the browser dialogue."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Are these two the same?</title>
<meta name="viewport" content="width=device-width">
<style>
 body { font: 17px system-ui, sans-serif; margin: 0; color: #222; background: #f4f4f2; }
 main { max-width: 940px; margin: 0 auto; padding: 18px; }
 h1 { font-size: 24px; margin: 4px 0 14px; }
 .pair { display: flex; gap: 16px; }
 figure { flex: 1; margin: 0; background: #fff; border: 1px solid #ccc; border-radius: 6px; padding: 8px;
  min-width: 0; }
 img { width: 100%; aspect-ratio: 1; object-fit: contain; display: block; }
 figcaption { font-size: 14px; color: #555; margin-top: 6px; overflow-wrap: anywhere; }
 .keys { display: flex; flex-wrap: wrap; gap: 10px; margin: 16px 0; }
 button { font: inherit; padding: 10px 18px; border: 1px solid #888; border-radius: 6px;
  background: #fff; cursor: pointer; }
 button:disabled { opacity: .45; cursor: default; }
 button.yes { background: #d8efd8; } button.no { background: #f6dcd8; }
 kbd { border: 1px solid #999; border-radius: 3px; padding: 0 5px; background: #fafafa; font-size: 14px; }
 progress { width: 100%; height: 10px; }
 #status { min-height: 1.4em; }
</style></head><body><main>
<h1 id="question">Are these two the same?</h1>
<div class="pair">
 <figure><img id="left" alt="first crop"><figcaption id="leftName"></figcaption></figure>
 <figure><img id="right" alt="second crop"><figcaption id="rightName"></figcaption></figure>
</div>
<div class="keys">
 <button class="yes" data-answer="same">Same <kbd>y</kbd></button>
 <button class="no" data-answer="different">Different <kbd>n</kbd></button>
 <button data-answer="unsure">Cannot tell <kbd>?</kbd></button>
 <button data-answer="undo">Undo <kbd>u</kbd></button>
 <button data-answer="quit">Finish <kbd>q</kbd></button>
</div>
<progress id="bar" value="0" max="1" hidden></progress>
<p id="answered" aria-live="polite"></p><p id="status" aria-live="polite"></p>
</main><script>
const key = new URLSearchParams(location.search).get("key"), at = name => document.getElementById(name);
const buttons = [...document.querySelectorAll("button")];
let shown = 0, open = false, timer = 0;
const address = (path, more = "") => `${path}?key=${encodeURIComponent(key)}${more}`;
function enable(on) { open = on; buttons.forEach(b => b.disabled = !on); }
async function look() {
  try {
    const state = await (await fetch(address("/state"))).json();
    at("answered").textContent = `${state.answered} pairs answered` +
      (state.budget ? ` of at most ${state.budget}` : "");
    at("status").textContent = state.status;
    at("bar").hidden = !state.budget; at("bar").max = state.budget || 1; at("bar").value = state.answered;
    if (state.done) { at("question").textContent = "Finished. You can close this page."; enable(false); return; }
    if (state.names && state.number === shown && !open) enable(true);  // an answer that did not arrive
    if (state.names && state.number !== shown) {
      shown = state.number;
      ["left", "right"].forEach((side, i) => {
        at(side).src = address("/crop", `&number=${shown}&side=${i}`);
        at(side + "Name").textContent = state.names[i];
      });
      at("question").textContent = "Are these two the same?"; enable(true);
    }
  } catch { at("question").textContent = "The program has ended. Your answers are kept."; enable(false); return; }
  timer = setTimeout(look, open ? 1500 : 60);
}
async function answer(what) {
  if (!open) return;
  enable(false);
  try {
    await fetch(address("/answer"), { method: "POST", body: JSON.stringify({ number: shown, answer: what }) });
    if (what === "quit") at("question").textContent = "Finishing…";
    clearTimeout(timer);
    look();
  } catch { at("question").textContent = "The program has ended. Your answers are kept."; }
}
buttons.forEach(b => b.addEventListener("click", () => answer(b.dataset.answer)));
const keys = { y: "same", n: "different", "?": "unsure", u: "undo", q: "quit" };
addEventListener("keydown", e => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.repeat) return;
  if (keys[e.key]) { e.preventDefault(); answer(keys[e.key]); }
});
enable(false); look();
</script></body></html>
"""
