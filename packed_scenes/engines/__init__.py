"""Where the work of a run is done: in this process (:func:`packed_scenes.analyze`), or on many machines with Ray."""
