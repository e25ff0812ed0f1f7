// Animations: play and stop, download.
import { addressOf, download } from "./api.js";
import { show } from "./cards.js";
import { el } from "./dom.js";

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
  return [play, link("APNG", picture.png, ".apng"), link("GIF", `${path}gif`, ".gif"), link("Strip", `${path}strip`, "-strip.png")];
}

function link(text, path, extension) {
  const file = `${path}?download`;
  return el("a", { class: "button", href: file, download: `animation${extension}`, "aria-label": `Download as ${text}`, onclick: (event) => download(event, file, `animation${extension}`) }, text);
}
