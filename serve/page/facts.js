// A picture's record in words.
import { plural, title } from "./dom.js";
import { labels, withMapper, runOf } from "./words.js";

/** facts returns pairs of a name and a value. */
export function facts(p, { name, domains, runs }) {
  const rows = [];
  if (domains.length > 1 || p.domain !== name) rows.push(["Domain", title({ name: p.domain })]);
  if (p.kind === "manipulated") rows.push(["Changed from", p.origin_text], ["Strength of the change (α)", String(p.alpha)]);
  if (p.frames) rows.push(["Frames", `${p.frames}, ${p.fps} a second`]);
  if (p.kind !== "uploaded") rows.push([labels.seed, String(p.seed)]);
  if (p.kind !== "uploaded" && p.kind !== "manipulated" && p.alpha !== null) rows.push([labels.alpha, String(p.alpha)]);
  if (runs.length > 1 && p.run) rows.push([labels.run, p.run]);
  if (p.diversity && p.diversity !== "noise") rows.push(["Differs in", p.diversity === "z" ? `everything (z), ${p.spread}` : `the first ${plural(p.inject_index, "layer")}`]);
  if (p.truncation_psi !== 1) rows.push([labels.truncation_psi, String(p.truncation_psi)]);
  if (p.cartoon) rows.push([labels.cartoon, p.cartoon]);
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

/** repeats reports whether the settings of a picture draw it again. */
export const repeats = (p) => (p.kind === "generated" || p.kind === "story") && p.alpha !== null;

/** settingsOf returns the fields of a domain's form that draw a picture again. */
export function settingsOf(p, domain) {
  const fields = {
    text: p.text, run: withMapper(runOf(p.run, p.networks_sha256?.mapper, domain), p.networks_sha256) ?? "", count: 1, seed: p.seed, locked: 1, alpha: p.alpha, cartoon: p.cartoon ?? "", diversity: p.diversity || "noise",
    truncation_psi: p.truncation_psi, best_of: 1, refine: p.refined?.steps ?? 0,
  };
  if (p.diversity === "z") fields.spread = p.spread;
  if (p.diversity === "style") fields.inject_index = p.inject_index;
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
}
