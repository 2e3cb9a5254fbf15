"""How fast translating is, as one table: the networks alone, then the command on a whole photo.

    python benchmarks/translate.py                         the shipped horse2zebra beside the paper's ResNet-9
    python benchmarks/translate.py --model mine.onnx --runs 9

The networks run in turn in one process, 2 threads of ONNX Runtime, one picture of 256 x 256 at a time; the ResNets have
weights as drawn, which cost what trained ones do. The command runs as a process of its own, interpreter start included.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import median

from whole_process import MAIN, run

SIDE, THREADS = 256, 2
TITLE = ("what", "must reach", "measured")
RESNETS = {
    "the paper's ResNet-9 (11.4 M parameters)": ("generator=resnet", "discriminator=patch"),
    "the same of separable convolutions, 32 channels": (
        "generator=separable",
        "generator_channels=32",
        "discriminator=patch",
    ),
}


def milliseconds(graphs: dict[str, bytes], runs: int) -> dict[str, float]:
    """The median of each network, all run in turn."""
    import numpy as np

    from img2img.inference.runtimes.onnx_runtime import OnnxRuntime

    runtimes = {name: OnnxRuntime(graph, device="cpu", threads=THREADS) for name, graph in graphs.items()}
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 3, SIDE, SIDE)).astype(np.float32)
    taken: dict[str, list[float]] = {name: [] for name in graphs}
    for _ in range(runs + 1):
        for name, runtime in runtimes.items():
            started = time.perf_counter()
            runtime.run(picture)
            taken[name].append(1000 * (time.perf_counter() - started))
    return {name: median(times[1:]) for name, times in taken.items()}


def resnet(settings: tuple[str, ...]) -> bytes:
    """A generator of the recipe with weights as drawn, as a graph."""
    from img2img.export.onnx_graph import to_onnx
    from img2img.recipes import recipe_class
    from img2img.recipes.settings import make_config

    recipe = recipe_class("cyclegan")
    config = make_config(recipe, settings)
    return to_onnx(recipe.exported_network(config).eval(), recipe, config)


def child(options: argparse.Namespace) -> None:
    from img2img.model_file import find_model

    graphs = {options.model: find_model(options.model).read_bytes()}
    graphs |= {name: resnet(settings) for name, settings in RESNETS.items()}
    print(json.dumps(milliseconds(graphs, options.runs)))


def measure(options: argparse.Namespace) -> None:
    told = run(Path(__file__), "--child", "--model", options.model, "--runs", options.runs).printed
    for cells in (TITLE, ("---",) * len(TITLE)):
        print(f"| {' | '.join(cells)} |")
    for name, taken in json.loads(told.splitlines()[-1]).items():
        wanted = "30 ms" if name == options.model else ""
        print(f"| {name} at {SIDE} px, {THREADS} threads | {wanted} | {taken:.0f} ms |")
    with tempfile.TemporaryDirectory() as name:
        photo = Path(name) / "large.jpg"
        run(Path(__file__).parent / "sides" / "drawn_photos.py", "large", photo)
        words = ("translate", photo, "-o", Path(name) / "out.jpg", "--model", options.model, "--overwrite")
        whole = [run(MAIN, *words) for _ in range(options.runs)]
    print(f"| `img2img translate`, one 12 MP JPEG, wall | | {median(each.seconds for each in whole):.2f} s |")
    print(f"| its peak memory | | {median(each.memory for each in whole):.0f} MiB |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="horse2zebra", help="a translator by name or file")
    parser.add_argument("--runs", type=int, default=5, help="of each; the median counts")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    child(options) if options.child else measure(options)


if __name__ == "__main__":
    main()
