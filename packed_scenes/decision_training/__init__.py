"""Train the judge of pairs (:mod:`packed_scenes.cluster.decision`): a bank of vectors, simulated sets, the training.

``banking`` builds the bank, ``bank`` reads it, ``gaussian``, ``simulate`` and ``effects`` make sets, ``network`` is
the network in torch, ``training`` its loss and loop, ``limits`` the regressions behind the interval of a count.
"""
