"""From a folder of crops to how many different ones there are, with the evidence."""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.counting.answers import AnswerBook as AnswerBook
    from packed_scenes.counting.count import count_folder as count_folder
    from packed_scenes.counting.outputs import save_count as save_count
    from packed_scenes.counting.result import Count as Count
    from packed_scenes.counting.result import Options as Options

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AnswerBook": "answers",
        "Count": "result",
        "Options": "result",
        "count_folder": "count",
        "save_count": "outputs",
    },
)
