"""Where the work of a run is done: in this process (:func:`pipeline.analyze`), or on many machines with Ray."""
