"""Fuzzes a server from its OpenAPI document with schemathesis: fuzz.py URL EXAMPLES SECONDS. Ends with 1 if a check fails."""
import pathlib
import sys

from schemathesis.cli import schemathesis

url, examples, seconds = sys.argv[1:]
schemathesis([
    "--config-file", str(pathlib.Path(__file__).with_name("schemathesis.toml")), "--no-color", "run", url + "/openapi.json",
    "--max-examples", examples, "--max-time", seconds, "--request-timeout", "60",
    "--phases", "examples,coverage,fuzzing", "--generation-deterministic", "--warnings", "off",
])
