"""Where pixels came from: source maps, their measures, and the run folder."""

from __future__ import annotations

from intarsia.provenance.entropy import Entropy, map_entropies, window_entropy
from intarsia.provenance.folder import RunConfig, config_text, read_config
from intarsia.provenance.maps import (
    class_map,
    distance_map,
    draw_grid,
    draw_maps,
    draw_overview,
    image_map,
    place_map,
    pool_map,
    step_map,
)
from intarsia.provenance.metrics import run_metrics
from intarsia.provenance.movie import growth_frames, write_movie
from intarsia.provenance.part_whole import PartWhole, part_whole
from intarsia.provenance.report import report_html
from intarsia.provenance.segments import picture_segments
from intarsia.provenance.timeline import Timeline, draw_timeline, timeline, timeline_svg
from intarsia.provenance.top_sources import (
    SourceUse,
    distinct_sources,
    draw_top_sources,
    top_share,
    top_sources,
)

__all__ = [
    "Entropy",
    "PartWhole",
    "RunConfig",
    "SourceUse",
    "Timeline",
    "class_map",
    "config_text",
    "distance_map",
    "distinct_sources",
    "draw_grid",
    "draw_maps",
    "draw_overview",
    "draw_timeline",
    "draw_top_sources",
    "growth_frames",
    "image_map",
    "map_entropies",
    "part_whole",
    "picture_segments",
    "place_map",
    "pool_map",
    "read_config",
    "report_html",
    "run_metrics",
    "step_map",
    "timeline",
    "timeline_svg",
    "top_share",
    "top_sources",
    "window_entropy",
    "write_movie",
]
