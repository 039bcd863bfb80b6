export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".root");
  if (!root.sheet) root.sheet = makeSheet(root);
  root.sheet.update(data, setTriggerValue);
  return () => { if (root.sheet) { root.sheet = null; root.replaceChildren(); } };
}

function makeSheet(root) {
  const PAGE = 60, ROOM = 60;
  let data = null, send = null, shown = PAGE, groups = new Set(), rows = new Set();
  const cards = el("div", { class: "cards", "data-testid": "cards" });
  const more = el("button", { class: "more", onclick: () => { shown += PAGE; build(); } });
  const fresh = el("div", { class: "card", style: "margin-bottom:12px;border-style:dashed;text-align:center" },
    el("span", { class: "soft" }, "Drag objects between groups, or drop them here to make a new group"));
  root.append(fresh, cards, more);
  target(fresh, null);
  const tell = () => send("chosen", { groups: [...groups], rows: [...rows] });
  function target(node, to) {
    node.addEventListener("dragover", (event) => { event.preventDefault(); node.classList.add("drop"); });
    node.addEventListener("dragleave", (event) => { if (!node.contains(event.relatedTarget)) node.classList.remove("drop"); });
    node.addEventListener("drop", (event) => {
      event.preventDefault(); node.classList.remove("drop");
      const row = Number(event.dataTransfer.getData("text/plain"));
      if (!Number.isInteger(row)) return;
      send("drop", { rows: rows.has(row) ? [...rows] : [row], to });
    });
  }
  function item(row, c, p, n) {
    const doubtful = c >= 0 && n > 1 && p < 0.6;
    const node = el("button", { class: "item" + (doubtful ? " unsure" : ""), draggable: "true", "data-row": row, "aria-pressed": rows.has(row),
      "aria-label": `Object ${row}${doubtful ? ", doubtful" : ""}`, title: doubtful ? "Doubtful: it could belong to another group" : "",
      onclick: () => { rows.has(row) ? rows.delete(row) : rows.add(row); node.setAttribute("aria-pressed", rows.has(row)); tell(); },
      ondragstart: (event) => { event.dataTransfer.setData("text/plain", String(row)); event.dataTransfer.effectAllowed = "move"; } },
      crop(data.atlas, row, data.side));
    return node;
  }
  function build() {
    const nodes = data.groups.slice(0, shown).map((g) => {
      const on = groups.has(g.c);
      const tick = el("span", { class: "tick" }, on ? "✓" : "");
      const head = el("button", { class: "head", "aria-pressed": on, "aria-label": `Select ${g.name}, ${g.n} objects`, onclick: () => {
        groups.has(g.c) ? groups.delete(g.c) : groups.add(g.c);
        const now = groups.has(g.c); card.classList.toggle("on", now); head.setAttribute("aria-pressed", now); tick.textContent = now ? "✓" : ""; tell(); } },
        tick, el("span", { class: "swatch", style: `background:${g.color}` }), el("b", { title: g.name }, g.name), el("span", { class: "soft" }, "×" + g.n));
      const crops = el("div", { class: "crops" }, ...g.rows.slice(0, ROOM).map(([row, p]) => item(row, g.c, p, g.n)));
      if (g.rows.length > ROOM) crops.append(el("span", { class: "soft" }, `+${g.rows.length - ROOM} more`));
      const card = el("div", { class: "card" + (on ? " on" : ""), "data-c": g.c, "data-n": g.n }, head, crops);
      target(card, g.c);
      return card;
    });
    if (!nodes.length) nodes.push(el("div", { class: "empty" }, "No group matches this filter."));
    cards.replaceChildren(...nodes);
    more.style.display = data.groups.length > shown ? "" : "none";
    more.textContent = `Show more (${data.groups.length - shown} left)`;
  }
  return { update(next, trigger) {
    send = trigger; data = next; groups = new Set(next.chosen.groups); rows = new Set(next.chosen.rows); build();
  } };
}
