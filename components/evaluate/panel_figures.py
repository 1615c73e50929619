"""Figures of the PAD panel and its members on the test split."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from components.evaluate.figures import codes_of, curve_figure, familiar_figures, rate_figure
from components.evaluate.params import EvaluateParams
from components.evaluate.presentations import PANEL, Presentations
from vultus.contracts.evaluation import Figure
from vultus.contracts.transform import LivenessTransform, PanelMember
from vultus.contracts.words import Verdict
from vultus.metrics import BpcerAtApcer, Ranking, acer

Flags = NDArray[np.bool_]


def accepted_by_panel(
    trials: Presentations, transform: LivenessTransform, thresholds: dict[str, float]
) -> Flags:
    """Whether the member that has the room accepts; never where nobody speaks. bool [N]."""
    limits = np.array([thresholds[member.name] for member in transform.members] + [np.inf])
    panel = np.nan_to_num(trials.scores[PANEL], nan=-1.0)
    return np.asarray(panel >= limits.astype(np.float32)[trials.speaker], bool)


class Judge:
    """Figures of the test split."""

    def __init__(
        self,
        test: Presentations,
        transform: LivenessTransform,
        thresholds: dict[str, float],
        params: EvaluateParams,
    ) -> None:
        self._test, self._transform, self._params = test, transform, params
        self._thresholds = thresholds
        self._subjects = codes_of(test.subjects)
        self._live = test.bona_fide
        self._known = np.isfinite(test.scores[PANEL])
        self._accepted = accepted_by_panel(test, transform, thresholds)
        attacks = [row for row in test.rows if row["species"] is not None]
        self._simulated = all(row["simulated"] for row in attacks)

    def headline(self) -> list[Figure]:
        """The panel on all presentations, then on every PAI species."""
        params, everything = self._params, np.ones(len(self._live), bool)
        by_species = [self._apcer(name) for name in self._species()]
        known = [figure for figure in by_species if figure.value is not None]
        worst = max(known, key=lambda figure: (figure.value or 0, figure.high or 0), default=None)
        if worst is None:
            worst = rate_figure("apcer", np.empty(0, bool), self._subjects[:0], None, params,
                                at_most=params.require_apcer)  # fmt: skip
        named = {"slice": "all", "method": f"worst species: {worst.slice}; {worst.method}"}
        apcer = worst.model_copy(update=named)
        curves = [
            self._curve("pad_auc", PANEL, everything, "all"),
            self._curve("pad_eer", PANEL, everything, "all"),
            self._curve("bpcer_at_apcer_1", PANEL, everything, "all"),
            self._curve("bpcer_at_apcer_5", PANEL, everything, "all"),
            self._curve("bpcer_at_apcer_10", PANEL, everything, "all"),
        ]
        bpcer = self._bpcer(everything, "all", params.require_bpcer)
        return [apcer, bpcer, _acer(apcer, bpcer), *curves, *by_species]

    def members(self) -> list[Figure]:
        """Every member on all pictures, and with and without room."""
        figures = []
        for member in self._transform.members:
            for room_name in ("", "room=full", "room=tight"):
                part = self._test.has(room_name) if room_name else np.ones(len(self._live), bool)
                if not part.any():
                    continue
                name = f"member={member.name}" + (f",{room_name}" if room_name else "")
                figures.append(self._curve("pad_auc", member.name, part, name))
                figures += self._member_rates(member, part, name)
        return figures

    def slices(self) -> list[Figure]:
        """The panel on every slice."""
        figures = []
        for name in self._test.slice_names():
            part = self._test.has(name)
            figures.append(self._curve("pad_auc", PANEL, part, name))
            figures.append(self._bpcer(part, name, None))
        return figures

    def of_part(self, member: str, part: Flags, name: str) -> list[Figure]:
        """AUC, worst APCER and BPCER of a member, or of the panel, on some presentations."""
        if member == PANEL:
            accepted = self._accepted
        else:
            accepted = self._test.scores[member] >= np.float32(self._thresholds[member])
        return [self._curve("pad_auc", member, part, name), *self._rates(accepted, part, name)]

    def familiar(self) -> list[Figure]:
        """The panel's decisions under familiar names: a bona fide presentation is a positive."""
        return familiar_figures(self._accepted, self._live, self._subjects, None, self._params)

    def _species(self) -> list[str]:
        return sorted(set(self._test.species[~self._live].tolist()))

    def _apcer(self, species: str) -> Figure:
        own = self._test.species == species
        figure = rate_figure(
            "apcer",
            self._accepted[own],
            self._subjects[own],
            None,
            self._params,
            slice_name=f"species={species}",
            method="simulated presentations" if self._simulated else "",
            at_most=self._params.require_apcer,
        )
        if self._simulated and figure.verdict is Verdict.PASS:
            # What was simulated says nothing about an attack that was photographed (PAD notes).
            return figure.model_copy(update={"verdict": Verdict.NOT_ENOUGH_DATA})
        return figure

    def _bpcer(self, part: Flags, name: str, at_most: float | None) -> Figure:
        own = part & self._live
        return rate_figure(
            "bpcer",
            ~self._accepted[own],
            self._subjects[own],
            None,
            self._params,
            slice_name=name,
            at_most=at_most,
        )

    def _member_rates(self, member: PanelMember, part: Flags, name: str) -> list[Figure]:
        accepted = self._test.scores[member.name] >= np.float32(self._thresholds[member.name])
        return self._rates(accepted, part, name)

    def _rates(self, accepted: Flags, part: Flags, name: str) -> list[Figure]:
        """BPCER, and APCER of the worst species that is there."""
        live = part & self._live
        figures = [
            rate_figure("bpcer", ~accepted[live], self._subjects[live], None, self._params,
                        slice_name=name)
        ]  # fmt: skip
        by_species = [
            rate_figure("apcer", accepted[own], self._subjects[own], None, self._params,
                        slice_name=name, method=f"worst species: {species}")
            for species in self._species()
            for own in [part & (self._test.species == species)]
            if own.any()
        ]  # fmt: skip
        worst = max(by_species, key=lambda f: (f.value or 0, f.high or 0), default=None)
        return figures if worst is None else [*figures, worst]

    def _curve(self, name: str, member: str, part: Flags, slice_name: str) -> Figure:
        keep = part & np.isfinite(self._test.scores[member])
        scores, live = self._test.scores[member][keep], self._live[keep]
        ranking = Ranking(scores, live)
        figure: Callable[[NDArray[np.float64] | None], float]
        if name == "pad_auc":
            figure = ranking.auc
        elif name == "pad_eer":
            figure = ranking.equal_error_rate
        else:
            target = int(name.rpartition("_")[2]) / 100
            figure = BpcerAtApcer(scores, self._test.species[keep], target)
        return curve_figure(
            name,
            figure,
            live,
            self._subjects[keep],
            None,
            self._params,
            slice_name=slice_name,
            error=name != "pad_auc",
        )


def _acer(apcer: Figure, bpcer: Figure) -> Figure:
    """Half the sum of both; so are the ends of its interval, which is no narrower than its own."""

    def of(one: float | None, other: float | None) -> float | None:
        return None if one is None or other is None else acer(one, other)

    return Figure(
        name="acer",
        value=of(apcer.value, bpcer.value),
        low=of(apcer.low, bpcer.low),
        high=of(apcer.high, bpcer.high),
        n=apcer.n + bpcer.n,
        method="mean of APCER (worst species) and BPCER; ISO/IEC 30107-3 does not use it",
    )
