"""Descriptors of whole folders: one matrix per descriptor, computed once, kept on disk, never all in memory.

```python
from packed_scenes.embed import descriptors

descriptors.names()  # every name; also NAME=WEIGHTS and a .safetensors file
found = descriptors.extract(paths, "default", cache=Path("runs/cache"))
found.matrix, found.paths, found.failed, found.card  # (N, D) float32 memory map, its rows' files, what failed, how
descriptors.load_matrix("features.npy")  # a matrix that someone already has
```
"""

from typing import TYPE_CHECKING

from packed_scenes.data.lazy import attach

if TYPE_CHECKING:
    from packed_scenes.embed.descriptors.cache import Cache as Cache
    from packed_scenes.embed.descriptors.extraction import Extracted as Extracted
    from packed_scenes.embed.descriptors.extraction import extract as extract
    from packed_scenes.embed.descriptors.extraction import names as names
    from packed_scenes.embed.descriptors.matrix import Table as Table
    from packed_scenes.embed.descriptors.matrix import load_matrix as load_matrix
    from packed_scenes.embed.descriptors.matrix import load_table as load_table
    from packed_scenes.embed.descriptors.save import save_matrix as save_matrix

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Cache": "cache",
        "Extracted": "extraction",
        "Table": "matrix",
        "extract": "extraction",
        "load_matrix": "matrix",
        "load_table": "matrix",
        "names": "extraction",
        "save_matrix": "save",
    },
)
