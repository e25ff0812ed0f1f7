"""Executes a notebook in its folder, as Jupyter does: with nbclient where it is installed, else in this process."""

import json
import os
import sys

folder, path = os.path.split(os.path.abspath(sys.argv[1]))
os.chdir(folder)
try:
    import ipykernel  # noqa: F401
    import nbclient
    import nbformat
except ImportError:
    nbclient = None

if nbclient is not None:
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}}).execute()
    print("executed by nbclient")
else:
    with open(path, encoding="utf-8") as f:
        notebook = json.load(f)
    names = {"__name__": "__main__"}
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
    print("executed without nbclient")
