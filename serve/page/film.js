// Animations: play and stop, download in a size.
import { addressOf, download } from "./api.js";
import { show } from "./cards.js";
import { el } from "./dom.js";

/** most is the number of pixels of all frames together that the server enlarges an animation to. */
const most = 2 ** 26;

/** sizes returns a field of the sizes that a picture, or an animation, is saved in. The filter of enlarged ones is named. */
export function sizes({ width, height, frames = 1 }, chosen, attributes = {}) {
  const fits = (n) => n === 1 || (n * Math.max(width, height) <= 4096 && n * n * width * height * Math.max(1, frames) <= most);
  return el("select", { class: "size", "aria-label": "Size of the download", ...attributes },
    ...[1, 2, 4, 8, 16].filter(fits).map((n) => el("option", { value: n, selected: String(n) === chosen },
      `${n * width} px, ${n > 1 ? `${n}× (Lanczos)` : "as drawn"}`)));
}

/** filmTools returns the buttons of an animation whose first frame img shows. */
export function filmTools(picture, img) {
  const play = el("button", { type: "button", class: "play", "aria-pressed": "false" }, "Play");
  play.addEventListener("click", async () => {
    const playing = play.getAttribute("aria-pressed") !== "true";
    play.setAttribute("aria-pressed", String(playing));
    play.textContent = playing ? "Stop" : "Play";
    if (playing) img.src = await addressOf(picture.png);
    else await show(img, picture);
  });
  const path = picture.png.replace(/png$/, "");
  const [apng, gif, strip] = [link("APNG", picture.png, ".apng"), link("GIF", `${path}gif`, ".gif"), link("Strip", `${path}strip`, "-strip.png")];
  const size = sizes(picture, "1", { onchange: () => {
    apng.aim(size.value);
    gif.aim(size.value);
  } });
  return [play, size, apng.element, gif.element, strip.element];
}

/** link returns a link to a file; aim(factor) enlarges what it saves. */
function link(text, path, extension) {
  let file;
  const element = el("a", { class: "button", "aria-label": `Download as ${text}`, onclick: (event) => download(event, file, element.download) }, text);
  const aim = (factor) => {
    file = `${path}?download${factor > 1 ? `&scale=${factor}` : ""}`;
    [element.href, element.download] = [file, `animation${factor > 1 ? `-${factor}x` : ""}${extension}`];
  };
  aim(1);
  return { element, aim };
}
