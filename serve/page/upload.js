// Uploads: a file is chosen, dropped or pasted; what is kept of it is shown before it is sent.
import { limited } from "./advice.js";
import { call, insist } from "./api.js";
import { $, el, showProblem } from "./dom.js";

const side = 240; // of the preview's longer edge, in CSS pixels

/** startUploads prepares all ways to give a file. done(picture) gets what was uploaded. */
export function startUploads(domain, done) {
  const dialog = $("#upload");
  const place = $(".alert", dialog);
  const text = $("[name=text]", dialog);
  const where = $("[name=position]", dialog);
  let file;

  async function choose(chosen) {
    if (!chosen || dialog.open) return;
    file = chosen;
    text.value = "";
    text.dispatchEvent(new Event("count"));
    [where.value, where.closest(".entry").hidden] = [0.5, true];
    $(".preview", dialog).replaceChildren();
    const wrong = problem(file, domain.limits.upload_bytes);
    $(".main", dialog).disabled = Boolean(wrong);
    dialog.showModal();
    showProblem(place, wrong);
    if (!wrong) await preview($(".preview", dialog), file, domain, where);
  }

  for (const input of document.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      choose(input.files[0]);
      input.value = "";
    });
  }
  addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("Files")) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    choose(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    choose(event.clipboardData.files[0]);
  });
  $(".cancel", dialog).addEventListener("click", () => dialog.close());
  text.placeholder = domain.text_prompt;
  limited(text, domain.limits.text);
  $("form", dialog).addEventListener("submit", async (event) => {
    event.preventDefault();
    showProblem(place, null);
    const about = text.value.trim();
    const query = new URLSearchParams({ ...(about ? { text: about } : {}), ...(where.value !== "0.5" ? { position: where.value } : {}) });
    const sent = { method: "POST", headers: { "Content-Type": file.type || "application/octet-stream" }, body: file };
    try {
      const picture = await insist(place, async () => (await call(`api/v1/pictures?${query}`, sent)).json());
      dialog.close();
      done(picture);
    } catch (error) {
      showProblem(place, error);
    }
  });
}

/** problem returns the error of a file that the server would not take, or null. */
function problem(file, most) {
  if (!$("input[type=file]").accept.split(",").includes(file.type)) return Object.assign(new Error("this file is not a picture that can be read"), { hint: "Choose a PNG, JPEG, WebP, GIF, BMP or TIFF file" });
  if (file.size > most) return Object.assign(new Error(`the file has ${megabytes(file.size)}`), { hint: `Choose one of at most ${megabytes(most)}` });
  return null;
}

const megabytes = (n) => `${(n / 1e6).toFixed(1)} MB`;

/** preview shows a picture with the square that is kept of it, and the result. where is the field of the square's position. */
async function preview(place, file, domain, where) {
  const picture = await createImageBitmap(file).catch(() => null);
  const { width, height } = picture ?? {};
  const moves = !domain.padded && width !== height;
  const kept = domain.padded ? "The whole picture is kept, on a white square." : moves ? "The bright square is kept: drag it, or move it below." : "The whole picture is kept.";
  const size = `It is scaled to ${domain.size} × ${domain.size} pixels.`;
  if (!picture) {
    place.replaceChildren(el("p", { class: "note" }, `This browser shows no preview of the file. ${domain.padded ? kept : "The central square is kept."} ${size}`));
    return;
  }
  const scale = side / Math.max(width, height);
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const whole = canvas(w, h, `The file, ${width} × ${height} pixels`);
  const result = canvas(120, 120, "What is kept");
  const square = domain.padded ? Math.max(w, h) : Math.min(w, h);
  const show = () => {
    const at = Number(where.value);
    const [x, y] = [(w - square) * at, (h - square) * at];
    whole.draw.clearRect(0, 0, w, h);
    whole.draw.drawImage(picture, 0, 0, w, h);
    if (moves) {
      whole.draw.fillStyle = "rgba(0, 0, 0, .6)";
      whole.draw.beginPath();
      whole.draw.rect(0, 0, w, h);
      whole.draw.rect(x, y, square, square);
      whole.draw.fill("evenodd");
    }
    result.draw.fillStyle = "white";
    result.draw.fillRect(0, 0, 120, 120);
    const k = 120 / square;
    result.draw.drawImage(picture, -x * k, -y * k, w * k, h * k);
  };
  show();
  place.replaceChildren(el("div", { class: "row" }, whole.element, result.element), el("p", { class: "note" }, `${kept} ${size}`));
  where.closest(".entry").hidden = !moves;
  where.oninput = show;
  if (moves) drag(whole.element, where, width > height ? "offsetX" : "offsetY", Math.max(w, h), square);
}

/** drag moves the square with a pointer: its middle is where the pointer is along an axis, of a canvas of a length. */
function drag(element, where, axis, length, square) {
  const move = (event) => {
    if (!(event.buttons & 1)) return;
    const at = event[axis] * (length / (axis === "offsetX" ? element.clientWidth : element.clientHeight));
    where.value = Math.min(1, Math.max(0, (at - square / 2) / (length - square)));
    where.dispatchEvent(new Event("input"));
  };
  element.classList.add("moves");
  element.addEventListener("pointerdown", (event) => { element.setPointerCapture(event.pointerId); move(event); });
  element.addEventListener("pointermove", move);
}

function canvas(width, height, label) {
  const element = el("canvas", { width, height, role: "img", "aria-label": label });
  return { element, draw: element.getContext("2d") };
}
