"""What history explains, and what it leaves alone."""

from collections import Counter
from dataclasses import asdict

import numpy as np
import pytest
from numpy.typing import NDArray

from ab_testing.stats.cuped import Adjusted, HistoryStatistics, adjust
from ab_testing.stats.ratio import difference

Units = NDArray[np.int64]


def units(random: np.random.Generator, count: int, known: float, effect: float = 0.0) -> Units:
    """Rows of x, y and x, y before: users whose taste shows in both periods."""
    taste = random.beta(1.5, 3.0, count)
    activity = random.gamma(2, 10, count)
    y, w = 1 + random.poisson(activity), (1 + random.poisson(activity)) * (random.random(count) < known)
    return np.stack([random.binomial(y, np.minimum(1, taste + effect)), y, random.binomial(w, taste), w], axis=1)


def table(rows: Units) -> Counter[tuple[int, int, int, int]]:
    return Counter((x, y, u, w) for x, y, u, w in rows.tolist())


def freed(control: Units, treatment: Units) -> Adjusted:
    arms = {"control": control, "treatment": treatment}
    return adjust({name: HistoryStatistics.of_table(table(rows)) for name, rows in arms.items()})


def test_agrees_with_a_regression_on_the_units_themselves() -> None:
    random = np.random.default_rng(1)
    arms = [units(random, 300, 0.7), units(random, 280, 0.7, effect=0.05)]
    everyone = np.concatenate(arms).astype(float)
    rate, mean = everyone[:, 2].sum() / everyone[:, 3].sum(), everyone[:, 3].sum() / (everyone[:, 3] > 0).sum()
    linear, before = [], []
    for arm in arms:
        x, y, u, w = arm.T.astype(float)
        linear.append((x - x.sum() / y.sum() * y) / y.mean())
        before.append(np.stack([(u - rate * w) / mean, w > 0], axis=1))
    centred = np.concatenate([one - one.mean(axis=0) for one in before])
    slope = np.linalg.lstsq(centred, np.concatenate(linear), rcond=None)[0]
    ours = freed(*arms)
    pooled = np.concatenate(before).mean(axis=0)
    for arm, name, one, history in zip(arms, ("control", "treatment"), linear, before, strict=True):
        left = one - (history - history.mean(axis=0)) @ slope
        assert ours.arms[name].value == pytest.approx(
            arm[:, 0].sum() / arm[:, 1].sum() - (history.mean(axis=0) - pooled) @ slope, abs=1e-12
        )
        assert ours.arms[name].standard_error == pytest.approx(left.std(ddof=1) / np.sqrt(len(left)), rel=1e-9)
    assert ours.known == pytest.approx((everyone[:, 3] > 0).mean())


def test_history_lowers_the_noise_and_moves_no_mean() -> None:
    random = np.random.default_rng(2)
    raw, ours, errors = [], [], []
    for _ in range(400):
        control, treatment = units(random, 300, 1.0), units(random, 300, 1.0, effect=0.05)
        result = freed(control, treatment)
        effect = difference(result.arms["control"], result.arms["treatment"])
        ours.append(effect.value)
        errors.append(effect.standard_error)
        raw.append(treatment[:, 0].sum() / treatment[:, 1].sum() - control[:, 0].sum() / control[:, 1].sum())
    assert np.mean(ours) == pytest.approx(np.mean(raw), abs=3 * np.std(raw) / 20)
    assert np.var(ours) < 0.7 * np.var(raw)
    assert np.mean(errors) == pytest.approx(np.std(ours), rel=0.1)


def test_without_any_history_nothing_changes() -> None:
    random = np.random.default_rng(3)
    control, treatment = units(random, 50, 0.0), units(random, 50, 0.0)
    result = freed(control, treatment)
    assert (result.known, result.variance) == (0.0, 1.0)
    assert result.arms["control"] == HistoryStatistics.of_table(table(control)).ratio.estimate()


def test_history_that_does_not_vary_explains_nothing() -> None:
    rows = units(np.random.default_rng(4), 60, 0.0)
    rows[:, 2:] = (1, 4)
    result = freed(rows[:30], rows[30:])
    assert result.variance == pytest.approx(1.0)
    raw = HistoryStatistics.of_table(table(rows[:30])).ratio.estimate()
    assert result.arms["control"].value == pytest.approx(raw.value)
    assert result.arms["control"].standard_error == pytest.approx(raw.standard_error)


def test_caps_hold_for_both_periods_and_the_order_does_not_matter() -> None:
    rows = {(30, 100, 5, 20): 1, (1, 5, 1, 4): 2, (0, 3, 0, 0): 4}
    capped = HistoryStatistics.of_table(rows, cap=10, before_cap=8)
    same = HistoryStatistics.of_table({(3, 10, 2, 8): 1, (1, 5, 1, 4): 2, (0, 3, 0, 0): 4})
    assert asdict(capped) == asdict(same)
    assert HistoryStatistics.of_table(dict(reversed(rows.items())), cap=10, before_cap=8) == capped
    assert HistoryStatistics.from_json(asdict(capped)) == capped
