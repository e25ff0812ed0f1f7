"""Writes protocols/{zip,legacy}{3,4,5}.pt: a state dict as torch.save writes it with pickle_protocol, and harmless objects beside it.

usage: python checkpoints/testdata/protocols.py      (Python 3.11.7, without PyTorch)

torch.save is Python's own pickler with a persistent_id for storages (torch/serialization.py, _save and _legacy_save); classes of
PyTorch's names stand in for PyTorch's here. A legacy file is five pickles, then each storage's count and elements.
"""
import array, collections, datetime, enum, io, os, pathlib, pickle, struct, sys, types, zipfile


def module(name):
    return sys.modules.setdefault(name, types.ModuleType(name))


def place(thing, where, name):
    thing.__module__, thing.__qualname__ = where, name
    setattr(module(where), name, thing)
    return thing


for name in ("torch", "torch._utils", "some", "some.lib"):
    module(name)
STORAGES = {code: place(type(name, (), {}), "torch", name) for code, name in {"f": "FloatStorage", "d": "DoubleStorage"}.items()}
rebuild = place(lambda *a: None, "torch._utils", "_rebuild_tensor_v2")


class Storage:
    def __init__(self, code, values):
        self.values = array.array(code, values)


class Tensor:
    def __init__(self, storage, offset, size, stride):
        self.parts = storage, offset, size, stride

    def __reduce__(self):
        return rebuild, (*self.parts, False, collections.OrderedDict())


class Pickler(pickle._Pickler):
    def __init__(self, file, protocol, legacy):
        super().__init__(file, protocol)
        self.legacy, self.storages = legacy, {}

    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            key = str(len(self.storages)) if id(obj) not in self.storages else self.storages[id(obj)][0]
            self.storages[id(obj)] = key, obj
            view = (None,) if self.legacy else ()
            return ("storage", STORAGES[obj.values.typecode], key, "cpu", len(obj.values), *view)


class Named:  # NEWOBJ_EX
    def __new__(cls, *, x=1):
        return object.__new__(cls)

    def __getnewargs_ex__(self):
        return (), {"x": 2}


class Slots:
    __slots__ = ("a",)


class Mode(enum.Enum):
    TRAIN = 1


for c in (Named, Slots, Mode):
    place(c, "some.lib", c.__name__)
slots = Slots()
slots.a = [1]
base = Storage("f", [1, 2, 3, 4, 5, 6])
OBJECT = {
    "state_dict": collections.OrderedDict([("a.weight", Tensor(base, 0, (2, 3), (3, 1))), ("view", Tensor(base, 2, (2,), (2,))),
                                           ("double", Tensor(Storage("d", [0.1]), 0, (1,), (1,)))]),
    "extras": [Named(), slots, Mode.TRAIN, pathlib.PurePosixPath("/a/b"), datetime.datetime(2024, 1, 2), {1, 2}, frozenset([1]),
               b"x" * 300, bytearray(b"abc"), 2**100, 1 + 2j, range(3), "é" * 300, collections.Counter("aab")],
}


def write_zip(path, protocol):
    data = io.BytesIO()
    p = Pickler(data, protocol, False)
    p.dump(OBJECT)
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("archive/data.pkl", data.getvalue())
        for key, storage in p.storages.values():
            z.writestr(f"archive/data/{key}", storage.values.tobytes())
        z.writestr("archive/version", "3\n")


def write_legacy(path, protocol):
    with open(path, "wb") as f:
        for head in (0x1950A86A20F9469CFC6C, 1001,
                     dict(protocol_version=1001, little_endian=True, type_sizes=dict(short=2, int=4, long=4))):
            pickle.dump(head, f, protocol)
        p = Pickler(f, protocol, True)
        p.dump(OBJECT)
        pickle.dump(sorted(key for key, _ in p.storages.values()), f, protocol)
        for _, storage in sorted(p.storages.values(), key=lambda s: s[0]):
            f.write(struct.pack("<q", len(storage.values)) + storage.values.tobytes())


folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "protocols")
for protocol in (3, 4, 5):
    write_zip(f"{folder}/zip{protocol}.pt", protocol)
    write_legacy(f"{folder}/legacy{protocol}.pt", protocol)
