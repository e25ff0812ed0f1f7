"""Writes goldens.safetensors: features, and what the accepted implementations of each metric say of them, in float64.

Made with numpy 2.4.6, scipy 1.17.1, torch 2.15.0, torch-fidelity 0.4.0, torchmetrics 1.9.0, clean-fid 0.1.35, prdc 0.2,
vendi-score 0.0.3 and scikit-learn 1.9.1 on a CPU. CMMD and CLIPScore are recomputed from their formulas: the references
(google-research/cmmd, jmhessel/clipscore) are no packages.
"""
import types

import numpy as np
import scipy.sparse
import scipy.spatial
import scipy.stats
import torch
from cleanfid.fid import frechet_distance
from prdc import compute_prdc
from safetensors.numpy import save_file
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torchmetrics.image.kid import poly_mmd
from torchmetrics.multimodal.clip_score import CLIPScore
from torchmetrics.retrieval import RetrievalPrecision

if not hasattr(scipy.sparse, "csr"):  # vendi-score 0.0.3 names a module that scipy has given up
    scipy.sparse.csr = types.SimpleNamespace(csr_matrix=scipy.sparse.csr_matrix)
from vendi_score import vendi

rng = np.random.default_rng(5)
D, N, M = 12, 150, 130
# Correlated, skewed, off the origin, as features are. Rows of float32, as networks give them.
mix = rng.normal(size=(D, D)) / np.sqrt(D)
real = np.abs(rng.normal(size=(N, D)) @ mix + 0.5).astype(np.float32).astype(np.float64)
fake = np.abs(0.8 * rng.normal(size=(M, D)) @ mix + 0.6).astype(np.float32).astype(np.float64)
out = {"real": real, "fake": fake}
scalar = lambda name, value: out.__setitem__(name, np.array([float(value)]))

# FID: clean-fid takes scipy's square root, torch-fidelity the eigenvalues of the product, which is not symmetric.
moments = lambda x: (x.mean(0), np.cov(x, rowvar=False))
scalar("fid.clean_fid", frechet_distance(*moments(real), *moments(fake)))
stats = [fid_features_to_statistics(torch.from_numpy(x)) for x in (real, fake)]
scalar("fid.torch_fidelity", fid_statistics_to_metric(*stats, False)["frechet_inception_distance"])
out["mean"], out["covariance"] = moments(real)

# KID over torch-fidelity's own subsets, whose rows are drawn again here to be stored.
SUBSETS, SIZE = 6, 50
kid = kid_features_to_metric(
    torch.from_numpy(real), torch.from_numpy(fake), kid_subsets=SUBSETS, kid_subset_size=SIZE, rng_seed=2020,
    kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1, verbose=False,
)
scalar("kid.mean", kid["kernel_inception_distance_mean"])
scalar("kid.std", kid["kernel_inception_distance_std"])
state, rows = np.random.RandomState(2020), []
for _ in range(SUBSETS):
    rows.append(np.stack([state.choice(N, SIZE, replace=False), state.choice(M, SIZE, replace=False)]))
out["kid.rows"] = np.stack(rows).astype(np.float64)  # [SUBSETS, 2, SIZE]
scalar("kid.whole_equal", poly_mmd(torch.from_numpy(real[:M]), torch.from_numpy(fake)))

x, y = torch.from_numpy(real), torch.from_numpy(fake)
kernel = lambda a, b: (a @ b.T / D + 1) ** 3
within = lambda k: (k.sum() - k.diag().sum()) / (len(k) * (len(k) - 1))
scalar("kid.whole", within(kernel(x, x)) + within(kernel(y, y)) - 2 * kernel(x, y).mean())

# CMMD: google-research/cmmd, distance.py, with the embeddings' normalisation of its embedding.py.
x, y = (torch.nn.functional.normalize(torch.from_numpy(v - 0.5), dim=1) for v in (real, fake))
rbf = lambda a, b: torch.exp(-torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist") ** 2 / (2 * 10**2)).mean()
scalar("cmmd", 1000 * (rbf(x, x) + rbf(y, y) - 2 * rbf(x, y)))

for k in (3, 5):
    for name, value in compute_prdc(real, fake, k).items():
        scalar(f"prdc.{k}.{name}", value)

# Pictures and texts: 40 rows of each, texts 3 and 7 the same.
images, texts = real[:40] - 0.5, fake[:40] - 0.5
texts = 0.6 * texts + images
texts[7] = texts[3]
unit = lambda v: v / np.linalg.norm(v, axis=1, keepdims=True)
cosines = (unit(images) * unit(texts)).sum(1)
out["images"], out["texts"], out["cosines"] = images, texts, cosines
scalar("clip_score", (2.5 * np.clip(cosines, 0, None)).mean())
for name, c in {"positive": cosines, "mixed": cosines - 0.8, "negative": -np.abs(cosines)}.items():
    total = torch.tensor(100 * c).sum()
    scalar(f"torchmetrics.{name}", CLIPScore.compute(types.SimpleNamespace(score=total, n_samples=torch.tensor(len(c)))))
# The pictures but those of the two equal texts, of whom torchmetrics would take either.
scores = unit(images) @ unit(texts).T
asked = [i for i in range(40) if i not in (3, 7)]
precision = RetrievalPrecision(top_k=1)
precision.update(
    torch.tensor(scores[asked].ravel()), torch.tensor(np.eye(40, dtype=bool)[asked].ravel()),
    indexes=torch.arange(len(asked)).repeat_interleave(40),
)
scalar("r_precision.1_of_n", precision.compute())

scalar("diversity", scipy.spatial.distance.pdist(images, "cosine").mean())
scalar("vendi.more_rows", vendi.score_X(images))
scalar("vendi.more_dimensions", vendi.score_X(images[:8]))

z = rng.normal(size=(60, 8)) * np.linspace(0.5, 1.5, 8) + np.linspace(-0.3, 0.4, 8)
out["z"] = z
scalar("z.mean", z.mean())
scalar("z.std", z.std())
out["z.means"], out["z.stds"] = z.mean(0), z.std(0)
scalar("z.distance", frechet_distance(z.mean(0), np.diag(z.var(0)), np.zeros(8), np.eye(8)))

# Bootstrap: scipy's interval, of skewed values.
sample = rng.beta(8, 1.5, size=40)
boot = scipy.stats.bootstrap((sample,), np.mean, method="BCa", n_resamples=2000, rng=np.random.default_rng(3))
out["bootstrap.sample"] = sample
out["bootstrap.bca"] = np.array([boot.confidence_interval.low, boot.confidence_interval.high])

save_file({k: np.ascontiguousarray(v, dtype=np.float64) for k, v in out.items()}, "goldens.safetensors")
for k, v in sorted(out.items()):
    print(k, v if v.size < 3 else v.shape)
