// The JSON API: requests, streamed events, and the token if the server requires one.
import { $, showProblem } from "./dom.js";
import { inWords } from "./words.js";

/** Problem is an error that the server reports, in the page's words. status 0: the server does not answer. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(inWords(body.error || `the server answered ${status}`, body.field));
    Object.assign(this, { status, hint: body.hint && inWords(body.hint), field: body.field, retryAfter });
    if (retryAfter) this.hint = `Try again in ${retryAfter} ${retryAfter === 1 ? "second" : "seconds"}`;
  }
}

const silent = () => new Problem(0, { error: "the server does not answer", hint: "Is it still running?" });

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
      throw error.name === "AbortError" ? error : silent();
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

export const postJSON = (path, body, options = {}) => call(path, { ...options, method: "POST", headers: { "Content-Type": "application/json", ...options.headers }, body: JSON.stringify(body) });

/** answering waits until the server answers. */
async function answering(signal) {
  for (let wait = 500; ; wait = Math.min(2 * wait, 5000)) {
    await new Promise((resolve) => { setTimeout(resolve, wait); });
    signal?.throwIfAborted();
    if (await fetch("healthz", { signal }).then((r) => r.ok, () => false)) return;
  }
}

/** persist does something that may find the server silent: it says so to lost, and tries again when the server answers. */
export async function persist(action, lost, signal) {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 0) throw error;
      error.hint = "Trying again until it does …";
      lost(error);
      await answering(signal);
    }
  }
}

/** insist is persist that shows in a place for alerts that the server is silent. */
export async function insist(place, action) {
  let lost = false;
  const done = await persist(action, (problem) => {
    lost = true;
    showProblem(place, problem);
  });
  if (lost) showProblem(place, null);
  return done;
}

/**
 * draw posts a request that draws and calls on[event] with the data of each event. A job outlives this page: on.job gets its id,
 * and job continues it. on.lost gets a Problem where the server is silent; then the job is continued, or drawn again by a server
 * that does not have it.
 */
export async function draw(path, request, on, { signal, keep = false, job = "" } = {}) {
  const resumed = Boolean(job);
  let last = 0; // the number of the last event
  const names = { ...on, job: (data) => { job = data.id; on.job?.(job); } };
  await persist(async () => {
    let response;
    try {
      response = job
        ? await call(`api/v1/jobs/${job}`, { signal, headers: { Accept: "text/event-stream", "Last-Event-ID": last } })
        : await postJSON(keep ? `${path}?keep` : path, request, { signal, headers: { Accept: "text/event-stream" } });
    } catch (error) {
      if (!job || error.status !== 404 || (resumed && last === 0)) throw error;
      [job, last] = ["", 0]; // another server, which does not have the job
      throw silent();
    }
    for await (const { id, name, data } of events(response.body)) {
      last = id ?? last;
      if (name === "error") throw new Problem(500, data);
      names[name]?.(data);
      if (name === "done") return;
    }
    throw silent();
  }, (problem) => on.lost?.(problem), signal);
}

/** stop ends a job. */
export const stopJob = (job) => call(`api/v1/jobs/${job}`, { method: "DELETE" }).catch(() => {}); // it may be over

/** events reads a stream of server-sent events. A connection that is cut ends it. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read().catch((error) => {
      if (error.name === "AbortError") throw error;
      return { done: true };
    });
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const text of parts) {
      const [, name] = text.match(/^event: (\w+)$/m) ?? [];
      if (!name) continue; // a sign of life
      const [, id] = text.match(/^id: (\d+)$/m) ?? [];
      yield { id, name, data: JSON.parse(text.match(/^data: (.*)$/m)[1]) };
    }
  }
}

/** download saves a file of the server. With a token it fetches the link's target first. */
export async function download(event, path, name) {
  if (!token()) return; // the link does it
  event.preventDefault();
  save(await addressOf(path), name);
}

/** save saves what an address names under a name. */
export function save(address, name) {
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  if (address.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** addressOf returns a picture's address for img and links. With a token it fetches the picture first. */
export async function addressOf(path) {
  if (!token()) return here(path);
  return URL.createObjectURL(await (await call(path)).blob());
}
