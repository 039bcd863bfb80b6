"""Folders of crops, one object each: what counting, studies, refinement and explanations share.

Listing with cameras and lists (`listing`), the identity or camera of every crop (`values`), contact sheets (`sheets`),
sorting into one folder per cluster (`folders`), and the table of the clusters (`labels`).
"""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.crops.folders import FolderKind as FolderKind
    from packed_scenes.crops.folders import sort_into_folders as sort_into_folders
    from packed_scenes.crops.labels import label_table as label_table
    from packed_scenes.crops.listing import Crops as Crops
    from packed_scenes.crops.listing import read_crops as read_crops
    from packed_scenes.crops.sheets import cluster_sheet as cluster_sheet
    from packed_scenes.crops.sheets import crop_grid as crop_grid
    from packed_scenes.crops.values import read_values as read_values

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Crops": "listing", "cluster_sheet": "sheets", "crop_grid": "sheets", "label_table": "labels",
        "read_crops": "listing", "read_values": "values", "sort_into_folders": "folders", "FolderKind": "folders",
    },
)  # fmt: skip
