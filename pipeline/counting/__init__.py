"""From a folder of crops to how many different ones there are, with the evidence."""

from typing import TYPE_CHECKING

from data.lazy import attach

if TYPE_CHECKING:
    from pipeline.counting.answers import AnswerBook as AnswerBook
    from pipeline.counting.count import Count as Count
    from pipeline.counting.count import Options as Options
    from pipeline.counting.count import count_folder as count_folder
    from pipeline.counting.outputs import save_count as save_count

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AnswerBook": "answers",
        "Count": "count",
        "Options": "count",
        "count_folder": "count",
        "save_count": "outputs",
    },
)
