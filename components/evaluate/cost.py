"""What networks cost: milliseconds of one picture side by side, and their int8 forms."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from components.evaluate.calibration import calibration_of
from components.evaluate.contenders import Contender
from components.evaluate.params import EvaluateParams
from vultus.contracts.arrays import Tensor
from vultus.contracts.seams import Store
from vultus.contracts.transform import RecognitionTransform
from vultus.errors import NoTrials, VultusError
from vultus.inference.inputs import chip_inputs, crop_inputs
from vultus.inference.int8 import int8_file, quantise
from vultus.inference.session import session_of

_ROUNDS, _WARM = 15, 2
_TELLING = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")


def milliseconds(files: Sequence[Path]) -> list[float]:
    """Processor time of one picture through each network, one thread, median; they take turns."""
    rng = np.random.default_rng(0)
    opened = []
    for file in files:
        session = session_of(file)
        inlet = session.get_inputs()[0]
        picture = rng.uniform(-1, 1, (1, *inlet.shape[1:])).astype(np.float32)
        opened.append((session, {inlet.name: picture}))
    spent: list[list[float]] = [[] for _ in opened]
    for turn in range(_ROUNDS + _WARM):
        for place, (session, feed) in enumerate(opened):
            began = time.process_time()
            session.run(None, feed)
            if turn >= _WARM:
                spent[place].append(1e3 * (time.process_time() - began))
    return [round(statistics.median(each), 3) for each in spent]


def processor() -> str:
    """Name and the instruction sets that decide the speed of a network."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    facts = {key.strip(): rest.strip() for key, _, rest in (x.partition(":") for x in lines)}
    flags = set(facts.get("flags", "").split())
    telling = " ".join(flag for flag in _TELLING if flag in flags)
    return f"{facts.get('model name', 'an unknown processor')} ({telling or 'no AVX2'})"


def with_int8(
    one: Contender, crops: pa.Table, params: EvaluateParams, store: Store, place: Path
) -> Contender:
    """The contender with an int8 form of each network that has none, calibrated on the train split.

    A network that cannot be made int8 stays without, and that is said.
    """
    have, said = dict(one.int8 or {}), [one.int8_said] if one.int8_said else []
    pictures = calibration_of(crops, one.task, params.calibration, params.seed)
    folder = place / f"{one.name.replace('/', '-')}-int8"
    for name, file in one.networks.items():
        inside = file.relative_to(one.folder).as_posix()
        if inside in have:
            continue
        target = int8_file(folder / inside)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            quantise(file, target, _inputs(one, name, pictures, store))
        except (NoTrials, VultusError) as error:
            said.append(f"{name}: no int8: {error}")
        else:
            have[inside] = target
    return replace(one, int8=have or None, int8_said="; ".join(said))


def _inputs(one: Contender, name: str, pictures: pa.Table, store: Store) -> Tensor:
    names, transform = pictures["picture"].to_pylist(), one.transform
    if not names:
        raise NoTrials("the train split holds no picture to calibrate on")
    if isinstance(transform, RecognitionTransform):
        return chip_inputs(names, store, transform)
    member = next(member for member in transform.members if member.name == name)
    return crop_inputs(names, pictures["box"].to_pylist(), store, member)
