"""Encoders are found by name, and unknown names are refused with the known ones."""

from __future__ import annotations

import pytest

from intarsia.errors import UsageError
from intarsia.represent import LowResolution, PatchLevel, encoder


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lowres", LowResolution(2)),
        ("lowres4", LowResolution(4)),
        ("lowres16", LowResolution(16)),
        ("patch:lowres", PatchLevel(LowResolution(2))),
        ("patch:lowres3", PatchLevel(LowResolution(3))),
    ],
)
def test_names_make_encoders(name, expected):
    assert encoder(name) == expected


@pytest.mark.parametrize("name", ["dino", "", "lowres-4", "lowres100", "patch:", "patch:dino"])
def test_an_unknown_name_is_refused_and_the_known_ones_listed(name):
    with pytest.raises(UsageError, match=r"no encoder called .*Known: lowres, .*patch:NAME"):
        encoder(name)


def test_a_patch_of_a_patch_is_refused():
    with pytest.raises(UsageError, match="names patch: twice"):
        encoder("patch:patch:lowres")


def test_cells_of_no_pixels_are_refused():
    with pytest.raises(UsageError, match="side 0"):
        encoder("lowres0")
