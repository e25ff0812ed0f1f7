// Gallery: all pictures, with search.
import { call, getJSON } from "./api.js";
import { card } from "./cards.js";
import { $, plural, showProblem } from "./dom.js";
import { openViewer } from "./viewer.js";

export function galleryView(view, domain) {
  const list = $(".pictures", view);
  const search = $("input[type=search]", view);
  const file = $("input[type=file]", view);
  const more = $(".more button", view);
  const status = $(".status", view);
  const alert = $(".alert", view);
  let pictures = [];
  let asked = 0;

  async function load(before) {
    const number = ++asked;
    try {
      const query = new URLSearchParams({ query: search.value, ...(before ? { before } : {}) });
      const page = await getJSON(`/api/v1/pictures?${query}`);
      if (number !== asked) return; // a later search has begun
      showProblem(alert, null);
      pictures = before ? [...pictures, ...page.pictures] : page.pictures;
      const cards = page.pictures.map((p) => card(p, () => pictures, true));
      if (before) list.append(...cards);
      else list.replaceChildren(...cards);
      more.hidden = pictures.length >= page.total;
      status.textContent = page.total ? plural(page.total, "picture") : search.value ? "No picture has these words." : "Nothing here yet. What you draw is kept here.";
    } catch (error) {
      showProblem(alert, error);
    }
  }

  let timer;
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(load, 150); });
  $("form", view).addEventListener("submit", (event) => { event.preventDefault(); load(); });
  more.addEventListener("click", () => load(pictures.at(-1).id));
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    file.value = "";
    if (!chosen) return;
    try {
      if (chosen.size > domain.limits.upload_bytes) throw Object.assign(new Error(`the file has ${(chosen.size / 1e6).toFixed(1)} MB`), { hint: `Choose one of at most ${(domain.limits.upload_bytes / 1e6).toFixed(1)} MB` });
      const picture = await (await call("/api/v1/pictures", { method: "POST", headers: { "Content-Type": chosen.type || "application/octet-stream" }, body: chosen })).json();
      await load();
      openViewer(picture, pictures);
    } catch (error) {
      showProblem(alert, error);
    }
  });
  return { opened: () => load(), refresh: () => { if (!view.hidden) load(); } };
}
