// Start: recent projects, new ones, samples, folders by path, import.
import { el, toast, ask, many } from "/page/dom.js";
import { get, post, put, remove } from "/page/api.js";

export function home(main, go) {
  const page = el("div", { class: "home" });
  main.append(page);
  let gone = false;
  const fail = (error) => toast(error.message, { error: true });
  const show = async () => {
    let told;
    try { told = await get("/api/home"); } catch (error) { page.replaceChildren(el("p", { class: "empty" }, error.message)); return; }
    if (gone) return;
    const take = async (file) => { const made = await put(`/api/import?name=${encodeURIComponent(file.name)}`, file); toast("Imported."); go(made.key); };
    const make = async (files) => {
      if (files.length === 1 && /\.zip$/i.test(files[0].name)) { // an exported project, or photos in a zip
        try { await take(files[0]); return; } catch (error) { if (!/holds no project/.test(error.message)) { fail(error); return; } }
      }
      try {
        const made = await post("/api/new", { name: files.length === 1 ? files[0].name.replace(/\.[^.]*$/, "").slice(0, 60) : "" });
        await bring(made.key, files, told.max_upload);
        go(made.key);
      } catch (error) { fail(error); }
    };
    const picker = el("input", { type: "file", multiple: true, hidden: true, accept: ACCEPT, "data-testid": "files", onchange: () => picker.files.length && make([...picker.files]) });
    const importer = el("input", { type: "file", hidden: true, accept: ".zip", "data-testid": "import", onchange: async () => {
      try { await take(importer.files[0]); } catch (error) { fail(error); }
      importer.value = "";
    } });
    const drop = el("div", { class: "drop", "data-testid": "drop" }, el("h1", {}, "Find every object, group what is the same"),
      el("p", { class: "soft" }, "Shelves, crowds, car parks, trays: anything full of look-alike objects. Nothing leaves this machine."),
      el("div", { class: "row center" }, el("button", { class: "main big", onclick: () => picker.click() }, "Choose photos"),
        el("button", { class: "big", onclick: async () => { const name = await ask("New project", { button: "Make" }); if (name !== null) post("/api/new", { name }).then((made) => go(made.key)).catch(fail); } }, "Empty project"),
        el("button", { class: "big", onclick: () => importer.click() }, "Import a project")),
      el("p", { class: "soft small" }, `or drop photos, videos, a zip of photos or an exported project here · up to ${told.caps.photos} photos of ${told.caps.pixels / 1e6} million pixels, files up to ${Math.round(told.max_upload / 1e6)} MB`),
      picker, importer);
    dropping(drop, make);
    const samples = el("section", {}, el("h2", {}, "Samples"), el("div", { class: "tiles" }, ...told.samples.map((name) =>
      el("button", { class: "tile", onclick: () => post("/api/new", { sample: name }).then((made) => go(made.key)).catch(fail) },
        el("img", { src: `/api/sample/${name}.jpg`, alt: "", loading: "lazy" }), el("b", {}, name === "shelf" ? "A shelf" : "A tray"), el("span", { class: "soft" }, "opens as a project of its own")))));
    const folders = told.folders.length ? folderForm(told, go) : el("p", { class: "soft small" }, "Folders of this machine can be opened by path when the app is started with --photos FOLDER.");
    const recent = el("section", {}, el("h2", {}, "Recent projects"), told.recent.length ? el("ul", { class: "recent" }, ...told.recent.map((p) =>
      el("li", {}, el("a", { href: `#/${encodeURIComponent(p.key)}/photo` }, p.name), el("span", { class: "soft" }, ago(p.changed)),
        el("button", { class: "quiet", "aria-label": `Delete ${p.name}`, onclick: async () => {
          if (await ask("Delete this project?", { text: `${p.name}: photos that were dropped here, boxes, names and decisions are deleted. This cannot be undone.`, button: "Delete", danger: true })) remove(`/api/p/${encodeURIComponent(p.key)}`).then(show).catch(fail);
        } }, "Delete")))) : el("p", { class: "soft" }, "None yet. Everything you do is saved as you do it, and listed here."));
    page.replaceChildren(drop, el("div", { class: "columns" }, recent, el("div", {}, samples, el("section", {}, el("h2", {}, "On this machine"), folders))));
  };
  show();
  return () => { gone = true; };
}
export const ACCEPT = ".jpg,.jpeg,.jpe,.jfif,.png,.webp,.bmp,.tif,.tiff,.gif,.ppm,.pgm,.heic,.heif,.avif,.zip,.mp4,.mov,.avi,.mkv,.webm,.m4v";
export async function bring(key, files, most) {
  const path = `/api/p/${encodeURIComponent(key)}`;
  let sent = 0;
  for (const file of files) {
    if (most && file.size > most) { toast(`${file.name} is larger than ${Math.round(most / 1e6)} MB.`, { error: true }); continue; }
    try { await put(`${path}/upload?name=${encodeURIComponent(file.name)}`, file); sent += 1; }
    catch (error) { toast(`${file.name}: ${error.message}`, { error: true }); }
  }
  if (sent) await post(`${path}/analyse`);
}
export function dropping(node, take) {
  node.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("Files")) { event.preventDefault(); node.classList.add("over"); } });
  node.addEventListener("dragleave", (event) => { if (!node.contains(event.relatedTarget)) node.classList.remove("over"); });
  node.addEventListener("drop", (event) => { if (event.dataTransfer.files.length) { event.preventDefault(); node.classList.remove("over"); take([...event.dataTransfer.files]); } });
}
function folderForm(told, go) {
  const path = el("input", { type: "text", value: told.folders[0], "aria-label": "Folder or file", spellcheck: "false", list: "roots" });
  const every = el("input", { type: "number", min: 1, max: 10000, value: 30, "aria-label": "Every n-th frame of videos" });
  return el("form", { class: "stack", onsubmit: async (event) => {
    event.preventDefault();
    try {
      const name = path.value.split(/[\\/]/).filter(Boolean).pop() || "Photos";
      const made = await post("/api/new", { name: name.slice(0, 60) });
      try { await post(`/api/p/${encodeURIComponent(made.key)}/analyse`, { folder: path.value, every: Number(every.value) || 30 }); }
      catch (error) { await remove(`/api/p/${encodeURIComponent(made.key)}`); throw error; }
      go(made.key);
    } catch (error) { toast(error.message, { error: true }); }
  } }, el("datalist", { id: "roots" }, ...told.folders.map((f) => el("option", { value: f }))), el("label", {}, "Folder, photo or video", path),
    el("label", {}, "Of videos every n-th frame", every), el("button", {}, "Open"));
}
function ago(seconds) {
  const spent = Date.now() / 1000 - seconds;
  if (spent < 90) return "just now";
  if (spent < 5400) return `${Math.round(spent / 60)} minutes ago`;
  if (spent < 129600) return `${many(Math.round(spent / 3600), "hour")} ago`;
  return `${many(Math.round(spent / 86400), "day")} ago`;
}
