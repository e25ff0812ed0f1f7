// Pictures in lists, each a button that opens the viewer.
import { addressOf } from "./api.js";
import { el, plural } from "./dom.js";
import { left } from "./shelf.js";
import { openViewer } from "./viewer.js";

/** still returns the path of a still picture; for an animation, of its first frame. */
export const still = (picture) => (picture.frames ? `${picture.png}?still` : picture.png);

/** show loads a picture into an img. */
export async function show(img, picture) {
  const address = await addressOf(still(picture));
  img.src = address;
  if (address.startsWith("blob:")) img.onload = () => URL.revokeObjectURL(address);
}

/** placeholder returns an empty card for a picture that is not ready. */
export const placeholder = (tag = "li") => el(tag, { class: "card waiting" }, el("span", { class: "picture" }));

/** card returns a picture's list item, with its text if words is true. neighbours returns the list for the viewer's arrow keys. */
export function card(picture, neighbours, words = false, tag = "li") {
  const img = el("img", { alt: picture.text, width: picture.width, height: picture.height });
  show(img, picture).catch(() => {});
  const button = el("button", { type: "button", class: "picture", "aria-label": `Open: ${picture.text}, seed ${picture.seed}` }, img);
  button.addEventListener("click", () => openViewer(picture, left(neighbours())));
  return el(tag, { class: "card", "data-id": picture.id }, button,
    words ? el("p", { class: "words", dir: "auto" }, picture.text) : null, el("p", { class: "note" }, caption(picture)));
}

/** caption returns a picture's kind and settings in a few words. */
export function caption(picture) {
  const parts = picture.kind === "uploaded" ? ["yours"] : [picture.frames ? plural(picture.frames, "frame") : `seed ${picture.seed}`];
  if (picture.kind === "manipulated") parts.push(`strength ${picture.alpha}`);
  if (picture.favourite) parts.unshift("★");
  if (picture.cartoon) parts.push(picture.cartoon);
  if (picture.refined) parts.push("refined");
  if (picture.score) parts.push(`match ${picture.score.clip_similarity.toFixed(2)}`);
  return parts.join(" · ");
}
