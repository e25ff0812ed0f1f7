"""Opens a set of pairs, and its Parquet and NumPy exports, with pyarrow, pandas, DuckDB and NumPy.

    read_pairs.py SET PARQUET NPY_FOLDER FIRST_SEED ROWS SUM_OF_Z SUM_OF_IMAGE_EMBEDS

The two sums are float64 sums of the float32 values.
"""

import hashlib
import json
import sys
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

folder, parquet, npy = (Path(p) for p in sys.argv[1:4])
first, rows = int(sys.argv[4]), int(sys.argv[5])
sums = {"z": float(sys.argv[6]), "image_embeds": float(sys.argv[7])}
manifest = json.loads((folder / "manifest.json").read_text())
meta = manifest["meta"]
widths = {"z": meta["z_dim"], "image_embeds": meta["embed_dim"]}
types = [pa.list_(pa.field("item", pa.float32()), width) for width in widths.values()] + [pa.uint64()]


def close(got, want):
    assert abs(got - want) <= 1e-9 * max(1, abs(want)), (got, want)  # float64 sums in another order


def check_table(table):
    table.validate(full=True)
    assert table.schema.names == ["z", "image_embeds", "seed"], table.schema
    assert table.schema.types == types, table.schema
    assert table.num_rows == rows
    assert table["seed"].to_pylist() == list(range(first, first + rows))
    for name, width in widths.items():
        values = table[name].combine_chunks().flatten().to_numpy()
        assert len(values) == rows * width
        close(values.sum(dtype=np.float64), sums[name])


def check_duckdb(relation):
    count, low, high = duckdb.sql(f"select count(*), min(seed), max(seed) from {relation}").fetchall()[0]
    assert (count, low, high) == (rows, first, first + rows - 1), (count, low, high)
    for name, width in widths.items():
        got, length = duckdb.sql(f"select sum(v), count(v) from (select unnest({name})::double v from {relation})").fetchall()[0]
        assert length == rows * width
        close(got, sums[name])


# The shards, one by one, as the manifest lists them.
listed = [shard["file"] for shard in manifest["shards"]]
assert sorted(p.name for p in folder.iterdir()) == sorted(listed + ["manifest.json"])
assert len(listed) > 1 and sum(shard["rows"] for shard in manifest["shards"]) == manifest["rows"] == rows
for shard in manifest["shards"]:
    raw = (folder / shard["file"]).read_bytes()
    assert len(raw) == shard["bytes"] and hashlib.sha256(raw).hexdigest() == shard["sha256"]
    with pa.ipc.open_file(folder / shard["file"]) as f:
        table = f.read_all()
    assert table.num_rows == shard["rows"] and table["seed"][0].as_py() == shard["first_seed"]
    stored = {k.decode(): v.decode() for k, v in table.schema.metadata.items()}
    assert stored == {k: str(v) for k, v in meta.items()} | {"seed": str(shard["first_seed"]), "format_version": manifest["format_version"]}, stored

# All of them as one dataset, in pandas and in DuckDB.
dataset = ds.dataset([folder / name for name in listed], format="ipc")
check_table(dataset.to_table())
frame = dataset.to_table().to_pandas()
assert list(frame.columns) == ["z", "image_embeds", "seed"] and frame["seed"].dtype == np.uint64
for name, width in widths.items():
    stacked = np.stack(frame[name])
    assert stacked.shape == (rows, width) and stacked.dtype == np.float32
    close(stacked.sum(dtype=np.float64), sums[name])
check_duckdb("dataset")

# The exports.
check_table(pq.read_table(parquet))
check_duckdb(f"'{parquet}'")
for name, shape, dtype in [("z", (rows, widths["z"]), np.float32), ("image_embeds", (rows, widths["image_embeds"]), np.float32), ("seed", (rows,), np.uint64)]:
    array = np.load(npy / f"{name}.npy", mmap_mode="r")
    assert array.shape == shape and array.dtype == dtype and array.flags.c_contiguous, (name, array.shape, array.dtype)
    if name in sums:
        close(array.sum(dtype=np.float64), sums[name])
    else:
        assert (array == np.arange(first, first + rows, dtype=np.uint64)).all()
