// Requests to this server only; what changes something carries a header that no other page can send.
async function read(response) {
  let told = null;
  try { told = await response.json(); } catch { told = null; }
  if (!response.ok) throw new Error((told && told.error) || `The server answered ${response.status}.`);
  return told;
}
const HEADERS = { "x-packed-scenes": "1" };
export const get = async (path) => read(await fetch(path, { credentials: "same-origin" }));
export const post = async (path, told = {}) =>
  read(await fetch(path, { method: "POST", credentials: "same-origin", headers: { ...HEADERS, "content-type": "application/json" }, body: JSON.stringify(told) }));
export const remove = async (path) => read(await fetch(path, { method: "DELETE", credentials: "same-origin", headers: HEADERS }));
export const put = async (path, content) =>
  read(await fetch(path, { method: "PUT", credentials: "same-origin", headers: { ...HEADERS, "content-type": "application/octet-stream" }, body: content }));
