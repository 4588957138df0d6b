"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CORPUS, MODEL, RUN = "Training pictures", "Model", "Run"

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]

Data = Annotated[
    str,
    typer.Option(
        help="digits, mnist, fashion-mnist, cifar10, hf:NAME, or a folder, .npz, .parquet, IDX "
        "file or picture.",
        rich_help_panel=CORPUS,
    ),
]
Split = Annotated[str, typer.Option(help="train or test.", rich_help_panel=CORPUS)]
Limit = Annotated[
    int | None, typer.Option(help="Use the first N pictures.", rich_help_panel=CORPUS)
]
Classes = Annotated[
    str | None,
    typer.Option(help="Use these classes: names or numbers, a,b.", rich_help_panel=CORPUS),
]
Resize = Annotated[
    int | None, typer.Option(help="Make every picture S x S.", rich_help_panel=CORPUS)
]
Fit = Annotated[
    str,
    typer.Option(help="How --resize treats other shapes: resize, pad, crop.",
                 rich_help_panel=CORPUS),
]  # fmt: skip
Grey = Annotated[bool, typer.Option("--grey", help="One channel.", rich_help_panel=CORPUS)]

Window = Annotated[
    int | None,
    typer.Option(help="Side of the context window, odd.", rich_help_panel=MODEL),
]
Sigma = Annotated[
    float | None,
    typer.Option(help="Width of its Gaussian; side / 6.4 by default.", rich_help_panel=MODEL),
]
Border = Annotated[
    str | None,
    typer.Option(help="Beyond an edge: ignore, zeros or wrap.", rich_help_panel=MODEL),
]
Epsilon = Annotated[
    str | None,
    typer.Option(help="Tolerance over the least distance; 0.1 by default.", rich_help_panel=MODEL),
]
MinPool = Annotated[
    int | None, typer.Option(help="Least candidates in a pool.", rich_help_panel=MODEL)
]
Radius = Annotated[
    int | None,
    typer.Option(help="How far from its place a patch may come, in pixels.", rich_help_panel=MODEL),
]
Encoder = Annotated[
    str | None,
    typer.Option(
        help="Encoder phi: lowres, pca, kmeans, spectral, simclr, timm:NAME, hf:OWNER/NAME, or a "
        "folder, .safetensors or .onnx file; @LAYER stops a network early.",
        rich_help_panel=MODEL,
    ),
]
AllowTorchScript = Annotated[
    bool,
    typer.Option(
        "--allow-torchscript",
        help="Let --encoder be a TorchScript .pt file, which can run code of its own.",
        rich_help_panel=MODEL,
    ),
]

MACHINE = "Score machines (paper C) and the Studio's methods"

Schedule = Annotated[
    str | None, typer.Option(help="Noise: cosine or linear.", rich_help_panel=MACHINE)
]
Steps = Annotated[
    int | None,
    typer.Option(help="Of the reverse process; 20, or 10 (linear).", rich_help_panel=MACHINE),
]
Scales = Annotated[
    str | None,
    typer.Option(
        help="Window side, odd: one, or one a step (entry i for t = i / steps).",
        rich_help_panel=MACHINE,
    ),
]
ScalesFrom = Annotated[
    str | None,
    typer.Option(
        help="Published sides, such as CIFAR10_ResNet_zeros_conditional, or a file of calibrate.",
        rich_help_panel=MACHINE,
    ),
]
Noise = Annotated[
    str | None,
    typer.Option(
        metavar="FILE.npy", help="Starting noise, float32 [n, C, H, W].", rich_help_panel=MACHINE
    ),
]
DictionaryOf = Annotated[
    str | None,
    typer.Option(help="Patches of els: wrapped or interior.", rich_help_panel=MACHINE),
]
GroupOf = Annotated[
    str | None,
    typer.Option(
        help="Orbit of es: translations, flips, turns, joined by +, or a .npy file.",
        rich_help_panel=MACHINE,
    ),
]
MaskThreshold = Annotated[
    float | None,
    typer.Option(help="pca-locality: what a number sees, 0 to 1.", rich_help_panel=MACHINE),
]
Temperature = Annotated[
    float | None, typer.Option(help="pca-locality: of its softmax.", rich_help_panel=MACHINE)
]
Smoothing = Annotated[
    float | None,
    typer.Option(help="scfdm: deviation of the perturbed copies.", rich_help_panel=MACHINE),
]
SmoothingDraws = Annotated[
    int | None, typer.Option(help="scfdm: how many copies.", rich_help_panel=MACHINE)
]
NetworkFolder = Annotated[
    Path | None,
    typer.Option(help="Folder of intarsia train resnet or unet.", rich_help_panel=MACHINE),
]
TOKENS = "Binary tokens (paper B)"
Gamma = Annotated[
    int | None,
    typer.Option(help="arvm: side of the causal window, odd; 3.", rich_help_panel=TOKENS),
]
BlaeFolder = Annotated[
    Path | None,
    typer.Option(help="arvm: folder of intarsia train blae.", rich_help_panel=TOKENS),
]
KeepSteps = Annotated[
    bool,
    typer.Option("--keep-steps", help="Add every step's canvases and beliefs.",
                 rich_help_panel=MACHINE),
]  # fmt: skip

Wandb = Annotated[
    str | None,
    typer.Option(help="Log --keep-steps to this project of Weights & Biases, once drawn.",
                 metavar="PROJECT", rich_help_panel=MACHINE),
]  # fmt: skip

N = Annotated[int, typer.Option("--n", "-n", help="How many to draw.", rich_help_panel=RUN)]
Seed = Annotated[int, typer.Option(help="Decides every draw.", rich_help_panel=RUN)]
Out = Annotated[Path | None, typer.Option(help="Run folder to write.", rich_help_panel=RUN)]
Device = Annotated[str, typer.Option(help="cpu, cuda or mps.", rich_help_panel=RUN)]
Threads = Annotated[
    int | None, typer.Option(help="CPU threads; all by default.", rich_help_panel=RUN)
]
Batch = Annotated[
    int | None,
    typer.Option(help="Canvases side by side. Never changes a result.", rich_help_panel=RUN),
]
Memory = Annotated[
    str | None,
    typer.Option(
        help="nps: what training pictures may take; the rest stays on disk. Score machines: what "
        "canvases may take beside the corpus; 1GB by default. Such as 500MB or 2GB; never changes "
        "a result.",
        metavar="SIZE",
        rich_help_panel=RUN,
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        help="local; ray, for processes on this machine; or ray://HOST:PORT or HOST:PORT of a "
        "running Ray cluster. Never changes a result.",
        rich_help_panel=RUN,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(help="Processes of --engine ray; one for each CPU.", rich_help_panel=RUN),
]
SpreadOver = Annotated[
    str,
    typer.Option(
        "--spread",
        help="What workers share: samples, where each holds the corpus; or shards of the corpus.",
        rich_help_panel=RUN,
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Finish the run in --out.", rich_help_panel=RUN)
]
Movie = Annotated[
    str | None,
    typer.Option(help="Add a movie of the growth: gif (if bare) or mp4.", rich_help_panel=RUN),
]
KeepPools = Annotated[
    bool,
    typer.Option("--keep-pools", help="Add every pixel's candidates.", rich_help_panel=RUN),
]
