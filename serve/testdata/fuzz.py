"""Fuzzes a server from its OpenAPI document with schemathesis: fuzz.py URL EXAMPLES SECONDS. Ends with 1 if a check fails."""
import os
import pathlib
import sys
import tempfile

from schemathesis.cli import schemathesis

url, examples, seconds = sys.argv[1:]
config = str(pathlib.Path(__file__).with_name("schemathesis.toml").resolve())
with tempfile.TemporaryDirectory() as folder:  # it keeps what it found where it runs
    os.chdir(folder)
    schemathesis([
        "--config-file", config, "--no-color", "run", url + "/openapi.json",
        "--max-examples", examples, "--max-time", seconds, "--request-timeout", "60",
        "--phases", "examples,coverage,fuzzing", "--generation-deterministic", "--warnings", "off",
    ])
