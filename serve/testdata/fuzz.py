"""Fuzzes a server from its OpenAPI document with schemathesis: fuzz.py URL EXAMPLES. Ends with 1 if a check fails."""
import sys

from schemathesis.cli import schemathesis

url, examples = sys.argv[1:]
schemathesis([
    "--no-color", "run", url + "/openapi.json",
    "--max-examples", examples, "--max-time", "240", "--request-timeout", "60",
    "--phases", "examples,coverage,fuzzing", "--generation-deterministic", "--warnings", "off",
    "--exclude-operation-id", "metrics",  # its figures differ from call to call
])
