"""Every figure of the course: arrays or ledger rows in, a matplotlib Figure out; nothing trains.

matplotlib and seaborn are imported on first use. Figures are made without pyplot, so they need no
display and leave every global setting alone; save one with ``figure.savefig("name.pdf")``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {  # figure -> the module it lives in
    "framework": "overview",
    "sample_grid": "faces",
    "class_histogram": "faces",
    "learning_curves": "training",
    "confusion": "training",
    "table1": "table",
    "table1_figure": "table",
    "cascade": "attention",
    "gcca": "channels",
    "through_models": "looking",
    "cam_grid": "looking",
    "truths": "looking",
    "cascade_gif": "animation",
    "score_models": "scores",
    "score_expressions": "scores",
    "sanity": "scores",
    "faithfulness": "scores",
    "embedding_planes": "embedding",
    "center_directions": "embedding",
    "search_path": "choosing",
    "weights_at_work": "choosing",
    "flat_sweeps": "choosing",
    "accuracy_histograms": "spread",
    "fold_protocols": "spread",
    "sweep": "experiments",
    "ablation_slopes": "experiments",
    "accuracy_spread": "experiments",
    "ablation_step": "gains",
    "compared": "compare",
    "decoding": "levels",
    "recipe_gains": "recipe",
    "erasing": "reversal",
    "island_course": "island",
    "channel_weights": "weights",
    "reverse_step": "steps",
    "look": "gaze",
    "ablation_board": "board",
    "training_now": "board",
    "from_photo": "ownface",
    "reliability": "ownface",
    "sensitivity": "ownface",
    "accuracy_by_group": "ownface",
    "claimed_counts": "claims",
    "sta_beside_error": "claims",
    "pictures": "sheets",
    "boxed": "sheets",
    "turned": "turning",
    "patient_chart": "examination",
    "component_costs": "costs",
    "throughput": "speed",
    "averaging": "speed",
    "receptive_fields": "backbone",
    "blocks_seen": "backbone",
    "edge_readouts": "edges",
    "parts_used": "edges",
    "poolings": "gates",
    "groups": "gates",
    "gate_spread": "gates",
    "recalls": "pitfalls",
    "label_noise": "pitfalls",
    "fold_leak": "pitfalls",
}
__all__ = [
    "ablation_board",
    "ablation_slopes",
    "ablation_step",
    "accuracy_by_group",
    "accuracy_histograms",
    "accuracy_spread",
    "averaging",
    "blocks_seen",
    "boxed",
    "cam_grid",
    "cascade",
    "cascade_gif",
    "center_directions",
    "channel_weights",
    "claimed_counts",
    "class_histogram",
    "compared",
    "component_costs",
    "confusion",
    "decoding",
    "edge_readouts",
    "embedding_planes",
    "erasing",
    "faithfulness",
    "flat_sweeps",
    "fold_leak",
    "fold_protocols",
    "framework",
    "from_photo",
    "gate_spread",
    "gcca",
    "groups",
    "island_course",
    "label_noise",
    "learning_curves",
    "look",
    "parts_used",
    "patient_chart",
    "pictures",
    "poolings",
    "recalls",
    "receptive_fields",
    "recipe_gains",
    "reliability",
    "reverse_step",
    "sample_grid",
    "sanity",
    "score_expressions",
    "score_models",
    "search_path",
    "sensitivity",
    "sta_beside_error",
    "sweep",
    "table1",
    "table1_figure",
    "through_models",
    "throughput",
    "training_now",
    "truths",
    "turned",
    "weights_at_work",
]

if TYPE_CHECKING:
    from fercourse.plots.animation import cascade_gif
    from fercourse.plots.attention import cascade
    from fercourse.plots.backbone import blocks_seen, receptive_fields
    from fercourse.plots.board import ablation_board, training_now
    from fercourse.plots.channels import gcca
    from fercourse.plots.choosing import flat_sweeps, search_path, weights_at_work
    from fercourse.plots.claims import claimed_counts, sta_beside_error
    from fercourse.plots.compare import compared
    from fercourse.plots.costs import component_costs
    from fercourse.plots.edges import edge_readouts, parts_used
    from fercourse.plots.embedding import center_directions, embedding_planes
    from fercourse.plots.examination import patient_chart
    from fercourse.plots.experiments import ablation_slopes, accuracy_spread, sweep
    from fercourse.plots.faces import class_histogram, sample_grid
    from fercourse.plots.gains import ablation_step
    from fercourse.plots.gates import gate_spread, groups, poolings
    from fercourse.plots.gaze import look
    from fercourse.plots.island import island_course
    from fercourse.plots.levels import decoding
    from fercourse.plots.looking import cam_grid, through_models, truths
    from fercourse.plots.overview import framework
    from fercourse.plots.ownface import accuracy_by_group, from_photo, reliability, sensitivity
    from fercourse.plots.pitfalls import fold_leak, label_noise, recalls
    from fercourse.plots.recipe import recipe_gains
    from fercourse.plots.reversal import erasing
    from fercourse.plots.scores import faithfulness, sanity, score_expressions, score_models
    from fercourse.plots.sheets import boxed, pictures
    from fercourse.plots.speed import averaging, throughput
    from fercourse.plots.spread import accuracy_histograms, fold_protocols
    from fercourse.plots.steps import reverse_step
    from fercourse.plots.table import table1, table1_figure
    from fercourse.plots.training import confusion, learning_curves
    from fercourse.plots.turning import turned
    from fercourse.plots.weights import channel_weights


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'fercourse.plots' has no attribute {name!r}")
    try:
        return getattr(import_module(f"fercourse.plots.{_HOME[name]}"), name)
    except ModuleNotFoundError as error:
        from fercourse.errors import FercourseError

        raise FercourseError(
            f"figures need {error.name}: install it with pip install 'fercourse[plots]'."
        ) from error


def __dir__() -> list[str]:
    return sorted(__all__)
