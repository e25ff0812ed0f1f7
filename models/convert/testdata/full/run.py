"""Runs the whole job on networks of full size with random weights, and writes how much memory each step took.

usage: python models/convert/testdata/full/run.py FOLDER TABLE [SIZE]...      (from the root of the repository; sizes 256 and 1024)

FOLDER is make.py's, whose files are made where they are missing. After an interruption the same call resumes: it skips completed
steps, and the peak of a resumed step is that of its last process. Training has the settings of the official
release but for its length and, at 1024 pixels, its batch: 4. BatchNorm does not train on one row, and on two or three it is
degenerate: the fresh mapper's largest gradient is 1e25 to 1e31 with 2 rows, 1e7 with 3, 50 with 4, 0.04 with 8 (PyTorch 2.15).
"""
import json, os, shlex, subprocess, sys

TEXTS = "an old man with a white beard\na young woman with wavy hair\na cat on a red sofa\n"
DOMAIN = """name: full-{size}
generator: ../network-{size}
clip: ../network-clip
text_prompt: A normal human face.
alpha: 1.75
size: {size}
z_dim: 512
embed_dim: 512
"""


def peak(command):
    """Runs a command and returns the most memory it took, in bytes."""
    print("$", shlex.join(command), flush=True)
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"run.py: {shlex.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_maxrss << 10


def convert(root, case, file, to):
    if not os.path.exists(f"{root}/{case}/expected.safetensors"):
        subprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), "make.py"), root, case], check=True)
    if not os.path.exists(f"{root}/{to}/manifest.json"):
        subprocess.run(["./illustrator", "convert", f"{root}/{case}/{file}", "--out", f"{root}/{to}"], check=True)


def run(root, size):
    convert(root, f"stylegan2-{size}-mmgen", "file.pth", f"network-{size}")
    convert(root, "clip-b32-huggingface", "", "network-clip")
    here = f"{root}/run-{size}"
    os.makedirs(here, exist_ok=True)
    domain, texts = f"{here}/domain.yaml", f"{here}/texts.txt"
    open(domain, "w").write(DOMAIN.format(size=size))
    open(texts, "w").write(TEXTS)
    batch, rows = {256: (8, 64), 1024: (4, 16)}[size]
    sets = [f"train.batch={batch}", "train.stages.0.schedule.steps=20", "train.validation={every: 20, rows: 8}", "train.log_every=1", "train.checkpoint.every=20"]
    program = "./illustrator"
    steps = [
        (f"pairs, {rows} rows", [program, "pairs", "--domain", domain, "--rows", str(rows), "--out", f"{here}/pairs"]),
        (f"train, 20 steps of batch {batch}", [program, "train", "--config", "cats", "--domain", domain, "--pairs", f"{here}/pairs", "--out", f"{here}/run"] + [a for s in sets for a in ("--set", s)]),
        ("generate, 3 texts", [program, "generate", "--texts", texts, "--run", f"{here}/run", "--out", f"{here}/pictures"]),
        ("eval, 3 texts of 2 seeds", [program, "eval", f"{here}/run", "--texts", texts, "--seeds", "0,1", "--reference-samples", "64", "--out", f"{here}/eval"]),
    ]
    done = read_peaks(here)
    for name, command in steps[len(done):]:
        done.append({"step": name, "peak": peak(command)})
        json.dump(done, open(f"{here}/peaks.json", "w"))


def read_peaks(here):
    try:
        return json.load(open(f"{here}/peaks.json"))
    except FileNotFoundError:
        return []


def table(root, path):
    lines = [
        "# The whole job at full size",
        "",
        "`make full-run` writes this table: StyleGAN2 config-f with random weights in MMGeneration's layout, ViT-B/32 with random",
        "weights in Hugging Face's, the paper's mapper of 27 million parameters, all losses, float32, on a CPU. Pictures and figures",
        "mean nothing with such weights; the table shows that the job completes, and its peak memory.",
        "",
        "| pixels | step | peak memory |",
        "|---|---|---|",
    ]
    for size in (256, 1024):
        rows = read_peaks(f"{root}/run-{size}")
        lines += [f"| {size} | {r['step']} | {r['peak'] / 2**30:.1f} GiB |" for r in rows] or [f"| {size} | not run yet | |"]
    open(path, "w").write("\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: run.py FOLDER TABLE [SIZE]...")
    for size in map(int, sys.argv[3:] or (256, 1024)):
        run(sys.argv[1], size)
    table(sys.argv[1], sys.argv[2])
