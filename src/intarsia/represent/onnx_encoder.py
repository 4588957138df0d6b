"""ONNX networks as encoders phi."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Int8, UInt8

from intarsia.errors import DataError, UsageError
from intarsia.represent.blocks import BLOCK, in_blocks
from intarsia.represent.encoder import Codes, Encoder
from intarsia.represent.hub import reason
from intarsia.represent.network_input import Input
from intarsia.represent.torch_encoder import averaged, quantised


class OnnxEncoder(Encoder):
    """A network in an ONNX file, run by onnxruntime on the CPU, one thread a block.

    The file's one input is float32 [B, C, H, W]. Sizes that it fixes are kept to: pictures are
    resized, and batches are of its B. Of 2 or 4 channels the last is the mask of known pixels.
    Pixels are normalised by ``mean`` and ``std``, JSON lists in the file's metadata (in units where
    white is 1); by 0.5 and 0.5 if there are none.

    Parameters
    ----------
    session : an ``onnxruntime.InferenceSession``.
    takes : what it takes.
    output : name of the output that is the code.
    digest : SHA-256 of the file.
    """

    name: ClassVar[str] = "onnx"

    def __init__(self, session: Any, takes: Input, output: str, digest: str) -> None:
        self.session = session
        self.takes = takes
        self.output = output
        self._input = session.get_inputs()[0]
        batch = self._input.shape[0]
        self.block = batch if isinstance(batch, int) else BLOCK
        about = f"{digest} {output} {json.dumps(asdict(takes))}"
        self._fingerprint = hashlib.sha256(about.encode()).hexdigest()

    @classmethod
    def read(cls, path: Path, output: str | None = None) -> OnnxEncoder:
        """Read a file.

        Raises
        ------
        UsageError
            If onnxruntime is missing, the network takes no pictures, or has no such output.
        DataError
            If the file is damaged.
        """
        from intarsia.represent.pretrained import package

        runtime = package("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        content = path.read_bytes()
        try:
            session = runtime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
            metadata = session.get_modelmeta().custom_metadata_map
            given = {
                name: json.loads(metadata[name]) for name in ("mean", "std") if name in metadata
            }
        # Its errors are of many kinds; all of them mean the same here.
        except Exception as error:
            raise DataError(
                f"{path} is damaged or no ONNX file that onnxruntime {runtime.__version__} reads "
                f"({reason(error)}). Export it again."
            ) from error
        outputs = [one.name for one in session.get_outputs()]
        if output is not None and output not in outputs:
            raise UsageError(
                f"{path} has no output {output!r}; it has {', '.join(outputs[:10])}. Export the "
                "layer you want as an output."
            )
        digest = hashlib.sha256(content).hexdigest()
        return cls(session, _taken(path, session, given), output or outputs[0], digest)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the file, the output and what the network takes."""
        return self._fingerprint

    def codes(self, images: UInt8[np.ndarray, "b h w c"], known: Bool[np.ndarray, "h w"]) -> Codes:
        """Encode canvases: int8 [B, D], features at length 127; errors as for `TorchEncoder`."""
        mask = torch.from_numpy(np.array(known))

        def work(some: UInt8[np.ndarray, "b h w c"]) -> Int8[np.ndarray, "b d"]:
            shown = self.takes.tensor(torch.from_numpy(some), mask).numpy()
            try:
                (found,) = self.session.run([self.output], {self._input.name: shown})
            except Exception as error:  # onnxruntime's own kinds
                shape = "x".join(map(str, shown.shape[1:]))
                raise UsageError(
                    f"The encoder cannot take pictures of {shape} (channels x height x width): "
                    f"{reason(error)}. Use --resize S with a size it takes, or another encoder."
                ) from error
            return quantised(averaged(torch.from_numpy(np.array(found))))

        values = in_blocks(work, images, self.block)
        return Codes(values, np.ones(values.shape[1], bool))


def _taken(path: Path, session: Any, given: dict[str, Any]) -> Input:
    inputs = session.get_inputs()
    shape = inputs[0].shape
    if len(inputs) != 1 or len(shape) != 4 or inputs[0].type != "tensor(float)":
        found = "; ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
        raise UsageError(
            f"{path} takes {found}. An encoder takes one float32 input of batch, channels, height "
            "and width. Export it so."
        )
    depth = shape[1] if isinstance(shape[1], int) else 3
    masked = depth in (2, 4)
    channels = depth - masked
    fixed = all(isinstance(side, int) for side in shape[2:])
    return Input(
        channels,
        tuple(given.get("mean", [0.5] * channels)),
        tuple(given.get("std", [0.5] * channels)),
        size=(shape[2], shape[3]) if fixed else None,
        mask_channel=masked,
    )
