"""The dataset report with everything that one machine has: pictures, encoder, training's augmentation.

The image of `validate` carries no torch, so a report of a pipeline has no sheets of augmentation.
"""

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from components.validate.page_training import Recipes
from components.validate.report import DatasetReport, dataset_report
from vultus.dataset.survey import SurveyParams
from vultus.storage import store_from

if TYPE_CHECKING:
    from vultus.settings import Settings


def report_writer(settings: "Settings", params: SurveyParams | None = None) -> DatasetReport:
    """What survey and differences are made with; nothing that shows augmentation."""
    home = settings.paths
    store = store_from(settings.storage, home)
    threads = settings.threads or os.cpu_count() or 1
    return dataset_report(params or SurveyParams(), store, home.weights, threads)


def with_recipes(writer: DatasetReport) -> DatasetReport:
    """The same, which shows augmentation too. It imports torch."""
    from components.train.showing import shown_chips, shown_crops

    return replace(writer, recipes=Recipes(recognition=shown_chips, liveness=shown_crops))
