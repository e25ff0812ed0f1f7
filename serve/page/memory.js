// What a view holds outlives a reload: in the tab's own memory of the browser.

let domain = ""; // whose views these are

/** separate keeps what follows apart from other domains. */
export const separate = (name) => { domain = name; };

const key = (name) => `illustrator-${domain}-${name}`;

export function recall(name) {
  try {
    return JSON.parse(sessionStorage.getItem(key(name))) ?? {};
  } catch {
    return {};
  }
}

/** remember changes some of what is kept under a name. */
export function remember(name, changes) {
  try {
    sessionStorage.setItem(key(name), JSON.stringify({ ...recall(name), ...changes }));
  } catch {
    // Full, or forbidden: the page works without it.
  }
}
