"""Train the judge of pairs (:mod:`packed_scenes.cluster.decision`): a bank of vectors, simulated sets, the training."""
