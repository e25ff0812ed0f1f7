"""Writes extras.pt: two tensors among what training programs save beside them, in PyTorch's own pickle. The classes history.HistoryBuffer
and history.Mode are of a module that no reader has.

python make_extras.py, with Python 3.11.7, torch 2.15.0, numpy 2.4.6
"""
import argparse
import collections
import dataclasses
import datetime
import enum
import functools
import pathlib
import random
import sys
import types
import uuid
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")
module = types.ModuleType("history")
sys.modules["history"] = module


class HistoryBuffer:
    def __init__(self):
        self._log_history = np.arange(3.0)
        self._max_length = 1000000
        self._statistics_methods = {"mean": "mean"}


class Mode(enum.Enum):
    TRAIN = "train"


class Config(dict):
    pass


@dataclasses.dataclass
class State:
    step: int
    parts: list


for c in (HistoryBuffer, Mode, Config, State):
    c.__module__ = "history"
    c.__qualname__ = c.__name__
    setattr(module, c.__name__, c)

loop = ([],)  # a tuple that holds itself
loop[0].append(loop)
marked = torch.nn.Parameter(torch.tensor([5.0, 6.0]))
marked.is_bias = True
torch.manual_seed(0)
random.seed(0)
state = {
    "weights": collections.OrderedDict(a=torch.arange(6.0).reshape(2, 3), b=marked),
    "step": np.int64(7), "loss": np.float32(0.25), "array": np.eye(2), "names": np.array(["x", "yy"]), "objects": np.array([None, {"k": 1}], dtype=object),
    "time": datetime.datetime(2026, 1, 2, 3, 4, 5), "took": datetime.timedelta(seconds=3), "path": pathlib.PosixPath("/tmp/x"),
    "options": argparse.Namespace(lr=0.1, betas=(0.9, 0.99), out=pathlib.PosixPath("out")), "hub": {"loss": HistoryBuffer(), "mode": Mode.TRAIN},
    "config": Config(model=Config(kind="x", tensor=torch.ones(2))), "state": State(3, [1, 2]), "counts": collections.Counter("abca"),
    "last": collections.deque([1, 2], maxlen=5), "groups": collections.defaultdict(list, {"x": [1]}), "set": {1, "two"}, "frozen": frozenset([3]),
    "complex": 1 + 2j, "large": 1 << 200, "negative": -(1 << 70), "bytes": b"\x00\xff", "buffer": bytearray(b"ab"), "slice": slice(1, None, 2), "range": range(3),
    "python": random.getstate(), "numpy": np.random.RandomState(0).get_state(), "generator": np.random.default_rng(0), "torch": torch.get_rng_state(),
    "id": uuid.UUID(int=5), "partial": functools.partial(max, 1), "function": np.mean, "type": int, "layer": torch.nn.Linear(1, 1), "loop": loop,
    "quantized": torch.quantize_per_tensor(torch.ones(2), 0.5, 0, torch.qint8), "uint16": torch.ones(2, dtype=torch.uint16), "eighth": torch.ones(2).to(torch.float8_e4m3fn),
    "sparse": torch.eye(2).to_sparse(), "size": torch.Size([1, 2]), "dtype": torch.float16, "device": torch.device("cpu"), "version": torch.torch_version.TorchVersion("2.15"),
    (1, 2): "tuple as a key", None: "none as a key", 0.5: "number as a key", True: "truth as a key", 3: torch.tensor(9.0),
}
torch.save(state, "extras.pt")
