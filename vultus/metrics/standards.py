"""What three documents ask of a face system, as far as an evaluation can speak to it.

In our own words and with our own reading; meeting a line here certifies nothing. Sources:
(a) Common Criteria, PP-Module for biometric enrolment and verification: error rates of FIA_MBV and
    FIA_PAD as a site commonly fixes them (FAR 1e-4, FRR 5 %, IAPAR 15 % and, one level up, 7 %).
(b) NIST SP 800-63B-4, section 3.2.3. The numbers are those of the final text as others cite it (FMR 1 in
    10,000, FNMR below 5 %, IAPAR below 0.07, PAD mandatory for faces); the wording at hand was the
    second public draft's, which asked IAPAR below 0.15. Check the published text before relying on it.
(c) ISO/IEC 30107-3:2023, what a report of a PAD test states.
"""

from dataclasses import dataclass
from enum import StrEnum

from vultus.contracts.words import Verdict

FMR_LIMIT = 1e-4
FNMR_LIMIT = 0.05
PP_IAPAR_LIMITS = (0.15, 0.07)
NIST_IAPAR_LIMIT = 0.07

PP_MODULE = "Common Criteria biometric PP-Module"
NIST = "NIST SP 800-63B-4"
ISO_PAD = "ISO/IEC 30107-3"


class Standing(StrEnum):
    """Where a requirement stands; the first three are those of `Verdict`."""

    PASS = "pass"
    FAIL = "fail"
    NOT_ENOUGH_DATA = "not_enough_data"
    REPORTED = "reported"
    MISSING = "missing"
    NOT_JUDGED = "not_judged"

    @property
    def verdict(self) -> Verdict | None:
        """As the mark that reports draw; None for what is no verdict."""
        return Verdict(self.value) if self.value in set(Verdict) else None


@dataclass(frozen=True)
class Finding:
    """One line of a verdict.

    found: what was measured, with interval and n; needed: the sample that could decide; why: how the
    requirement was read.
    """

    standard: str
    clause: str
    requirement: str
    standing: Standing
    found: str = ""
    needed: str = ""
    why: str = ""


OPERATION = (
    ("only together with a physical authenticator, compared at every authentication", "3.2.3"),
    ("another way to authenticate without biometrics is always offered", "3.2.3"),
    (
        "failed attempts in a row are limited and delayed, then the biometric is switched off",
        "3.2.3",
    ),
    (
        "sensor or endpoint authenticated before a central comparison, over a protected channel",
        "3.2.3",
    ),
    (
        "samples are erased once they have served; biometric data kept as sensitive personal data",
        "3.2.3",
    ),
)
"""Clauses of (b) about how a system is run: no evaluation of a model can judge them."""
