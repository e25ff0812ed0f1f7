// The JSON API: requests, streamed events, and the token if the server requires one.
import { $ } from "./dom.js";

/** Problem is an error that the server reports. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.error || `the server answered ${status}`);
    Object.assign(this, { status, hint: body.hint, field: body.field, retryAfter });
    if (retryAfter) this.hint = `Try again in ${retryAfter} ${retryAfter === 1 ? "second" : "seconds"}`;
  }
}

const tokenKey = "illustrator-token";
const token = () => sessionStorage.getItem(tokenKey);

/** here returns a path of the API relative to the page, which a proxy may serve below a prefix. */
const here = (path) => path.replace(/^.*\/api\/v1\//, "api/v1/");

/** call sends a request and returns the response, or throws a Problem. */
export async function call(path, options = {}) {
  for (;;) {
    const headers = new Headers(options.headers);
    if (token()) headers.set("Authorization", `Bearer ${token()}`);
    let response;
    try {
      response = await fetch(here(path), { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem(0, { error: "the server does not answer", hint: "is it still running?" });
    }
    if (response.ok) return response;
    const body = await response.json().catch(() => ({}));
    if (response.status !== 401) throw new Problem(response.status, body, Number(response.headers.get("Retry-After")));
    await askToken(token() !== null);
  }
}

let asking = null;

/** askToken shows one dialog for all waiting requests. */
function askToken(wrong) {
  asking ??= new Promise((resolve) => {
    const dialog = $("#login");
    const field = $("input", dialog);
    $(".problem", dialog).textContent = wrong ? "That token is wrong." : "";
    field.value = "";
    dialog.oncancel = (event) => event.preventDefault();
    $("form", dialog).onsubmit = () => {
      sessionStorage.setItem(tokenKey, field.value.trim());
      asking = null;
      resolve();
    };
    dialog.showModal();
  });
  return asking;
}

export const getJSON = async (path, options) => (await call(path, options)).json();

/** draw posts a request that draws and calls on[event] with the data of each event. */
export async function draw(path, request, on, signal) {
  const response = await call(path, {
    method: "POST",
    signal,
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify(request),
  });
  let rest = "";
  let done = false;
  for await (const part of chunks(response.body)) {
    const events = (rest + part).split("\n\n");
    rest = events.pop();
    for (const text of events) {
      const [, name] = text.match(/^event: (\w+)$/m) ?? [];
      if (!name) continue; // a sign of life
      const data = JSON.parse(text.match(/^data: (.*)$/m)[1]);
      if (name === "error") throw new Problem(500, data);
      done ||= name === "done";
      on[name]?.(data);
    }
  }
  if (!done) throw new Problem(0, { error: "the connection was cut", hint: "try again" });
}

async function* chunks(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** download saves a file of the server. With a token it fetches the link's target first. */
export async function download(event, path, name) {
  if (!token()) return; // the link does it
  event.preventDefault();
  const link = Object.assign(document.createElement("a"), { href: await addressOf(path), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** addressOf returns a picture's address for img and links. With a token it fetches the picture first. */
export async function addressOf(path) {
  if (!token()) return here(path);
  return URL.createObjectURL(await (await call(path)).blob());
}
