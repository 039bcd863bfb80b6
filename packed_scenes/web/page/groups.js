// All groups as cards of crops: select, merge, split, name, drag objects between them.
import { el, toast, many } from "/page/dom.js";
import { get } from "/page/api.js";
import { store, base, listen, edit, choosePhoto, select } from "/page/store.js";
import { nameField, offersFor, offers } from "/page/card.js";

const PAGE = 40, ROOM = 40;
export function groupsView(main, go) {
  const chosen = new Set(), rows = new Set();
  let shown = PAGE, filter = "", order = "size", made = "";
  const cards = el("div", { class: "cards", "data-testid": "cards" }), bar = el("div", { class: "actions" });
  const search = el("input", { type: "search", placeholder: "Find a group", "aria-label": "Find a group", oninput: () => { filter = search.value.toLowerCase(); shown = PAGE; draw(true); } });
  const sort = el("select", { "aria-label": "Order", onchange: () => { order = sort.value; draw(true); } }, ...[["size", "Largest first"], ["unsure", "Most doubtful first"], ["name", "By name"], ["small", "Smallest first"]].map(([v, t]) => el("option", { value: v }, t)));
  const fresh = el("div", { class: "card fresh" }, el("span", { class: "soft mouse" }, "Drag objects between groups, or drop them here to make a new group"), el("span", { class: "soft touch" }, "Tap objects or the name of a group: what can be done with them appears below"));
  const more = el("button", { class: "more", onclick: () => { shown += PAGE; draw(true); } });
  main.append(el("div", { class: "sheet" }, el("div", { class: "row wrap head" }, search, sort), fresh, cards, more, bar));
  target(fresh, null);
  function target(node, to) {
    node.addEventListener("dragover", (event) => { event.preventDefault(); node.classList.add("over"); });
    node.addEventListener("dragleave", (event) => { if (!node.contains(event.relatedTarget)) node.classList.remove("over"); });
    node.addEventListener("drop", (event) => {
      event.preventDefault(); node.classList.remove("over");
      const row = Number(event.dataTransfer.getData("text/plain"));
      if (Number.isInteger(row)) { edit({ op: "move", rows: rows.has(row) ? [...rows] : [row], to }); rows.clear(); }
    });
  }
  function tools() {
    const n = chosen.size, list = [...chosen];
    bar.hidden = !n && !rows.size;
    bar.replaceChildren(
      n ? el("b", {}, many(n, "group")) : "", n > 1 ? el("button", { class: "main", onclick: () => { chosen.clear(); edit({ op: "merge", groups: list }); } }, `Merge ${n} groups`) : "",
      n === 1 && list[0] >= 0 ? el("button", { onclick: () => edit({ op: "split", c: list[0] }) }, "Split in two") : "",
      rows.size ? el("b", {}, many(rows.size, "object")) : "", rows.size > 1 ? el("button", { class: "main", onclick: () => act("pairs", { answer: "same" }) }, "Same") : "", rows.size > 1 ? el("button", { onclick: () => act("pairs", { answer: "different" }) }, "Different") : "",
      rows.size ? el("button", { onclick: () => act("move", { to: n === 1 ? list[0] : null }) }, n === 1 ? "Move to the group" : "New group") : "", rows.size ? el("button", { onclick: () => act("delete") }, "Not objects") : "", rows.size ? el("button", { onclick: () => act("never") }, "Never objects") : "",
      el("button", { class: "quiet", onclick: () => { chosen.clear(); rows.clear(); draw(true); } }, "Clear"));
  }
  const act = (op, told = {}) => { const list = [...rows]; rows.clear(); chosen.clear(); edit({ op, rows: list, ...told }); };
  async function fill(g, box) {
    let list;
    try { list = await get(`${base()}/group/${g.c}`); } catch (error) { toast(error.message, { error: true }); return; }
    box.replaceChildren(...list.slice(0, ROOM).map(([row, p, photo]) => {
      const doubtful = g.c >= 0 && g.n > 1 && p < 0.6;
      const node = el("button", { class: "item" + (doubtful ? " unsure" : ""), draggable: "true", "data-row": row, "aria-pressed": rows.has(row), "aria-label": `Object ${row}${doubtful ? ", doubtful" : ""}`, title: (doubtful ? "Doubtful. " : "") + "Double-click: on the photo",
        onclick: () => { if (rows.has(row)) rows.delete(row); else rows.add(row); node.setAttribute("aria-pressed", rows.has(row)); tools(); },
        ondblclick: () => { choosePhoto(photo, false); select([row], g.c); go(store.key, "photo"); },
        ondragstart: (event) => { event.dataTransfer.setData("text/plain", String(row)); event.dataTransfer.effectAllowed = "move"; } },
        el("img", { src: `${base()}/crop/${row}.jpg?v=${store.state.version}`, alt: "", width: 56, height: 56, loading: "lazy", draggable: "false" }));
      return node;
    }), list.length > ROOM ? el("span", { class: "soft" }, `+${g.n - ROOM}`) : "");
  }
  const seen = new IntersectionObserver((found) => { for (const f of found) if (f.isIntersecting) { seen.unobserve(f.target); fill(f.target.told, f.target); } }, { rootMargin: "300px" });
  function draw(force) {
    const s = store.state;
    if (!s) return;
    const now = `${s.version} ${shown} ${filter} ${order} ${store.offers.length}`;
    if (!force && now === made) return;
    if (cards.contains(document.activeElement) && document.activeElement.matches("input") && !force) return;
    made = now;
    const there = new Set(s.groups.map((g) => g.c));
    for (const c of [...chosen]) if (!there.has(c)) chosen.delete(c);
    const rank = { size: () => 0, unsure: (a, b) => b.unsure / b.n - a.unsure / a.n, name: (a, b) => b.named - a.named || a.name.localeCompare(b.name), small: (a, b) => a.n - b.n }[order];
    const list = s.groups.filter((g) => !filter || g.name.toLowerCase().includes(filter)).sort(rank);
    cards.replaceChildren(...list.slice(0, shown).map((g) => {
      const box = el("div", { class: "crops" }); box.told = g; seen.observe(box);
      const node = el("article", { class: "card" + (chosen.has(g.c) ? " on" : ""), "data-c": g.c, "data-n": g.n },
        el("div", { class: "row" }, el("button", { class: "pick", "aria-pressed": chosen.has(g.c), "aria-label": `Select ${g.name}, ${many(g.n, "object")}`, onclick: (event) => { if (chosen.has(g.c)) chosen.delete(g.c); else chosen.add(g.c); const on = chosen.has(g.c); node.classList.toggle("on", on); event.currentTarget.setAttribute("aria-pressed", on); tools(); } },
          el("i", { class: "swatch", style: { background: g.color } }), el("b", { title: g.name }, g.name), el("span", { class: "soft" }, "×" + g.n))),
        g.c >= 0 ? el("div", { class: "row" }, ...nameField(g.c)) : "", g.c >= 0 ? offersFor(g.c) : "", box);
      target(node, g.c);
      return node;
    }), list.length ? "" : el("p", { class: "empty" }, s.groups.length ? "No group matches." : "There are no groups yet: add photos first."));
    more.hidden = list.length <= shown; more.textContent = `Show more (${list.length - shown} left)`;
    tools();
  }
  const stop = listen((what) => { if (what !== "busy") { draw(false); offers().then(() => draw(false)).catch(() => null); } });
  offers().catch(() => null).then(() => draw(true));
  return () => { stop(); seen.disconnect(); };
}
