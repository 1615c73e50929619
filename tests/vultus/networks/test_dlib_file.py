"""dlib's serialisation is read as its format says, and damaged bytes are refused by name."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.dlib_writer import Pen, write_dlib
from vultus.errors import BadArtifact
from vultus.networks.dlib_file import DlibLayer, DlibNetwork, Tape, read_dlib


def _floats(count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(size=count).astype(np.float32)


NONE = np.empty(0, np.float32)
SMALL = DlibNetwork(
    mean=(122.5, 117.0, 104.25),
    side=20,
    layers=(
        DlibLayer("con_4", (2, 3, 3, 2, 2, 0, 0), _floats(2 * 27 + 2)),
        DlibLayer("affine_", (0,), _floats(4)),
        DlibLayer("relu_", (), NONE),
        DlibLayer("add_prev_", (), NONE),
        DlibLayer("avg_pool_2", (0, 0, 1, 1, 0, 0), NONE),
        DlibLayer("fc_2", (5, 2), _floats(10)),
    ),
)


@pytest.mark.parametrize(
    ("data", "value"),
    [("0101", 1), ("8105", -5), ("028012", 4736), ("0100", 0), ("00", 0)],
)
def test_integers_of_hand_written_bytes(data: str, value: int) -> None:
    assert Tape(bytes.fromhex(data)).whole() == value


def test_a_float_is_mantissa_times_a_power_of_two() -> None:
    """0xA3D70A · 2⁻²⁸: how dlib writes the float32 nearest to 0.04."""
    assert Tape(bytes.fromhex("030ad7a3811c")).number() == np.float32(0.04)


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_come_back(value: int) -> None:
    assert Tape(Pen().whole(value).data).whole() == value


@given(st.floats(allow_nan=False))
def test_floats_come_back(value: float) -> None:
    assert Tape(Pen().number(value).data).number() == value


def test_what_is_no_number_comes_back_as_that() -> None:
    assert math.isnan(Tape(Pen().number(math.nan).data).number())


def test_a_network_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "small.dat"
    file.write_bytes(write_dlib(SMALL))
    got = read_dlib(file)
    assert (got.mean, got.side, len(got.layers)) == (SMALL.mean, SMALL.side, len(SMALL.layers))
    for found, written in zip(got.layers, SMALL.layers, strict=True):
        assert (found.kind, found.sizes) == (written.kind, written.sizes)
        np.testing.assert_array_equal(found.params, written.params)


@given(st.data())
def test_a_file_that_ends_early_is_refused_wherever_it_ends(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = write_dlib(SMALL)
    file = tmp_path_factory.getbasetemp() / "short.dat"
    file.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(BadArtifact, match=r"short\.dat"):
        read_dlib(file)


@given(st.integers(0, len(write_dlib(SMALL)) - 1), st.integers(1, 255))
def test_one_changed_byte_is_read_or_refused_and_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, place: int, change: int
) -> None:
    data = bytearray(write_dlib(SMALL))
    data[place] ^= change
    file = tmp_path_factory.getbasetemp() / "changed.dat"
    file.write_bytes(data)
    try:
        got = read_dlib(file)
    except BadArtifact as error:
        assert "changed.dat" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert len(got.layers) == len(SMALL.layers)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (write_dlib(SMALL) + b"more", "4 bytes follow"),
        (write_dlib(SMALL, loss="loss_multiclass_log"), "'loss_multiclass_log' where"),
        (write_dlib(SMALL).replace(b"relu_", b"elu__"), "'elu__' is not a kind"),
        (Pen().whole(7).data, "loss of version 7"),
        (b"", "0 are left"),
    ],
)
def test_what_is_another_file_is_refused_by_name(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "other.dat"
    file.write_bytes(data)
    with pytest.raises(BadArtifact, match=said):
        read_dlib(file)


def test_a_size_beyond_reason_asks_for_no_memory() -> None:
    huge = Pen().whole(2)
    for _ in range(4):
        huge.whole(2**40)
    with pytest.raises(ValueError, match="a tensor of"):
        Tape(huge.data).tensor()


def test_a_missing_file_is_a_bad_artifact(tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match=r"gone\.dat"):
        read_dlib(tmp_path / "gone.dat")
