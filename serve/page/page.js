// The page: the domain, and the view that the address names.
import { getJSON } from "./api.js";
import { $, el, showProblem } from "./dom.js";
import { betweenView } from "./between.js";
import { compareView } from "./compare.js";
import { drawView } from "./draw.js";
import { galleryView } from "./gallery.js";
import { storyView } from "./story.js";
import { startViewer } from "./viewer.js";

async function start() {
  const domain = await getJSON("/api/v1/domain");
  const name = domain.name.charAt(0).toUpperCase() + domain.name.slice(1);
  document.title = `${name} · illustrator`;
  $("#name").textContent = name;
  $("#about").textContent = domain.about.split(/(?<=\.) /)[0] || "Pictures from descriptions";
  $("#kept").textContent = domain.gallery_kept ? "Pictures are kept on the server." : "Pictures are kept until the server stops.";
  const views = {
    draw: drawView($("#view-draw"), domain),
    story: storyView($("#view-story"), domain),
    between: betweenView($("#view-between"), domain),
    gallery: galleryView($("#view-gallery"), domain),
  };
  if (domain.runs.length > 1) {
    $("nav a[href='#compare']").hidden = false;
    views.compare = compareView($("#view-compare"), domain);
  }
  startViewer(domain, {
    use: (text) => { location.hash = "#draw"; views.draw.write(text); },
    put: (end, picture) => { location.hash = "#between"; views.between.put(end, picture); },
    changed: () => views.gallery.refresh(),
  });
  addEventListener("hashchange", () => open(views, true));
  open(views, false);
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, dialog");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    $("main section:not([hidden]) :is(textarea:not([hidden]), input[type=search])")?.focus();
  });
}

/** open shows the view of the address. */
function open(views, moved) {
  const asked = location.hash.slice(1);
  const name = views[asked] ? asked : "draw";
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== `view-${name}`;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  views[name].opened?.();
  if (moved && !document.activeElement.closest("main")) $("#main").focus({ preventScroll: true });
}

start().catch((error) => {
  const place = el("div", { class: "alert", role: "alert" });
  $("main").prepend(place);
  showProblem(place, error);
});
