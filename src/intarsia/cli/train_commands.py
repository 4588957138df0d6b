"""Every command of ``intarsia train``: importing their modules puts them on `train_app`."""

from intarsia.cli import train_blae, train_generators, train_network, train_tokens
from intarsia.cli.train import train_app

__all__ = ["train_app", "train_blae", "train_generators", "train_network", "train_tokens"]
