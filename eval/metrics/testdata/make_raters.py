"""Writes raters.json: comparisons and ratings of simulated raters, and what choix and krippendorff say of them.

Made with choix 0.3.5, krippendorff 0.8.1, numpy 2.4.6 and scipy 1.17.1. The table "published" is Krippendorff's own
example (Computing Krippendorff's Alpha-Reliability, 2011, section C): nominal 0.743, ordinal 0.815, interval 0.849.
"""
import json

import choix
import krippendorff
import numpy as np

rng = np.random.default_rng(19)


def strengths(name, true, n):
    games = []
    for _ in range(n):
        i, j = map(int, rng.choice(len(true), 2, replace=False))
        first = rng.random() < 1 / (1 + np.exp(true[j] - true[i]))
        games.append((i, j) if first else (j, i))
    wins = np.zeros((len(true), len(true)))
    for i, j in games:
        wins[i, j] += 1
    want = choix.opt_pairwise(len(true), games, alpha=0, method="Newton-CG", tol=1e-14)
    return {"name": name, "wins": wins.tolist(), "strengths": (want - want.mean()).tolist()}


def agreement(name, rows):
    table = np.array([[np.nan if v is None else v for v in row] for row in rows], dtype=float)
    alpha = {level: krippendorff.alpha(table, level_of_measurement=level) for level in ("nominal", "ordinal", "interval")}
    return {"name": name, "ratings": rows, "alpha": alpha}


X = None
published = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, X, X, X],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, X, 3],
    [X, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, X],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, X],
]
truth = rng.integers(1, 6, 40)
simulated = [[int(np.clip(t + rng.integers(-1, 2), 1, 5)) if rng.random() < 0.7 else X for t in truth] for _ in range(6)]
chance = [[int(v) for v in rng.integers(1, 6, 30)] for _ in range(3)]

with open("raters.json", "w") as f:
    json.dump({
        "strengths": [strengths("three", [0.8, 0, -0.8], 300), strengths("six", [1.5, 0.6, 0.2, 0, -0.9, -1.4], 900)],
        "agreement": [agreement("published", published), agreement("simulated", simulated), agreement("chance", chance)],
    }, f)
    f.write("\n")
