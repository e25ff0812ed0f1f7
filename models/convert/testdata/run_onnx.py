"""Runs a mapper's ONNX file with ONNX Runtime: run_onnx.py MODEL EMBEDS WIDTH OUT.

EMBEDS and OUT hold float32 rows. The rows are run as one batch and one by one, which shows that the batch is free.
"""
import sys

import numpy as np
import onnxruntime

model, embeds, width, out = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
(source,), (target,) = session.get_inputs(), session.get_outputs()
assert (source.name, target.name) == ("image_embeds", "z"), (source, target)
assert source.shape == ["batch", int(width)] and target.shape[0] == "batch", (source.shape, target.shape)
properties = session.get_modelmeta().custom_metadata_map
assert set(properties) >= {"mapper", "input"}, properties
rows = np.fromfile(embeds, np.float32).reshape(-1, int(width))
batch = session.run(None, {"image_embeds": rows})[0]
single = np.concatenate([session.run(None, {"image_embeds": rows[i : i + 1]})[0] for i in range(len(rows))])
assert batch.shape == (len(rows), target.shape[1]), batch.shape
assert np.abs(batch - single).max() <= 1e-5 * np.abs(batch).max(), np.abs(batch - single).max()
batch.tofile(out)
