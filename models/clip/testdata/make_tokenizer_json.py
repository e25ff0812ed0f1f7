"""Writes tokenizer.json: the embedded CLIP's tokenizer as transformers saves it, which has its vocabulary and merges inside.

usage: python models/clip/testdata/make_tokenizer_json.py      (from the root of the repository)

Made with transformers 5.24.0, tokenizers 0.23.3.
"""
import os, shutil, tempfile

from transformers import CLIPTokenizer

CLIP = "checkpoints/lorelei/clip"
with tempfile.TemporaryDirectory() as folder:
    CLIPTokenizer(f"{CLIP}/vocab.json", f"{CLIP}/merges.txt").save_pretrained(folder)
    shutil.copy(os.path.join(folder, "tokenizer.json"), "models/clip/testdata/tokenizer.json")
