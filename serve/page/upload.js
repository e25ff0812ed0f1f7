// Uploads: a file is chosen, dropped or pasted; what is kept of it is shown before it is sent.
import { call } from "./api.js";
import { $, el, showProblem } from "./dom.js";

const side = 240; // of the preview's longer edge, in CSS pixels

/** startUploads prepares all ways to give a file. done(picture) gets what was uploaded. */
export function startUploads(domain, done) {
  const dialog = $("#upload");
  const place = $(".alert", dialog);
  let file;

  async function choose(chosen) {
    if (!chosen || dialog.open) return;
    file = chosen;
    showProblem(place, null);
    $("[name=text]", dialog).value = "";
    $(".preview", dialog).replaceChildren();
    $(".main", dialog).disabled = false;
    dialog.showModal();
    if (file.size > domain.limits.upload_bytes) {
      $(".main", dialog).disabled = true;
      showProblem(place, Object.assign(new Error(`the file has ${megabytes(file.size)}`), { hint: `Choose one of at most ${megabytes(domain.limits.upload_bytes)}` }));
      return;
    }
    await preview($(".preview", dialog), file, domain);
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
  $("[name=text]", dialog).placeholder = domain.text_prompt;
  $("[name=text]", dialog).maxLength = domain.limits.text;
  $("form", dialog).addEventListener("submit", async (event) => {
    event.preventDefault();
    showProblem(place, null);
    const text = $("[name=text]", dialog).value.trim();
    try {
      const query = text ? `?${new URLSearchParams({ text })}` : "";
      const response = await call(`api/v1/pictures${query}`, { method: "POST", headers: { "Content-Type": file.type || "application/octet-stream" }, body: file });
      dialog.close();
      done(await response.json());
    } catch (error) {
      showProblem(place, error);
    }
  });
}

const megabytes = (n) => `${(n / 1e6).toFixed(1)} MB`;

/** preview shows a picture with the square that is kept of it, and the result. */
async function preview(place, file, domain) {
  const picture = await createImageBitmap(file).catch(() => null);
  const kept = domain.padded ? "The whole picture is kept, on a white square." : "The central square is kept.";
  const size = `It is scaled to ${domain.size} × ${domain.size} pixels.`;
  if (!picture) {
    place.replaceChildren(el("p", { class: "note" }, `This browser shows no preview of the file. ${kept} ${size}`));
    return;
  }
  const { width, height } = picture;
  const scale = side / Math.max(width, height);
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const whole = canvas(w, h, `The file, ${width} × ${height} pixels`);
  const square = domain.padded ? Math.max(w, h) : Math.min(w, h);
  const [x, y] = [(w - square) / 2, (h - square) / 2];
  whole.draw.drawImage(picture, 0, 0, w, h);
  if (!domain.padded) {
    whole.draw.fillStyle = "rgba(0, 0, 0, .6)";
    whole.draw.beginPath();
    whole.draw.rect(0, 0, w, h);
    whole.draw.rect(x, y, square, square);
    whole.draw.fill("evenodd");
  }
  const result = canvas(120, 120, "What is kept");
  result.draw.fillStyle = "white";
  result.draw.fillRect(0, 0, 120, 120);
  const k = 120 / square;
  result.draw.drawImage(picture, -x * k, -y * k, w * k, h * k);
  place.replaceChildren(el("div", { class: "row" }, whole.element, result.element), el("p", { class: "note" }, `${kept} ${size}`));
}

function canvas(width, height, label) {
  const element = el("canvas", { width, height, role: "img", "aria-label": label });
  return { element, draw: element.getContext("2d") };
}
