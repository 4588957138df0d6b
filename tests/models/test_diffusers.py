"""diffusers: machines as the model of its pipelines, and its networks in a machine's place."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from intarsia import Corpus
from intarsia.errors import DataError, UsageError
from intarsia.models.comparison import compare
from intarsia.models.machines import MACHINES
from intarsia.models.network import TrainedNetwork
from intarsia.networks.diffusers_unet import is_diffusers

diffusers = pytest.importorskip("diffusers")

CORPUS = Corpus.open("digits", limit=40)


@pytest.fixture(scope="module")
def unets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Networks nobody trained: a model, one with classes, and a pipeline of another schedule."""
    out = tmp_path_factory.mktemp("unets")
    torch.manual_seed(0)
    shape = {
        "sample_size": 8, "in_channels": 1, "out_channels": 1, "block_out_channels": (8, 8),
        "down_block_types": ("DownBlock2D", "DownBlock2D"), "layers_per_block": 1,
        "up_block_types": ("UpBlock2D", "UpBlock2D"), "norm_num_groups": 4,
    }  # fmt: skip
    plain = diffusers.UNet2DModel(**shape)
    plain.save_pretrained(out / "plain")
    diffusers.UNet2DModel(**shape, num_class_embeds=10).save_pretrained(out / "classes")
    cosine = diffusers.DDPMScheduler(beta_schedule="squaredcos_cap_v2")
    diffusers.DDPMPipeline(plain, cosine).save_pretrained(out / "pipeline")
    return out


def unit_noise(n: int = 2) -> torch.Tensor:
    return torch.randn(n, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", ["bbels", "els", "is", "wiener"])
def test_diffusers_ddim_takes_a_machine_to_the_same_picture(name: str) -> None:
    options = {} if name in ("is", "wiener") else {"scales": 3}
    machine = MACHINES[name](CORPUS, schedule="linear", steps=10, **options)
    scheduler = diffusers.DDIMScheduler()
    scheduler.set_timesteps(10)
    x = unit_noise()
    for t in scheduler.timesteps:
        told = scheduler.step(machine(x, t).sample, t, x)
        x = told.prev_sample
    ours = machine.sample(2, noise=unit_noise().numpy())
    clipped = np.clip(ours.extra["raw"], -1, 1)
    # At the last step diffusers clips where our result is the unclipped estimate.
    np.testing.assert_allclose(x.numpy(), clipped, atol=2e-3)


@pytest.mark.parametrize("scheduler", ["DDIMScheduler", "DDPMScheduler"])
@pytest.mark.parametrize("label", [None, 3])
def test_a_machine_is_the_unet_of_a_pipeline(scheduler: str, label: int | None) -> None:
    machine = MACHINES["is"](CORPUS, schedule="linear", label=label)
    pipeline = getattr(diffusers, scheduler.replace("Scheduler", "Pipeline"))(
        machine, getattr(diffusers, scheduler)()
    )
    pipeline.set_progress_bar_config(disable=True)
    drawn = pipeline(
        batch_size=2, num_inference_steps=20, output_type="np",
        generator=torch.Generator().manual_seed(0),
    ).images  # fmt: skip
    chosen = CORPUS.images if label is None else CORPUS.images[CORPUS.labels == label]
    far = np.abs(drawn[:, None] * 255 - chosen[None].astype(float)).max(axis=(2, 3, 4)).min(axis=1)
    assert far.max() < 3  # IS ends on training pictures, whoever takes the steps


@pytest.mark.parametrize(
    "scheduler", ["DPMSolverMultistepScheduler", "PNDMScheduler", "UniPCMultistepScheduler"]
)
def test_other_schedulers_take_a_machine_to_training_pictures(scheduler: str) -> None:
    machine = MACHINES["is"](CORPUS, schedule="linear")
    steps = getattr(diffusers, scheduler)()
    steps.set_timesteps(25)
    x = unit_noise()
    for t in steps.timesteps:
        x = steps.step(machine(x, t, return_dict=False)[0], t, x, return_dict=False)[0]
    unit = np.moveaxis(CORPUS.images, 3, 1) / 127.5 - 1
    assert np.abs(x.numpy()[:, None] - unit[None]).mean(axis=(2, 3, 4)).min(axis=1).max() < 0.02


def test_class_labels_are_told_as_pipelines_tell_them() -> None:
    machine = MACHINES["ls"](CORPUS, schedule="linear", scales=3)
    x = unit_noise()
    told = machine(x, 500, class_labels=torch.tensor([1, 2])).sample.numpy()
    np.testing.assert_array_equal(told, machine.estimate(x.numpy(), 500, [1, 2]).noise)


@pytest.mark.parametrize("name", ["plain", "pipeline"])
def test_a_unet_is_told_the_step_of_its_own_scheduler(name: str, unets: Path) -> None:
    network = TrainedNetwork(CORPUS, network=unets / name, schedule="linear", steps=10)
    levels = network.saved.levels
    for step in (0, 1, 500, 998):
        assert network.saved.time_of(float(levels[step])) == pytest.approx(step, abs=1e-6)
    between = float(np.sqrt(levels[500] * levels[501]))
    assert 500 < network.saved.time_of(between) < 501
    betas = {"plain": "linear", "pipeline": "squaredcos_cap_v2"}[name]
    expected = diffusers.DDPMScheduler(beta_schedule=betas).alphas_cumprod
    np.testing.assert_allclose(levels, expected, rtol=1e-6)


def test_a_unet_draws_as_diffusers_own_ddim_does(unets: Path) -> None:
    network = TrainedNetwork(CORPUS, network=unets / "plain", schedule="linear", steps=10)
    unet = diffusers.UNet2DModel.from_pretrained(unets / "plain").eval()
    scheduler = diffusers.DDIMScheduler()
    scheduler.set_timesteps(10)
    x = unit_noise()
    for t in scheduler.timesteps:
        with torch.inference_mode():
            x = scheduler.step(unet(x, t).sample, t, x).prev_sample
    ours = network.sample(2, noise=unit_noise().numpy()).extra["raw"]
    np.testing.assert_allclose(np.clip(ours, -1, 1), x.numpy(), atol=2e-3)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_a_unet_is_compared_with_machines(schedule: str, unets: Path) -> None:
    shared = {"schedule": schedule, "steps": 5}
    network = TrainedNetwork(CORPUS, network=unets / "pipeline", **shared)
    machines = [MACHINES["bbels"](CORPUS, scales=3, **shared), MACHINES["is"](CORPUS, **shared)]
    found = compare(network, machines, 2, 0)
    assert set(found.outputs) == {"network", "bbels", "is"}
    assert all(np.isfinite(one).all() for one in found.outputs.values())


def test_a_unet_with_classes_asks_for_one(unets: Path) -> None:
    network = TrainedNetwork(CORPUS, network=unets / "classes")
    x = unit_noise().numpy()
    with pytest.raises(UsageError, match="class-conditional.*0 to 9"):
        network.estimate(x, 0.5)
    one, two = (network.estimate(x, 0.5, [k, k]).noise for k in (1, 2))
    assert np.abs(one - two).max() > 1e-4
    with pytest.raises(UsageError, match="knows the classes 0 to 9"):
        TrainedNetwork(CORPUS, network=unets / "classes", label=10)


def test_what_diffusers_wrote_is_known_by_its_class(unets: Path, tmp_path: Path) -> None:
    assert is_diffusers(unets / "plain") and is_diffusers(unets / "pipeline")
    assert not is_diffusers(tmp_path) and not is_diffusers("one") and not is_diffusers("./net")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prediction_type": "sample"}, "prediction_type 'sample'"),
        ({"beta_schedule": "square"}, "describes no scheduler"),
    ],
)
def test_schedulers_it_cannot_follow_are_refused(
    change: dict[str, str], words: str, unets: Path, tmp_path: Path
) -> None:
    diffusers.UNet2DModel.from_pretrained(unets / "plain").save_pretrained(tmp_path)
    path = tmp_path / "scheduler_config.json"
    path.write_text(json.dumps({"_class_name": "DDPMScheduler"} | change))
    with pytest.raises(DataError, match=words):
        TrainedNetwork(CORPUS, network=tmp_path)


def test_damaged_weights_and_pickles_are_refused(unets: Path, tmp_path: Path) -> None:
    unet = diffusers.UNet2DModel.from_pretrained(unets / "plain")
    unet.save_pretrained(tmp_path / "pickle", safe_serialization=False)
    unet.save_pretrained(tmp_path / "cut")
    weights = tmp_path / "cut" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])
    for name in ("pickle", "cut"):
        with pytest.raises(DataError, match="cannot be read as a UNet2DModel"):
            TrainedNetwork(CORPUS, network=tmp_path / name)


def test_pictures_of_another_size_are_refused(unets: Path) -> None:
    with pytest.raises(UsageError, match="--resize 8"):
        TrainedNetwork(Corpus.open("digits", limit=9, resize=12), network=unets / "plain")
