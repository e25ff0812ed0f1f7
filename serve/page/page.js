// The page: the domain, and the view that the address names.
import { of, ofDomain, read, replace } from "./address.js";
import { getJSON, persist } from "./api.js";
import { compareView } from "./compare.js";
import { $, el, showProblem, title } from "./dom.js";
import { drawView } from "./draw.js";
import { galleryView } from "./gallery.js";
import { separate } from "./memory.js";
import { morphView } from "./morph.js";
import { storyView } from "./story.js";
import { startUploads } from "./upload.js";
import { openAddress, openViewer, startViewer } from "./viewer.js";

const place = el("div", { class: "alert", role: "alert" });

async function start() {
  const domain = await persist(() => getJSON("api/v1/domain"), report);
  report(null);
  separate(domain.name);
  describe(domain);
  const views = {
    draw: drawView($("#view-draw"), domain),
    story: storyView($("#view-story"), domain),
    morph: morphView($("#view-morph"), domain),
    gallery: galleryView($("#view-gallery"), domain),
  };
  if (domain.runs.length > 1) {
    $("#views a[href='#compare']").hidden = false;
    views.compare = compareView($("#view-compare"), domain);
  }
  const visit = (name) => {
    history.pushState(null, "", views[name].address());
    open(views, name, new URLSearchParams());
  };
  startViewer(domain, {
    use: (fields, add) => {
      visit("draw");
      if (add) views.draw.write(fields.text);
      else views.draw.fill(fields);
      $("#draw-text").focus();
    },
    put: (end, picture) => {
      visit("morph");
      views.morph.put(end, picture);
      $("#view-morph :is(textarea:not([hidden]), .main)").focus();
    },
    changed: () => views.gallery.refresh(),
    back: () => views[opened]?.address() ?? of(opened),
  });
  startUploads(domain, (picture) => {
    views.gallery.refresh();
    openViewer(picture, [picture, ...views.gallery.pictures()]);
  });
  addEventListener("hashchange", (event) => go(views, true, read(new URL(event.oldURL).hash).view === "picture"));
  go(views, false);
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, dialog");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    $("main section:not([hidden]) :is(textarea:not([hidden]), input[type=search])")?.focus();
  });
}

function describe(domain) {
  const name = title(domain);
  document.title = `${name} · illustrator`;
  $("#name").textContent = name;
  $("#about").textContent = domain.about.split(/(?<=\.) /)[0] || "Pictures from descriptions";
  $("#domains").hidden = domain.domains.length < 2;
  $("#domains").replaceChildren(...domain.domains.map((other) => el("a", { href: ofDomain(other), "aria-current": other === domain.name ? "true" : null }, title({ name: other }))));
  $("#kept").textContent = domain.gallery_kept ? "Pictures are kept on the server." : "Pictures are kept until the server stops.";
}

let opened; // the view that is shown

/**
 * go shows what the address names. A picture is shown before the view that was open, else before the gallery. Where a picture
 * closes, the view behind it stays as it is, with what was written since.
 */
async function go(views, moved, closes = false) {
  try {
    if (await openAddress()) {
      if (!opened) open(views, "gallery", new URLSearchParams());
      return;
    }
  } catch (error) { // the picture is gone
    open(views, "gallery", new URLSearchParams());
    report(error);
    return;
  }
  const { view, params } = read();
  if (closes && view === opened) {
    report(null);
    replace(views[view].address());
    return;
  }
  open(views, views[view] ? view : "draw", params);
  if (moved && !document.activeElement.closest("main, dialog")) $("#main").focus({ preventScroll: true });
}

/** open shows a view. */
function open(views, name, params) {
  report(null);
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== `view-${name}`;
  for (const link of document.querySelectorAll("#views a")) {
    if (link.getAttribute("href") === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  opened = name;
  views[name].opened(params);
  for (const link of document.querySelectorAll("#domains a")) link.hash = name;
}

/** report shows an error of the page itself; null takes it away. */
function report(error) {
  if (!place.isConnected) $("main").prepend(place);
  showProblem(place, error);
}

start().catch(report);
