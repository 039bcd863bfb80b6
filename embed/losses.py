"""Losses on unit vectors: proxies (normalised softmax, optionally with a margin) and in-batch contrast."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ProxySoftmax(nn.Module):
    """Normalised softmax: cosine to one learned unit proxy per class, times ``scale``, into cross entropy.

    With ``margin`` > 0 the true class's cosine is lowered by it first (additive-cosine margin). Without, it equals
    pytorch-metric-learning's ``NormalizedSoftmaxLoss`` with temperature 1 / scale, and the author's learned anchors.
    Sources: Zhai & Wu, "Classification is a strong baseline for deep metric learning" (2018), arXiv:1811.12649;
    Wang et al., "CosFace" (2018), arXiv:1801.09414.
    """

    def __init__(self, classes: int, dimension: int, *, scale: float = 16.0, margin: float = 0.0) -> None:
        super().__init__()
        self.proxies = nn.Parameter(functional.normalize(torch.randn(classes, dimension), dim=1))
        self.scale, self.margin = scale, margin

    def logits(self, embedding: Tensor) -> Tensor:
        """(B, D) unit rows -> (B, classes) scaled cosines, no margin."""
        return self.scale * embedding @ functional.normalize(self.proxies, dim=1).T

    def forward(self, embedding: Tensor, label: Tensor) -> Tensor:
        """Mean loss of (B, D) unit rows with (B,) int64 labels."""
        logits = self.logits(embedding)
        if self.margin:
            logits = logits - self.scale * self.margin * functional.one_hot(label, logits.shape[1])
        return functional.cross_entropy(logits, label)


def contrast(embedding: Tensor, label: Tensor, *, scale: float = 16.0) -> Tensor:
    """Supervised contrast within the batch: each pair of one class against all crops of other classes.

    For anchor i and positive p the loss is -log(e^{s·cos(i,p)} / (e^{s·cos(i,p)} + sum over n of e^{s·cos(i,n)})),
    n the negatives. Positives do not compete with each other, so that a class's easy pair does not push its hard pair
    away. Crops without a partner in the batch serve as negatives only. Source: Khosla et al., "Supervised Contrastive
    Learning" (2020), arXiv:2004.11362 (the "out" form), with the denominator of InfoNCE per pair.

    Args:
        embedding: (B, D) unit rows.
        label: (B,) int64.
    """
    logits = scale * embedding @ embedding.T
    same = label[:, None] == label[None, :]
    positive = same & ~torch.eye(len(label), dtype=torch.bool, device=label.device)
    negatives = logits.masked_fill(same, -torch.inf).logsumexp(1, keepdim=True)
    loss = functional.softplus(negatives - logits)
    pairs = positive.sum(1).clamp(min=1)
    has = positive.any(1)
    per_anchor = (loss * positive).sum(1) / pairs
    return per_anchor[has].mean() if bool(has.any()) else embedding.sum() * 0
