"""PAD sets as they are published: names are read, no data is shipped."""

from collections.abc import Mapping

from components.ingest.layouts.celeba_spoof import celeba_spoof
from components.ingest.layouts.live_spoof import live_spoof
from components.ingest.layouts.oulu_npu import oulu_npu
from components.ingest.layouts.replay_attack import replay_attack
from components.ingest.layouts.source import Layout, LayoutSource

__all__ = ["LAYOUTS", "Layout", "LayoutSource"]

LAYOUTS: Mapping[str, Layout] = {
    "pad": live_spoof,
    "replay-attack": replay_attack,
    "oulu-npu": oulu_npu,
    "celeba-spoof": celeba_spoof,
}
"""Scheme of the URI -> layout."""
