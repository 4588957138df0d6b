"""Trained BL-AEs in folders, and the training that makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Bool, Float, UInt8

from intarsia.errors import UsageError
from intarsia.networks import binarising, weights
from intarsia.networks.blae import BinaryAutoencoder, BlaeSettings
from intarsia.networks.curves import draw_curves
from intarsia.networks.training import CHECKPOINT, History, Recipe, TrainingProgress, train
from intarsia.represent.fitting import state_fingerprint

if TYPE_CHECKING:
    from intarsia.corpus import Corpus

RECIPE = Recipe(epochs=200, batch=50, rate=2e-3, decay=0.0, warm_up=0.01)
"""Adam, as in paper B; the rest is this project's."""

SETTLE = 0.6
"""Share of the epochs in which encoder and decoder learn; by then latents are binary."""

WARM_UP = 0.2
"""Share of the first stage in which the learning rate rises."""

BINARY_ENOUGH = 0.95
"""Least binary rate of latents that tokens are made of."""

_FILES = {CHECKPOINT, weights.FIRST, "curves.png", "latents.png", "reconstructions.png"} | {
    weights.WEIGHTS,
    weights.CONFIG,
}


@dataclass(frozen=True, eq=False)
class SavedBlae:
    """A trained BL-AE and where it comes from.

    Attributes
    ----------
    network : in evaluation mode.
    corpus : how its training pictures are opened: keywords of `Corpus.open`, and ``data``.
    fingerprint : of the corpus.
    pictures : how many there were.
    about : recipe, seconds, command, and ``binary_rate``, ``psnr``, ``psnr_p10`` at the end.
    """

    network: BinaryAutoencoder
    corpus: dict[str, Any]
    fingerprint: str
    pictures: int
    about: dict[str, Any]

    @property
    def settings(self) -> BlaeSettings:
        """The network's shape."""
        return self.network.settings

    @property
    def grid(self) -> tuple[int, int]:
        """(rows, columns) of tokens."""
        return self.settings.grid

    @property
    def weights_fingerprint(self) -> str:
        """SHA-256 of the weights, in hex."""
        state = {name: value.cpu().numpy() for name, value in self.network.state_dict().items()}
        return state_fingerprint("blae", state)

    @property
    def device(self) -> str:
        """Where the network is."""
        return str(next(self.network.parameters()).device)

    def latents(self, images: UInt8[torch.Tensor, "n h w c"]) -> Float[torch.Tensor, "n k gh gw"]:
        """Return the latents of pictures, values from -1 to 1.

        Raises
        ------
        UsageError
            If the pictures are of another size.
        """
        self.check(tuple(images.shape[1:]))
        return binarising.latents_of(self.network, images, self.device)

    def decode(self, bits: Bool[torch.Tensor, "n gh gw k"]) -> UInt8[torch.Tensor, "n h w c"]:
        """Return the pictures of binary latents."""
        signs = bits.permute(0, 3, 1, 2).float() * 2 - 1
        return binarising.decoded(self.network, signs, self.device)

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise UsageError unless pictures (H, W, C) are of the size the network takes."""
        wanted = (*self.settings.size, self.settings.channels)
        if shape != wanted:
            ours, theirs = ("x".join(map(str, s)) for s in (shape, wanted))
            raise UsageError(
                f"The pictures are {ours}, but the BL-AE was trained on {theirs}, and its token "
                f"grid is {self.grid[0]}x{self.grid[1]}. Use --resize {wanted[0]}"
                f"{' --grey' if wanted[2] == 1 else ''}, or train one: intarsia train blae."
            )

    def save(self, folder: Path) -> None:
        """Write weights, then the configuration that makes them readable."""
        config = {
            "kind": "blae",
            "network": asdict(self.settings),
            "corpus": self.corpus,
            "fingerprint": self.fingerprint,
            "pictures": self.pictures,
            "about": self.about,
        }
        weights.save(self.network, folder, config)


def train_blae(
    corpus: Corpus,
    out: str | Path,
    *,
    opened: Mapping[str, Any],
    settings: BlaeSettings,
    recipe: Recipe = RECIPE,
    settle: float = SETTLE,
    encoder_of: SavedBlae | None = None,
    resume: bool = False,
    device: str = "cpu",
    command: str = "",
    on_step: Callable[[TrainingProgress], None] | None = None,
) -> tuple[SavedBlae, History]:
    """Train a BL-AE; write model.safetensors, config.json and three pictures.

    Parameters
    ----------
    corpus : training pictures of one size.
    out : folder to write; a checkpoint in it is gone on from with ``resume``.
    opened : how the corpus was opened: keywords of `Corpus.open`, and ``data``.
    settings : shape and noise.
    recipe : how it is trained.
    settle : share of the epochs after which encoder and decoder are left as they are and the
        memory learns from rounded latents; 1 leaves it out, as the paper does.
    encoder_of : take this one's encoder, leave it as it is, and train the decoder anew, as paper B
        does to show that noise costs reconstruction (section 5.1.2).
    command : the command line, for config.json.
    on_step : called after every step.

    Raises
    ------
    UsageError
        If pictures and network do not fit, there are too few, or the folder holds something else.
    """
    from intarsia.networks.blae_drawing import draw_latents, draw_reconstructions

    folder = Path(out)
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if strange := sorted(found - _FILES):
        raise UsageError(f"{folder} holds something else, {strange[0]}. Name another --out.")
    if len(corpus) < recipe.batch:
        raise UsageError(
            f"There are {len(corpus)} pictures, fewer than a batch of {recipe.batch}. Use a larger "
            "--limit, or a smaller --batch."
        )
    torch.manual_seed(recipe.seed)
    network = BinaryAutoencoder(settings)
    how: dict[str, Any] = {"resume": resume, "device": device, "progress": on_step}
    if encoder_of is not None:
        _take_encoder(network, encoder_of)
        task = binarising.Binarising(network, corpus, device, part="decoder")
        history = train(task, recipe, folder, **how)
    else:
        history = _in_two_stages(network, corpus, recipe, settle, folder, how)
    last = {name: history.rows[-1][name] for name in ("binary_rate", "psnr", "psnr_p10")}
    about = {
        "recipe": asdict(recipe), "seconds": round(history.seconds), "command": command, **last,
    }  # fmt: skip
    saved = SavedBlae(network.eval(), dict(opened), corpus.fingerprint, len(corpus), about)
    draw_latents(history.rows, folder / "latents.png")
    draw_reconstructions(saved, corpus, folder / "reconstructions.png")
    saved.save(folder)
    return saved, history


def _in_two_stages(
    network: BinaryAutoencoder,
    corpus: Corpus,
    recipe: Recipe,
    settle: float,
    folder: Path,
    how: dict[str, Any],
) -> History:
    """Train encoder and decoder with noise, then the memory on rounded latents."""
    if not 0 < settle <= 1:
        raise UsageError(f"--settle is {settle}; it is a share of the epochs, above 0, at most 1.")
    first = max(1, round(settle * recipe.epochs))
    device = how["device"]
    if first == recipe.epochs or network.memory is None:
        return train(binarising.Binarising(network, corpus, device), recipe, folder, **how)
    task = binarising.Binarising(network, corpus, device)
    # A rate that falls to 0 would leave latents on their way to the ends where they are; one that
    # is high from the start drives them there before they say anything.
    steady = replace(
        recipe, epochs=first, schedule="halving", halve_every=float(first), warm_up=WARM_UP
    )
    one = train(task, steady, folder / weights.FIRST, **how)
    task = binarising.Binarising(network, corpus, device, part="memory")
    rest = replace(recipe, epochs=recipe.epochs - first)
    two = train(task, rest, folder, **how)
    later = tuple(row | {"epoch": row["epoch"] + first} for row in two.rows)
    rows = (*one.rows, *later)
    draw_curves(rows, folder / "curves.png")
    return History(rows)


def open_blae(folder: str | Path, device: str = "cpu") -> SavedBlae:
    """Read what `train_blae` wrote.

    Raises
    ------
    UsageError
        If there is no such folder, or its training has not ended.
    DataError
        If it holds something else, or weights of another shape.
    """
    folder = Path(folder)
    config = weights.read_config(folder, ["blae"], "--blae", "intarsia train blae")
    shape = dict(config["network"])
    for name in ("size", "widths"):
        shape[name] = tuple(shape[name])
    network = BinaryAutoencoder(BlaeSettings(**shape))
    weights.fill(network, folder, device)
    network.to(memory_format=torch.channels_last)
    return SavedBlae(
        network,
        dict(config["corpus"]),
        str(config["fingerprint"]),
        int(config["pictures"]),
        dict(config["about"]),
    )


def _take_encoder(network: BinaryAutoencoder, other: SavedBlae) -> None:
    ours, theirs = network.settings, other.settings
    if replace(ours, noise=theirs.noise, sigma=theirs.sigma) != theirs:
        raise UsageError(
            "--encoder-of has another shape than was asked for. Leave --bits, --grid, --widths "
            "and --hidden out: they are taken from it."
        )
    network.encoder.load_state_dict(other.network.encoder.state_dict())
