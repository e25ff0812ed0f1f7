// The viewer: one large picture, its record, and its manipulation.
import { addressOf, call, draw } from "./api.js";
import { caption, show } from "./cards.js";
import { $, el, plural, showProblem } from "./dom.js";
import { filmTools } from "./film.js";

const alphas = [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

const img = el("img", { id: "viewer-picture" });

let dialog, domain, on;
let current, list, frames, to, changing;

/**
 * startViewer prepares the dialog. on.use(text) draws a text again, on.put(end, picture) sets an end of an animation, on.changed()
 * reports a change of the gallery.
 */
export function startViewer(of, callbacks) {
  [dialog, domain, on] = [$("#viewer"), of, callbacks];
  $(".close", dialog).addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => changing?.abort());
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && !event.target.closest("input")) openViewer(list[list.indexOf(current) + step] ?? current, list);
  });
  $(".again", dialog).addEventListener("click", () => { dialog.close(); on.use(current.text); });
  for (const button of dialog.querySelectorAll("[data-end]")) {
    button.addEventListener("click", () => { dialog.close(); on.put(button.dataset.end, current); });
  }
  $(".delete", dialog).addEventListener("click", () => attempt(remove));
  $(".keep", dialog).addEventListener("click", () => attempt(keep));
  $("#viewer-alpha").addEventListener("input", () => showFrame());
  $(".change", dialog).addEventListener("submit", (event) => { event.preventDefault(); attempt(change); });
}

/** openViewer shows a picture; others are its neighbours. */
export function openViewer(picture, others) {
  changing?.abort();
  [current, list, frames] = [picture, others, []];
  const uploaded = picture.kind === "uploaded";
  $("#viewer-text").textContent = picture.text;
  $("dl", dialog).replaceChildren(...facts(picture).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  const film = Boolean(picture.frames);
  $(".again", dialog).hidden = uploaded || film;
  $(".download", dialog).hidden = film;
  $(".way", dialog).hidden = $(".change", dialog).hidden = film;
  $(".from", dialog).hidden = !uploaded;
  $("[name=from]", dialog).value = uploaded ? picture.text : "";
  const target = $("[name=to]", dialog);
  target.value = "";
  target.maxLength = domain.limits.text;
  target.placeholder = domain.examples[Math.floor(Math.random() * domain.examples.length)];
  $(".slide", dialog).hidden = true;
  $(".change .status", dialog).textContent = "";
  showProblem($(".alert", dialog), null);
  showLarge(picture);
  $(".film", dialog).hidden = !film;
  $(".film", dialog).replaceChildren(...(film ? filmTools(picture, img) : []));
  if (!dialog.open) dialog.showModal();
}

function facts(p) {
  const rows = [];
  if (p.kind === "manipulated") rows.push(["Changed from", p.origin_text]);
  if (p.frames) rows.push(["Frames", `${p.frames}, ${p.fps} a second`]);
  if (p.kind !== "uploaded") rows.push(["Seed", String(p.seed)], ["Distinctiveness α", String(p.alpha)]);
  if (domain.runs.length > 1 && p.run) rows.push(["Run", p.run]);
  if (p.diversity && p.diversity !== "noise") rows.push(["Differs by", p.diversity === "z" ? `z, ${p.spread}` : `styles of ${plural(p.inject_index, "layer")}`]);
  if (p.truncation_psi !== 1) rows.push(["Truncation ψ", String(p.truncation_psi)]);
  if (p.cartoon) rows.push(["Look", p.cartoon]);
  if (p.score) rows.push(["Match", p.score.clip_similarity.toFixed(2)]);
  if (p.candidates) {
    const matches = p.candidates.map((c) => c.clip_similarity);
    rows.push(["Chosen from", `${plural(p.candidates.length, "candidate")}, match ${Math.min(...matches).toFixed(2)} to ${Math.max(...matches).toFixed(2)}`]);
  }
  if (p.refined) {
    const { steps, losses_before: before, losses_after: after, pictures_drawn: drawn } = p.refined;
    rows.push(["Refined", `${plural(steps, "step")}: match ${p.refined.clip_similarity_before.toFixed(2)} → ${p.score.clip_similarity.toFixed(2)}, semantic loss ${before.semantic.toFixed(3)} → ${after.semantic.toFixed(3)}; ${drawn} drawn`]);
  }
  rows.push(["Size", `${p.width} × ${p.height}`], ["Made", new Date(p.created).toLocaleString()]);
  return rows;
}

function showLarge(picture) {
  img.alt = picture.text;
  show(img, picture).then(() => $(".stage", dialog).prepend(img)).catch((error) => showProblem($(".alert", dialog), error));
  $("#viewer-caption").textContent = caption(picture);
  const link = $(".download", dialog);
  addressOf(`${picture.png}?download`).then((address) => { link.href = address; });
  link.download = `${picture.text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 40)}-seed${picture.seed}.png`;
}

async function attempt(action) {
  showProblem($(".alert", dialog), null);
  try {
    await action();
  } catch (error) {
    if (error.name === "AbortError") return;
    $(".change .status", dialog).textContent = "";
    showProblem($(".alert", dialog), error);
  }
}

/** change draws a picture for each position of the slider, towards a text. */
async function change() {
  changing?.abort();
  changing = new AbortController();
  to = $("[name=to]", dialog).value;
  frames = [];
  const status = $(".change .status", dialog);
  await draw("/api/v1/manipulate", { ...wish(), alphas, preview: true }, {
    accepted: (a) => { status.textContent = a.ahead ? `${plural(a.ahead, "picture")} ahead of yours …` : "Drawing …"; },
    picture: (p) => {
      frames[p.index] = p;
      $(".slide", dialog).hidden = false;
      showFrame();
    },
    done: () => { status.textContent = "Ready: move the slider"; },
  }, changing.signal);
  $("#viewer-alpha").focus();
}

function wish() {
  const from = $("[name=from]", dialog).value;
  return { picture: current.id, to, ...(from ? { from } : {}) };
}

/** showFrame shows the picture at the slider's position. */
function showFrame() {
  const at = Number($("#viewer-alpha").value);
  $("output", dialog).textContent = at;
  const frame = frames[alphas.indexOf(at)];
  if (frame) showLarge(frame);
}

/** keep draws the picture at the slider's position again, for the gallery. */
async function keep() {
  const kept = [];
  await draw("/api/v1/manipulate", { ...wish(), alphas: [Number($("#viewer-alpha").value)] }, { picture: (p) => kept.push(p) });
  $(".change .status", dialog).textContent = "It is in the gallery.";
  showLarge(kept[0]);
  on.changed();
}

async function remove() {
  await call(`/api/v1/pictures/${current.id}`, { method: "DELETE" });
  document.querySelectorAll(`[data-id="${current.id}"]`).forEach((card) => card.remove());
  dialog.close();
  on.changed();
}
