"""Errors of the whole system: what capture, comparison and PAD lose and let through together.

Source: ISO/IEC 19795-1:2021 (failures to enrol and to acquire, generalised rates), ISO/IEC
30107-3:2023 (IAPAR, RIAPAR).
"""


def generalised_fnmr(fnmr: float, *, fta: float = 0.0, fte: float = 0.0) -> float:
    """Share of mated attempts that fail, whether a face was found or not.

    Args: fta: of probes of which no template is made; fte: of subjects of whom no reference is.
    """
    return 1 - (1 - fte) * (1 - fta) * (1 - fnmr)


def generalised_fmr(fmr: float, *, fta: float = 0.0, fte: float = 0.0) -> float:
    """Share of non-mated attempts that succeed: without two templates none does."""
    return (1 - fte) * (1 - fta) * fmr


def riapar(iapar: float, frr: float) -> float:
    """1 + (IAPAR - (1 - FRR)): what an attack achieves beside what a bona fide attempt does.

    Args: iapar: attacks accepted by the whole system; frr: bona fide mated attempts it refuses.
    """
    return iapar + frr


def acer(apcer: float, bpcer: float) -> float:
    """Half the sum of both PAD errors. Asked for by many papers; ISO/IEC 30107-3 does not use it."""
    return (apcer + bpcer) / 2
