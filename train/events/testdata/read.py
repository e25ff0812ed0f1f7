"""Prints what TensorBoard reads from a folder of event files, as JSON into a file: read.py FOLDER FILE.

Scalars and pictures by the accumulator of TensorBoard's own tests, and the kinds of tags by the one that its server uses.
"""

import base64
import json
import sys

from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator

folder, file = sys.argv[1:]
plain = event_accumulator.EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0})
plain.Reload()
served = plugin_event_accumulator.EventAccumulator(folder)
served.Reload()
read = {
    "scalars": {t: [[e.step, e.value, e.wall_time] for e in plain.Scalars(t)] for t in plain.Tags()["scalars"]},
    "images": {
        t: [[e.step, e.width, e.height, base64.b64encode(e.encoded_image_string).decode()] for e in plain.Images(t)]
        for t in plain.Tags()["images"]
    },
    "served": {t: served.SummaryMetadata(t).plugin_data.plugin_name for t in served.Tags()["tensors"]},
}
with open(file, "w") as f:
    json.dump(read, f)
