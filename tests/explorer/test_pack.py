"""The block of arrays that the page reads."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from intarsia.explorer.pack import narrowest, pack, unpack

ARRAYS = hnp.arrays(
    st.sampled_from([np.uint8, np.int16, np.int32, np.float32, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
    elements={"allow_nan": False},
)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), ARRAYS, max_size=4))
def test_every_array_comes_back_as_it_went(arrays: dict[str, np.ndarray]) -> None:
    meta, back = unpack(pack({"n": len(arrays)}, arrays))
    assert meta == {"n": len(arrays)}
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        assert back[name].shape == array.shape
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 255], "u1"), ([0, 256], "u2"), ([0, 70_000], "u4"), ([-1, 127], "i1"),
        ([-1, 128], "i2"), ([-1, 40_000], "i4"), ([0, 2**33], "f8"), ([0, 2**52 + 1], "f8"),
    ],
)  # fmt: skip
def test_integers_take_the_narrowest_type_that_holds_them(values: list[int], kind: str) -> None:
    packed = narrowest(np.array(values))
    assert f"{packed.dtype.kind}{packed.dtype.itemsize}" == kind
    assert packed.tolist() == values


def test_every_array_starts_where_javascript_can_map_it() -> None:
    data = pack({}, {"a": np.zeros(3, np.uint8), "b": np.zeros(2, np.float32)})
    length = int.from_bytes(data[4:8], "little")
    assert (8 + length) % 8 == 0 and len(data) % 8 == 0
