"""What a training is shown: fair draws."""

from hypothesis import given
from hypothesis import strategies as st

from components.train.pictures import fair_draw


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=40), st.integers(1, 50))
def test_a_draw_is_fair_and_keeps_the_order(groups: list[str], limit: int) -> None:
    rows = [{"group": group, "place": place} for place, group in enumerate(groups)]
    drawn = fair_draw(rows, "group", limit, seed=1)
    assert len(drawn) == min(limit, len(rows))
    assert drawn == sorted(drawn, key=lambda row: row["place"])
    counts = {g: sum(row["group"] == g for row in drawn) for g in set(groups)}
    left = {g: groups.count(g) - n for g, n in counts.items()}
    smallest_unfinished = min((counts[g] for g in counts if left[g]), default=None)
    assert smallest_unfinished is None or max(counts.values()) <= smallest_unfinished + 1
