// Elements built node by node: names come from people and files, and are only ever set as text.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(node.style, value);
    else if (name === "value" || name === "checked" || name === "disabled" || name === "hidden") node[name] = value;
    else if (name.startsWith("aria-")) { if (value !== null && value !== undefined) node.setAttribute(name, String(value)); }
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}
export const many = (n, word, plural = word + "s") => `${n.toLocaleString("en")} ${n === 1 ? word : plural}`;
export const apart = (distance) => `distance ${distance.toFixed(2)}`;
export const percent = (value) => `${Math.round(Math.max(0, value) * 100)} %`;
export const sure = (p) => (p < 0.6 ? "doubtful" : p < 0.75 ? "fairly sure" : "sure");
export function clock(seconds) {
  if (seconds === null || seconds === undefined) return "";
  return seconds < 60 ? `${seconds} s left` : `${Math.round(seconds / 60)} min left`;
}
export function ink(color) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#111" : "#fff";
}
export function toast(text, { error = false, action = null } = {}) {
  if (!text) return;
  const box = document.getElementById("toasts");
  const node = el("div", { class: "toast" + (error ? " bad" : ""), role: error ? "alert" : null }, el("span", {}, text));
  if (action) node.append(el("button", { onclick: () => { node.remove(); action.run(); } }, action.label));
  node.append(el("button", { class: "quiet", "aria-label": "Close", onclick: () => node.remove() }, "×"));
  while (box.children.length > 2) box.firstChild.remove();
  box.append(node);
  setTimeout(() => node.remove(), error ? 12000 : 6000);
}
export function ask(title, { value = "", label = "Name", button = "OK", danger = false, text = null, cancel = true } = {}) {
  return new Promise((done) => {
    const input = text === null ? el("input", { type: "text", value, maxlength: 120, "aria-label": label }) : null;
    const box = el("dialog", { class: "ask", "aria-label": title });
    const end = (result) => { box.close(); box.remove(); done(result); };
    const go = () => end(input ? input.value : true);
    box.append(el("h2", {}, title), input ? el("label", {}, label, input) : text instanceof Node ? text : el("p", {}, text),
      el("div", { class: "row end" }, cancel ? el("button", { onclick: () => end(null) }, "Cancel") : "",
        el("button", { class: danger ? "danger" : "main", onclick: go }, button)));
    box.addEventListener("cancel", (event) => { event.preventDefault(); end(null); });
    if (input) input.addEventListener("keydown", (event) => { if (event.key === "Enter") go(); });
    document.body.append(box);
    box.showModal();
    if (input) { input.focus(); input.select(); }
  });
}
