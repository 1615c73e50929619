"""`vultus compare`: several models on the same trials, in one table."""

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from vultus.settings import Settings

if TYPE_CHECKING:
    from components.evaluate.contest import Contender

_TELLING = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")
_UNSAID = "not recorded with the model"


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command()(compare)


def compare(
    ctx: typer.Context,
    models: Annotated[
        list[str], typer.Argument(help="models:/name/3, models:/name@alias, a folder, sface, …")
    ],
    data: Annotated[str | None, typer.Option(help="data version; default: the newest")] = None,
    pictures: Annotated[int, typer.Option(min=2, help="of each split at most")] = 2000,
    out: Annotated[Path | None, typer.Option("--out", help="folder of the report")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable")] = False,
) -> None:
    """Figures with intervals, parameters, operations, milliseconds and licences, side by side."""
    from components.evaluate import EvaluateParams
    from components.evaluate.contest import compare as judged
    from components.evaluate.contest import comparison_blocks
    from pipelines.versions import open_version
    from vultus.contracts.faces import FaceCrops
    from vultus.errors import BadParameter
    from vultus.reports import to_html, to_pdf
    from vultus.storage import store_from

    settings: Settings = ctx.obj
    home = settings.paths
    crops = open_version(home, data)
    if not isinstance(crops, FaceCrops):
        raise BadParameter(f"{crops.path} holds no crops; name a version of FaceCrops")
    with TemporaryDirectory() as place:
        contenders = [_contender(settings, name, Path(place)) for name in models]
        params = EvaluateParams(pictures=pictures)
        lines = judged(contenders, crops.crops, params, store_from(settings.storage, home))
    processor = _processor()
    stamp = datetime.now(UTC).strftime("%Y-%m-%d-%H-%M-%S")
    folder = out or home.reports / f"comparison-{stamp}"
    folder.mkdir(parents=True, exist_ok=True)
    said = {"data": crops.digest, "processor": processor}
    rows = [line.model_dump(mode="json") for line in lines]
    text = json.dumps({**said, "models": rows}, indent=2)
    blocks = comparison_blocks(lines, processor)
    (folder / "comparison.json").write_text(text)
    (folder / "report.html").write_text(to_html("Comparison of models", blocks), encoding="utf-8")
    (folder / "report.pdf").write_bytes(to_pdf("Comparison of models", blocks))
    if as_json:
        typer.echo(text)
        return
    for line in lines:
        first = line.figures[0]
        rate = _none(first.value)
        typer.echo(f"{line.name}: {first.name} {rate}, {line.mflops:.0f} MFLOPs, {line.cpu_ms} ms")
    typer.echo(f"  {folder / 'report.html'}")


def _none(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def _contender(settings: Settings, name: str, place: Path) -> "Contender":
    """Raises: BadParameter, BadArtifact, WeightsUnavailable."""
    from components.evaluate.contest import Contender
    from vultus.contracts.models import ModelVersion, OnnxModel
    from vultus.errors import BadParameter
    from vultus.networks.load import TRUNKS
    from vultus.registry import registry_from

    if name in TRUNKS:
        return _packaged(settings, name, place)
    if name.startswith("models:/"):
        registry = registry_from(settings.tracking, settings.paths)
        version = registry.resolve(name)
        if version is None:
            raise BadParameter(f"{name}: no such version; see `vultus models`")
        folder = registry.fetch(version, settings.paths.models)
        label = f"{version.name}/{version.version}"
        return Contender.of(label, ModelVersion.open(folder), _UNSAID, _UNSAID)
    root = Path(name)
    folder = root / "export" / "model" if (root / "export" / "model").is_dir() else root
    if not folder.is_dir():
        raise BadParameter(f"'{name}' is no folder, no models:/… and none of {', '.join(TRUNKS)}")
    signed = (folder / "statement.json").is_file()
    opened = ModelVersion.open(folder) if signed else OnnxModel.open(folder)
    return Contender.of(root.name, opened, _UNSAID, _UNSAID)


def _packaged(settings: Settings, name: str, place: Path) -> "Contender":
    """A packaged trunk, untouched, exported as the export step does."""
    from components.evaluate.contest import Contender
    from vultus.contracts.transform import DetectorParams
    from vultus.networks.load import TRUNKS, write_trunk
    from vultus.weights import entry, locate

    folder = place / name
    folder.mkdir(exist_ok=True)
    write_trunk(name, locate(name, settings.paths.weights), folder / "model.onnx")
    row = entry(name)
    transform = TRUNKS[name].transform(DetectorParams())
    return Contender(name, folder, transform, row.licence, row.training_data)


def _processor() -> str:
    """Name and the instruction sets that decide the speed of a network."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    facts = {key.strip(): rest.strip() for key, _, rest in (x.partition(":") for x in lines)}
    flags = set(facts.get("flags", "").split())
    telling = " ".join(flag for flag in _TELLING if flag in flags)
    return f"{facts.get('model name', 'an unknown processor')} ({telling or 'no AVX2'})"
