"""Small networks with random weights, and folders and files that hold them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from intarsia.represent.network_input import Input


def small_network(settings: Mapping[str, Any] | None = None) -> nn.Sequential:
    """Two convolutions, the first of which takes ``channels``, 1 by default."""
    channels = int((settings or {}).get("channels", 1))
    torch.manual_seed(channels)
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(channels, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU()),
        nn.Sequential(nn.Conv2d(6, 10, 3, stride=2), nn.Tanh()),
    )


GREY = Input(1, (0.3,), (0.4,))
COLOUR = Input(3, (0.4, 0.5, 0.6), (0.2, 0.3, 0.4))


def half_known(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Pixels that a growing canvas may know: a blob, and some more."""
    known = np.random.default_rng(seed).random((height, width)) < 0.2
    known[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = True
    return known


def timm_folder(folder: Path, name: str = "resnet10t", **card: Any) -> Path:
    """A folder as timm saves them, with random weights and a head of 7 classes."""
    import timm

    torch.manual_seed(0)
    network = timm.create_model(name, pretrained=False, num_classes=7)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(network.state_dict(), folder / "model.safetensors")
    shown = {"input_size": [3, 32, 32], "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2]}
    config = {"architecture": name, "num_classes": 7, "pretrained_cfg": shown | card}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def vit_folder(folder: Path, **changes: Any) -> Path:
    """A tiny vision transformer as transformers saves them, with random weights."""
    from transformers import ViTConfig, ViTModel

    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 32, "image_size": 16, "patch_size": 4,
    }  # fmt: skip
    network = ViTModel(ViTConfig(**(sizes | changes)), add_pooling_layer=False)
    network.save_pretrained(folder)
    return folder


def onnx_file(path: Path, shape: list[Any] | None = None, kind: int | None = None) -> Path:
    """``small_network`` of 3 channels in ONNX, with outputs ``early`` and ``late``."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    torch.manual_seed(3)
    first = nn.Conv2d(3, 6, 3).weight.detach().numpy()
    second = nn.Conv2d(6, 10, 3).weight.detach().numpy()
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w1"], ["c1"], kernel_shape=[3, 3]),
            helper.make_node("Relu", ["c1"], ["early"]),
            helper.make_node("Conv", ["early", "w2"], ["c2"], kernel_shape=[3, 3]),
            helper.make_node("GlobalAveragePool", ["c2"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["late"]),
        ],
        "small",
        [
            helper.make_tensor_value_info(
                "x", kind or TensorProto.FLOAT, shape or ["n", 3, "h", "w"]
            )
        ],
        [
            helper.make_tensor_value_info("late", TensorProto.FLOAT, None),
            helper.make_tensor_value_info("early", TensorProto.FLOAT, None),
        ],
        [numpy_helper.from_array(first, "w1"), numpy_helper.from_array(second, "w2")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path
