"""What a person should look at: wrong labels, people under two names, copies, refused pictures."""

from collections.abc import Iterator, Sequence

from components.validate.album import Album
from components.validate.page_pictures import cosine
from components.validate.tiles import faces_of, sheet_of
from vultus.dataset.duplicates import RADIUS, Duplicates
from vultus.dataset.noise import Noise, Stray, Twins
from vultus.dataset.survey import Survey
from vultus.reports import Block, Heading, Picture, Table, Text

_SHOWN = 12
_REFUSED_SHOWN = 12
_PICTURED = (
    "no_face",
    "several_faces",
    "near_duplicate_across_splits",
    "near_duplicate_two_identities",
)
REASONS = {
    "bad_image": "the file is damaged, cut short, too big or no picture",
    "unreadable": "the file could not be read",
    "bad_row": "the list's row contradicts itself",
    "duplicate": "the same file was there already",
    "two_identities": "the same file lies under two subjects: nobody knows whose it is",
    "lone_picture": "its subject has too few pictures to be compared",
    "near_duplicate_across_splits": "nearly the same picture stands in two splits: the test would "
    "have been seen in training",
    "near_duplicate_two_identities": "nearly the same picture lies under two subjects: nobody knows "
    "whose it is",
    "no_face": "the detector found no face (too small, turned away, covered, or none there)",
    "several_faces": "a second face is nearly as big: nobody knows who is meant",
}


def suspect_blocks(found: Survey, album: Album | None) -> Iterator[Block]:
    """Labels first, then copies."""
    yield Heading("Suspects to look at")
    if found.noise is None:
        yield Text(f"The labels were not judged, because: {found.noise_missing}.")
    else:
        yield from _labels(found.noise, found, album)
    if found.duplicates is None:
        yield Text("Near duplicates were not looked for: the version has no perceptual hashes.")
    else:
        yield from _copies(found.duplicates, album)


def quarantine_blocks(found: Survey, album: Album | None) -> Iterator[Block]:
    """What was refused on the way here, and why."""
    yield Heading("What was quarantined")
    if not found.quarantine:
        yield Text("Nothing: every picture that was offered could be used.")
        return
    yield Table(
        ("reason", "pictures", "what it means"),
        tuple(
            (reason, f"{count:,}", REASONS.get(reason, "see the quarantine table"))
            for reason, count in found.quarantine.items()
        ),
        numeric=(1,),
        caption="Refused pictures take no part in anything. File names stay in the quarantine table, "
        "because they may name people.",
    )
    for reason in _PICTURED:
        images = (
            album.refused(reason, _REFUSED_SHOWN) if album and reason in found.quarantine else []
        )
        if images:
            yield Picture(
                sheet_of(images),
                "jpeg",
                f"Pictures refused for {reason}",
                f"{reason}: {len(images)} of {found.quarantine[reason]:,}.",
            )


def _labels(noise: Noise, found: Survey, album: Album | None) -> Iterator[Block]:
    whole = int(found.census.own.sum())
    yield Text(
        f"{noise.pictures:,} of {whole:,} bona fide pictures of {noise.subjects:,} subjects were "
        "embedded. A picture is a suspect where its similarity to the centre of its subject's other "
        f"pictures lies more than {noise.fall:.2f} below what is usual for that subject, and nearer "
        "to what strangers reach. Two subjects are suspect where their centres reach "
        f"{noise.near:.2f}, as nearly all halves of one subject do (median {noise.mates:.2f}; two "
        f"subjects: {noise.strangers:.2f}). Suspects are no verdicts: a face behind sunglasses is far "
        "from its centre, siblings are near.",
        quiet=True,
    )
    moved = [one for one in noise.strays if one.nearer is not None]
    odd = [one for one in noise.strays if one.nearer is None]
    yield Table(
        ("kind", "found"),
        (
            ("pictures that look more like another subject", f"{len(moved):,}"),
            ("pictures far from their subject, near nobody", f"{len(odd):,}"),
            (
                "pairs of subjects that may be one person",
                f"{len(noise.twins):,}"
                if noise.separable
                else "not judged: people look alike here",
            ),
        ),
        numeric=(1,),
    )
    if album is not None:
        yield from _strays(album, moved, "The picture · its subject · the subject it looks like", 3)
        yield from _strays(album, odd, "The picture · its subject", 2)
        yield from _twins(album, noise.twins)


def _twins(album: Album, twins: Sequence[Twins]) -> Iterator[Block]:
    if not twins:
        return
    shown = twins[:_SHOWN]
    said = ", ".join(cosine(pair.similarity) for pair in shown)
    yield Picture(
        faces_of(album, [[pair.first, pair.second] for pair in shown]),
        "jpeg",
        "Pairs of subjects that may be one person",
        f"Two subjects that may be one person, a typical picture of each: {len(shown)} of "
        f"{len(twins):,}. Similarity, line by line: {said}.",
    )


def _strays(album: Album, strays: Sequence[Stray], title: str, width: int) -> Iterator[Block]:
    if not strays:
        return
    shown = strays[:_SHOWN]
    groups = [[one.row, one.typical, one.nearer or 0][:width] for one in shown]
    said = ", ".join(
        f"{cosine(one.similarity)} instead of {cosine(one.usual)}"
        + (f" ({cosine(one.nearer_similarity)} to the other)" if one.nearer_similarity else "")
        for one in shown
    )
    yield Picture(
        faces_of(album, groups),
        "jpeg",
        f"{len(shown)} suspects. {title}",
        f"{title}: {len(shown)} of {len(strays):,}. Similarity, line by line: {said}.",
    )


def _copies(same: Duplicates, album: Album | None) -> Iterator[Block]:
    yield Heading("Near duplicates", 2)
    if not same.groups:
        yield Text("No two bona fide pictures are nearly equal.")
        return
    share = (
        f"{same.pictures:,} pictures stand in {same.groups:,} groups whose perceptual hashes differ in "
        f"at most {RADIUS} of 64 bits; the largest has {same.largest:,}. "
    )
    yield Text(
        share
        + "Copies count twice and prove nothing twice. Under two subjects one label is wrong; "
        "in two splits the test has been seen in training."
    )
    yield Table(
        ("kind of group", "groups"),
        (
            ("under two subjects", f"{len(same.across_subjects):,}"),
            ("in two splits", f"{len(same.across_splits):,}"),
            ("within one subject", f"{len(same.within):,}"),
        ),
        numeric=(1,),
    )
    if album is None:
        return
    for title, pairs in (
        ("Under two subjects", same.across_subjects),
        ("In two splits", same.across_splits),
        ("Within one subject", same.within),
    ):
        if pairs:
            shown = pairs[:_SHOWN]
            yield Picture(
                faces_of(album, shown, "context"),
                "jpeg",
                f"Near duplicates. {title}",
                f"{title}: {len(shown)} of {len(pairs):,} groups, two pictures of each.",
            )
