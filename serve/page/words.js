// The page's names of the API's fields, for labels and errors.

export const labels = {
  text: "Description", story: "Story", character: "Character", count: "Pictures", cartoon: "Look", seed: "Seed", seeds: "Seeds",
  alpha: "Strength (α)", diversity: "Pictures differ in", spread: "How far", inject_index: "Random layers", truncation_psi: "Variety (ψ)",
  best_of: "Candidates per picture", refine: "Refining steps", steps: "Frames", fps: "Frames a second", from: "From", to: "To",
  alphas: "Strengths of a sheet (α)", picture: "Picture", query: "Search", runs: "Run", run: "Run", own_seeds: "One seed for all paragraphs",
};

/** label returns the page's name of a field, such as "alphas[2]". */
export const label = (field) => labels[field] ?? labels[field?.replace(/\[\d+\]$/, "")] ?? field;

/** inWords replaces the API's names of fields in a message of the server. */
export function inWords(message, field) {
  const plain = field && message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
  const named = plain.replace(/\b[a-z]+_[a-z]+\b|\b(?:count|seed|refine|diversity|spread|alpha)\b/g, (word) => (labels[word] ? `“${labels[word]}”` : word));
  return field ? `${label(field)}: ${named}` : named;
}

export const differences = { noise: "fine detail", style: "first layers", z: "everything" };
