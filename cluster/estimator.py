"""scikit-learn's estimator protocol without importing scikit-learn: parameters, tags, input validation.

Importing ``sklearn.base`` brings scipy.stats and pandas, which takes longer than clustering a photo. What is needed of
it is small: parameters are those of ``__init__`` (``get_params``, ``set_params``, so ``sklearn.base.clone`` and grid
searches work), tags are made when scikit-learn asks for them, and an ordinary float array is checked here. Any other
input goes to scikit-learn's own validation, which gives its messages. Conformance: ``check_estimator`` in
``tests/cluster/test_estimators.py``. Source: scikit-learn.org/stable/developers/develop.html.
"""

from __future__ import annotations

import inspect
from typing import Any, Self

import numpy as np
import numpy.typing as npt


class Estimator:
    """Base of what follows scikit-learn's protocol of a clusterer."""

    _estimator_type = "clusterer"

    @classmethod
    def _parameters(cls) -> list[str]:
        """Return the names of the constructor's parameters, sorted."""
        if cls.__init__ is object.__init__:
            return []
        return sorted(name for name in inspect.signature(cls).parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name; ``deep``: also those of nested estimators, as ``name__sub``."""
        found: dict[str, Any] = {}
        for name in self._parameters():
            value = getattr(self, name)
            if deep and hasattr(value, "get_params") and not isinstance(value, type):
                found.update((f"{name}__{key}", sub) for key, sub in value.get_params().items())
            found[name] = value
        return found

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; ``name__sub`` sets one of a nested estimator.

        Raises:
            ValueError: for a parameter that there is not.
        """
        known = self._parameters()
        for key, value in params.items():
            name, _, rest = key.partition("__")
            if name not in known:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {known}.")
            if rest:
                getattr(self, name).set_params(**{rest: value})
            else:
                setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self)).parameters
        changed = [
            f"{name}={value!r}"
            for name, value in self.get_params(deep=False).items()
            if repr(value) != repr(defaults[name].default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type="clusterer", target_tags=TargetTags(required=False), transformer_tags=None,
            classifier_tags=None, regressor_tags=None, input_tags=InputTags(),
        )  # fmt: skip

    def _validate(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Check (N, D) input, keep D as ``n_features_in_``, and return it as float64.

        Raises:
            ValueError, TypeError: scikit-learn's own, for everything that is no finite matrix of numbers.
        """
        if type(X) is np.ndarray and X.dtype.kind == "f" and X.ndim == 2 and X.size:
            rows = X.astype(np.float64, copy=False)
            if np.isfinite(rows).all():
                self.n_features_in_ = rows.shape[1]
                if hasattr(self, "feature_names_in_"):  # of an earlier fit on a table
                    del self.feature_names_in_
                return rows
        from sklearn.utils.validation import validate_data

        checked: npt.NDArray[np.float64] = validate_data(self, X, dtype=np.float64)
        return checked
