"""Writes the .npy files that arrays_test.go reads: python arrays.py, here. Made with NumPy 2; every version writes the same."""

import numpy as np

values = np.arange(12, dtype="float32") / 2
np.save("float32.npy", values.reshape(3, 4))
np.save("float64_fortran.npy", np.asfortranarray(values.astype("float64").reshape(3, 4)))
np.save("float16.npy", values.astype("float16").reshape(2, 3, 2))
np.save("vector.npy", values)
np.save("scalar.npy", np.float32(2.5))
np.save("int64.npy", np.arange(3))
np.save("struct.npy", np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))
np.save("object.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
np.savez("two.npz", w=values.reshape(1, 3, 4), other=values.astype("float64"))
np.savez_compressed("compressed.npz", values.reshape(3, 4), w=-values)
nan = values.reshape(3, 4).copy()
nan[1, 2] = np.nan
np.save("nan.npy", nan)
np.savez("infinity.npz", z=np.where(nan == nan, nan, -np.inf))
np.save("overflow.npy", np.array([[1.0, 1e300]]))  # finite in float64, not in float32
