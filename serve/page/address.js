// Addresses: the part behind # names a view with its settings, "draw?text=an+elf&seed=3", or a picture, "picture/ID".

/** read returns what an address names: {view, params}, or {view: "picture", id}. */
export function read(hash = location.hash) {
  const [path, query = ""] = hash.slice(1).split("?");
  const [view, id] = path.split("/");
  return { view: view === "between" ? "morph" : view, id, params: new URLSearchParams(query) };
}

/** of returns the address of a view with its settings. */
export function of(view, params = {}) {
  const query = new URLSearchParams(params).toString();
  return `#${view}${query ? `?${query}` : ""}`;
}

/** replace changes the address without an entry in the browser's history. */
export function replace(hash) {
  if (location.hash !== hash) history.replaceState(history.state, "", hash);
}

/** ofDomain returns the address of a domain's page, which is this one's or beside it. */
export function ofDomain(name, hash = "") {
  const root = new URL(location.pathname.replace(/domains\/[^/]*\/$/, ""), location.href);
  return new URL(`domains/${encodeURIComponent(name)}/${hash}`, root).href;
}

/** longest is as much of a text as an address holds: some programs cut longer ones. */
export const longest = 1500;
