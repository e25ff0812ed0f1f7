// The viewer: one large picture. What it shows is what its buttons act on.
import { ofDomain, read, replace } from "./address.js";
import { addressOf, call, getJSON, insist } from "./api.js";
import { caption, show } from "./cards.js";
import { Change } from "./change.js";
import { $, el, showProblem, title, withFlags } from "./dom.js";
import { facts, repeats, settingsOf } from "./facts.js";
import { filmTools, sizes } from "./film.js";
import { left, remove, settle } from "./shelf.js";
import { changeOf, lackOf } from "./words.js";

const img = el("img", { id: "viewer-picture", draggable: "false" });

let dialog, domain, on, change;

/** shown is the picture that the viewer shows, list holds it with its neighbours. A preview of a change is not in the list. */
let shown, list;

let leaving = false; // where the focus goes elsewhere

let opener; // the element that had the focus before

/**
 * startViewer prepares the dialog. on.use(fields) fills the form of Draw, on.put(end, picture) sets an end of an animation,
 * on.changed() reports a change of the gallery, on.back() returns the address of the view behind.
 */
export function startViewer(of, callbacks) {
  [dialog, domain, on] = [$("#viewer"), of, callbacks];
  change = new Change(dialog, domain, { display, attempt, kept: (picture, origin) => {
    list.splice(list.findIndex((p) => p.id === origin.id) + 1, 0, picture);
    replace(`#picture/${picture.id}`);
    on.changed();
  } });
  $(".close", dialog).addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", closed);
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && !event.target.closest("input, textarea, select")) move(step);
  });
  swipe($(".stage", dialog));
  $(".again", dialog).addEventListener("click", () => leave(() => on.use({ text: shown.text }, true)));
  $(".settings-of", dialog).addEventListener("click", () => leave(() => on.use(settingsOf(shown, domain), false)));
  for (const button of dialog.querySelectorAll("[data-end]")) {
    button.addEventListener("click", () => attempt(async () => {
      const picture = shown.preview ? await change.keep() : shown;
      leave(() => on.put(button.dataset.end, picture));
    }));
  }
  $(".delete", dialog).addEventListener("click", () => attempt(discard));
  $(".favourite", dialog).addEventListener("click", () => attempt(favour));
}

/** openViewer shows a picture with its neighbours, under an address of its own. */
export function openViewer(picture, others) {
  list = others.length ? [...others] : [picture];
  if (!dialog.open) {
    opener = document.activeElement;
    if (read().id !== picture.id) history.pushState({ viewer: true }, "", `#picture/${picture.id}`);
    dialog.showModal();
    settle();
  } else {
    replace(`#picture/${picture.id}`);
  }
  change.begin(picture);
  display(picture);
}

/** openAddress shows the picture that the address names, and returns whether it names one. */
export async function openAddress() {
  const { view, id } = read();
  if (view !== "picture") {
    if (dialog.open) dialog.close();
    return false;
  }
  if (dialog.open && shown.id === id) return true;
  const picture = await getJSON(`api/v1/pictures/${id}`);
  openViewer(picture, [picture]);
  return true;
}

/** move shows a neighbour. */
function move(step) {
  const around = left(list);
  const next = around[around.findIndex((p) => p.id === (shown.preview ? change.origin : shown).id) + step];
  if (next) openViewer(next, around);
}

/** swipe moves by a finger. */
function swipe(stage) {
  let from;
  stage.addEventListener("pointerdown", (event) => { from = event.pointerType === "mouse" ? null : event; });
  stage.addEventListener("pointerup", (event) => {
    if (!from) return;
    const [x, y] = [event.clientX - from.clientX, event.clientY - from.clientY];
    if (Math.abs(x) > 40 && Math.abs(x) > 2 * Math.abs(y)) move(x < 0 ? 1 : -1);
    from = null;
  });
}

/** closed goes back to the address of the view, and gives the focus to the picture that was shown, else back to where it was. */
function closed() {
  change.end();
  settle();
  if (leaving) {
    leaving = false;
    return;
  }
  if (read().view === "picture") {
    if (history.state?.viewer) history.back();
    else replace(on.back());
  }
  const card = $(`main > section:not([hidden]) [data-id="${shown.id}"] button`) ?? $(`main > section:not([hidden]) [data-id="${change.origin?.id}"] button`);
  const before = opener?.isConnected && opener.closest("main > section:not([hidden])");
  (card ?? (before ? opener : $("#main"))).focus({ preventScroll: !card });
}

/** leave closes the viewer for good, and then goes elsewhere. */
function leave(then) {
  replace(on.back());
  history.replaceState(null, "", location.hash);
  leaving = true;
  dialog.close();
  then();
}

/** display shows a picture, and sets all buttons for it. */
function display(picture) {
  shown = picture;
  const film = Boolean(picture.frames);
  const own = picture.domain === domain.name && !lackOf(picture, domain);
  $("#viewer-text").textContent = picture.text;
  $("#viewer-caption").textContent = caption(picture);
  $("dl", dialog).replaceChildren(...facts(picture, domain).flatMap(([name, value]) => [el("dt", {}, name), el("dd", { dir: "auto" }, value)]));
  $(".again", dialog).hidden = picture.kind === "uploaded" || film;
  $(".settings-of", dialog).hidden = !repeats(picture) || !own;
  $(".delete", dialog).hidden = Boolean(picture.preview);
  const mark = $(".favourite", dialog);
  mark.hidden = Boolean(picture.preview);
  mark.setAttribute("aria-pressed", String(Boolean(picture.favourite)));
  mark.textContent = picture.favourite ? "★ Favourite" : "☆ Favourite";
  $(".way", dialog).hidden = $(".change", dialog).hidden = film || !own;
  showElsewhere(picture);
  $(".film", dialog).hidden = !film;
  $(".film", dialog).replaceChildren(...(film ? filmTools(picture, img) : []));
  showProblem($(".alert", dialog), null);
  img.alt = picture.text;
  show(img, picture).then(() => $(".stage", dialog).prepend(img)).catch((error) => showProblem($(".alert", dialog), error));
  showDownload(picture, film);
}

/** showElsewhere says where a picture can be changed that another domain or run drew, and that its own run has changed. */
function showElsewhere(picture) {
  const place = $(".elsewhere", dialog);
  const { id, domain: name } = picture;
  const note = lackOf(picture, domain) || (name === domain.name && changeOf(picture, domain));
  place.hidden = name === domain.name && !note;
  place.replaceChildren(...(note ? withFlags(note) : [el("a", { href: ofDomain(name, `#picture/${id}`) }, `Change it in ${title({ name })}`)]));
}

/** showDownload offers the picture in its size, and enlarged. An animation has its own tools. */
function showDownload(picture, film) {
  $(".download", dialog).closest(".row").hidden = film;
  if (film) return;
  const size = $(".download ~ .size", dialog);
  size.replaceWith(sizes(picture, size.value, { onchange: aim }));
  aim();
}

/** aim sets the address of the download. */
function aim() {
  const link = $(".download", dialog);
  const factor = $(".download ~ .size", dialog).value;
  const name = shown.text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 40);
  addressOf(`${shown.png}?download${factor > 1 ? `&scale=${factor}` : ""}`).then((address) => { link.href = address; });
  link.download = `${name}-seed${shown.seed}${factor > 1 ? `-${factor}x` : ""}.png`;
}

/** favour marks the picture as a favourite, or takes the mark away. */
async function favour() {
  const method = shown.favourite ? "DELETE" : "PUT";
  const picture = await (await insist($(".alert", dialog), () => call(`api/v1/pictures/${shown.id}/favourite`, { method }))).json();
  shown.favourite = picture.favourite;
  display(shown);
  on.changed();
}

/** attempt does something, and shows its error. */
export async function attempt(action) {
  showProblem($(".alert", dialog), null);
  try {
    await action();
  } catch (error) {
    if (error.name === "AbortError") return;
    $(".change .status", dialog).textContent = "";
    error.message = error.message.replace(/^To:/, "It should be:");
    showProblem($(".alert", dialog), error);
  }
}

/** discard deletes the picture that is shown, and shows its neighbour. */
async function discard() {
  const around = left(list);
  const at = around.findIndex((p) => p.id === shown.id);
  const next = around[at + 1] ?? around[at - 1];
  await remove([shown], on.changed, $(".alert", dialog));
  list = left(list);
  if (next) openViewer(next, list);
  else dialog.close();
}
