// Shared by the components: elements without innerHTML (names come from people), crops from the atlas, a tooltip.
const SVG = "http://www.w3.org/2000/svg";
function el(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "rect", "g", "text", "circle"].includes(tag);
  const node = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) node.append(child);
  return node;
}
function crop(atlas, row, side) {
  const node = el("span", { class: "crop", "aria-hidden": "true" });
  const scale = side / atlas.cell;
  node.style.width = node.style.height = side + "px";
  node.style.backgroundImage = `url("${atlas.url}")`;
  node.style.backgroundSize = `${atlas.columns * side}px auto`;
  node.style.backgroundPosition = `${-(row % atlas.columns) * atlas.cell * scale}px ${-Math.floor(row / atlas.columns) * atlas.cell * scale}px`;
  return node;
}
function ink(color) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#111" : "#fff";
}
function percent(value) { return Math.round(value * 100) + " %"; }
function sure(value) { return value < 0.6 ? "doubtful" : value < 0.75 ? "fairly sure" : "sure"; }
function showTip(root, tip, x, y, content) {
  tip.replaceChildren(...content);
  tip.hidden = false;
  const box = root.getBoundingClientRect(), own = tip.getBoundingClientRect();
  let left = x - box.left + 16, top = y - box.top + 16;
  if (left + own.width > box.width) left = Math.max(0, x - box.left - own.width - 12);
  if (top + own.height > box.height) top = Math.max(0, y - box.top - own.height - 12);
  tip.style.left = left + "px";
  tip.style.top = top + "px";
}
