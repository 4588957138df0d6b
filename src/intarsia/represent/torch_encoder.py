"""Any network of torch as an encoder phi."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int8, UInt8
from torch import Tensor, nn

from intarsia.errors import DataError, UsageError
from intarsia.files import make_folder, write_bytes, write_text
from intarsia.represent.blocks import in_blocks
from intarsia.represent.encoder import Codes, Encoder
from intarsia.represent.fitting import state_fingerprint
from intarsia.represent.network_input import Input
from intarsia.represent.pretrained_files import halved, load_weights, read_config

FORMAT = 1
"""Version of config.json."""


def _patch_net(settings: Mapping[str, Any]) -> nn.Module:
    from intarsia.networks.patch_net import build

    return build(settings)


ARCHITECTURES: dict[str, Callable[[Mapping[str, Any]], nn.Module]] = {"patch-net": _patch_net}
"""Networks that `TorchEncoder.save_pretrained` can name: from ``network`` of config.json to an
untrained network that takes float32 [B, C, H, W]. Each imports what it needs when called."""

E = TypeVar("E", bound="TorchEncoder")


class TorchEncoder(Encoder):
    """A network that codes canvases by the direction of its features.

    Features are those of ``layer``, where the network stops, or its output; maps are averaged over
    places. A code is the features at length 127, rounded half to even. Everything runs in float32,
    in blocks of one fixed shape, so a code does not depend on what else is encoded (law 3).

    Parameters
    ----------
    network : takes float32 [B, C, H, W]. It becomes this encoder's own: it is put in evaluation
        mode, and stops at ``layer`` from now on.
    takes : what it takes.
    layer : name of a sub-module to stop at, as `torch.nn.Module.named_modules` names it; of one
        that is used several times, at its first use.
    device : where it runs.
    architecture : key of `ARCHITECTURES`, for `save_pretrained`.
    settings : ``network`` of config.json, what the architecture's builder is handed.
    about : ``training`` of config.json: data, recipe, accuracy.

    Raises
    ------
    UsageError
        If there is no such layer.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
    >>> phi = TorchEncoder(network, Input(1, mean=(0.5,), std=(0.5,)))
    >>> phi.codes(np.zeros((2, 8, 8, 1), np.uint8), np.ones((8, 8), bool)).values.shape
    (2, 4)
    """

    name: ClassVar[str] = "torch"

    def __init__(
        self,
        network: nn.Module,
        takes: Input,
        *,
        layer: str | None = None,
        device: str | torch.device = "cpu",
        architecture: str | None = None,
        settings: Mapping[str, Any] | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.network = network.to(device, torch.float32).eval()
        for parameter in network.parameters():  # ScriptModules have no requires_grad_
            parameter.requires_grad_(False)
        self.takes = takes
        self.layer = layer
        self.device = torch.device(device)
        self.architecture = architecture
        self.settings = dict(settings or {})
        self.about = dict(about or {})
        if layer is not None:
            _stop_at(network, layer)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the weights, of what the network takes, and of the layer."""
        state = {name: value.cpu().numpy() for name, value in self.network.state_dict().items()}
        what = {
            "kind": type(self.network).__name__,
            "architecture": self.architecture,
            "network": self.settings,
            "input": asdict(self.takes),
            "layer": self.layer,
        }
        return state_fingerprint(json.dumps(what, sort_keys=True), state)

    def codes(self, images: UInt8[np.ndarray, "b h w c"], known: Bool[np.ndarray, "h w"]) -> Codes:
        """Encode canvases: int8 [B, D], features at length 127.

        Raises
        ------
        UsageError
            If the pictures do not fit the network.
        DataError
            If its features are not finite.
        """
        mask = torch.from_numpy(np.array(known)).to(self.device)

        def work(some: UInt8[np.ndarray, "b h w c"]) -> Int8[np.ndarray, "b d"]:
            shown = self.takes.tensor(torch.from_numpy(some).to(self.device), mask)
            return quantised(self.features(shown))

        values = in_blocks(work, images)
        return Codes(values, np.ones(values.shape[1], bool))

    def features(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d"]:
        """Return what the network makes of its input at its layer, averaged over places."""
        try:
            found = self.network(x)
        except _Reached as reached:
            found = reached.output
        except (RuntimeError, ValueError, AssertionError) as error:  # in each network's own words
            shape = "x".join(map(str, x.shape[1:]))
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
            raise UsageError(
                f"The encoder cannot take pictures of {shape} (channels x height x width): "
                f"{reason}. Use --resize S with a size it takes, --grey if it takes one channel, "
                "or another encoder."
            ) from error
        return averaged(self.chosen(found), getattr(self.network, "output_fmt", "NCHW"))

    def chosen(self, found: Any) -> Tensor:
        """Return the tensor to use of what the network or its layer returned: the first one."""
        while not isinstance(found, Tensor):
            try:
                found = next(iter(found.values() if isinstance(found, Mapping) else found))
            except (TypeError, StopIteration):
                raise UsageError(
                    f"The layer returns {type(found).__name__}, not a tensor. Name another @LAYER."
                ) from None
        return found

    def save_pretrained(self, folder: str | Path, card: str | None = None) -> None:
        """Write config.json, model.safetensors (half precision) and README.md.

        What is read back computes with the halved weights, so its codes and `fingerprint` may
        differ from those of the network that was trained.

        Parameters
        ----------
        folder : made if it is not there.
        card : text of README.md; by default a short one made of ``about``.

        Raises
        ------
        UsageError
            If the network is of no known architecture.
        """
        if self.architecture not in ARCHITECTURES:
            raise UsageError(
                f"An encoder of architecture {self.architecture!r} cannot be saved: it must be one "
                f"of {', '.join(ARCHITECTURES) or 'none'}."
            )
        from safetensors.torch import save

        folder = make_folder(folder)
        config = {
            "intarsia_encoder": FORMAT,
            "architecture": self.architecture,
            "network": self.settings,
            "input": asdict(self.takes),
            "layer": self.layer,
            "training": self.about,
        }
        tensors = {n: halved(v.cpu().contiguous()) for n, v in self.network.state_dict().items()}
        write_bytes(folder / "model.safetensors", save(tensors, {"format": "pt"}))
        write_text(folder / "README.md", card or self._card())
        write_text(folder / "config.json", json.dumps(config, indent=2) + "\n")

    @classmethod
    def from_pretrained(
        cls: type[E],
        where: str | Path,
        *,
        layer: str | None = None,
        device: str | torch.device = "cpu",
    ) -> E:
        """Read what `save_pretrained` wrote.

        Parameters
        ----------
        where : a folder, or OWNER/NAME of a repository on the Hugging Face hub.
        layer : where to stop, instead of where config.json says.
        device : where it runs.

        Raises
        ------
        DataError
            If files are missing, damaged or not such an encoder, or the hub cannot be reached.
        """
        folder = Path(where)
        if not folder.is_dir():
            from intarsia.represent.hub import snapshot

            folder = snapshot(str(where))
        config = read_config(folder)
        if config.get("intarsia_encoder") != FORMAT:
            raise DataError(
                f"{folder / 'config.json'} describes no encoder of this version of intarsia. Name "
                "a folder that save_pretrained wrote."
            )
        architecture = config.get("architecture")
        if architecture not in ARCHITECTURES:
            raise DataError(
                f"{folder / 'config.json'} names the architecture {architecture!r}; known are "
                f"{', '.join(ARCHITECTURES) or 'none'}. A newer version of intarsia may know it."
            )
        try:
            settings, takes = dict(config["network"]), Input.of(config["input"])
            network = ARCHITECTURES[architecture](settings)
            about, kept = dict(config.get("training") or {}), config.get("layer")
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise DataError(
                f"{folder / 'config.json'} does not describe a network ({error!r}). Fetch it again."
            ) from error
        load_weights(network, folder / "model.safetensors")
        return cls(
            network,
            takes,
            layer=layer or kept,
            device=device,
            architecture=architecture,
            settings=settings,
            about=about,
        )

    def push_to_hub(
        self,
        repository: str,
        *,
        private: bool = False,
        token: str | None = None,
        card: str | None = None,
    ) -> str:
        """Put what `save_pretrained` writes on the Hugging Face hub, and return its address.

        Raises
        ------
        UsageError
            If the network is of no known architecture.
        IntarsiaError
            If the hub refuses, or cannot be reached.
        """
        from intarsia.represent.hub import upload

        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder, card)
            return upload(Path(folder), repository, private, token)

    def _card(self) -> str:
        rows = [f"- {name}: {value}" for name, value in self.about.items()]
        head = ["---", "library_name: intarsia", "tags: [image-feature-extraction]", "---", ""]
        body = [
            f"# Encoder ({self.architecture})",
            "",
            "Made by intarsia; `TorchEncoder.from_pretrained` reads it.",
            "",
        ]
        return "\n".join([*head, *body, *rows]) + "\n"


class _Reached(Exception):
    """Carries a layer's output out of a network that need go no further."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output


def _stop_at(network: nn.Module, layer: str) -> None:
    modules = {name: module for name, module in network.named_modules() if name}
    if layer not in modules:
        top = [name for name, _ in network.named_children()]
        near = get_close_matches(layer, modules, n=3)
        shown = list(dict.fromkeys([*near, *top]))[:10]
        raise UsageError(
            f"The encoder has no layer {layer!r}. Layers are {', '.join(shown) or 'none'}"
            f"{' and others' if len(modules) > len(shown) else ''}."
        )

    def stop(module: nn.Module, arguments: Any, output: Any) -> None:
        raise _Reached(output)

    modules[layer].register_forward_hook(stop)


def averaged(found: Tensor, layout: str = "NCHW") -> Float[Tensor, "b d"]:
    """Average maps over places, and tokens over their number."""
    if found.ndim == 4:
        return found.float().mean(dim=(1, 2) if layout == "NHWC" else (2, 3))
    if found.ndim == 3:
        return found.float().mean(dim=2 if layout == "NCL" else 1)
    if found.ndim == 2:
        return found.float()
    raise UsageError(
        f"The layer returns {found.ndim} axes; features have 2, tokens 3, maps 4. Name another "
        "@LAYER."
    )


def quantised(features: Float[Tensor, "b d"]) -> Int8[np.ndarray, "b d"]:
    """Return features at length 127, rounded half to even."""
    if not bool(torch.isfinite(features).all()):
        raise DataError(
            "The encoder's features are not finite numbers: its weights are damaged, or too "
            "large for float32. Fetch them again, or name an earlier @LAYER."
        )
    length = features.norm(dim=1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)
    scaled = (features / length * 127).round().clamp(-127, 127)
    return scaled.to(torch.int8).cpu().numpy()
