"""decode.py - raw predictions to lanes: threshold, suppression, points; as the reference does it."""

import numpy as np

from .head import ROWS, STRIPS, WIDTH

CONFIDENCE = 0.45  # of the preset `road`


def truncate(x):
    return int(np.trunc(x))


def suppress(rows, score, threshold, most):
    """Indices of the kept rows [n, 78], best first, at most `most`; threshold is a mean distance in pixels."""
    x = rows[:, 6:] * (WIDTH - 1)
    start = [min(max(truncate(r[2] * STRIPS + 0.5), 0), STRIPS) for r in rows]
    end = []
    for r, s in zip(rows, start):
        length = r[5] * STRIPS - 1
        end.append(s + truncate(length + 0.5 - (length < 0)))
    kept = []
    for i in np.argsort(-score, kind='stable'):
        for k in kept:
            first, last = max(start[i], start[k]), min(end[i], end[k], ROWS - 1)
            if last >= first and np.abs(x[i, first : last + 1] - x[k, first : last + 1]).sum() < threshold * (
                last - first + 1
            ):
                break
        else:
            kept.append(i)
            if len(kept) == most:
                break
    return kept


def points(row):
    """Points [n, 2] of one prediction: x and y in 0..1 of the network's input, from bottom to top."""
    x, y = row[6:].copy(), np.linspace(1, 0, ROWS)
    start = min(max(int(np.round(row[2] * STRIPS)), 0), STRIPS)
    end = min(start + int(np.round(row[5] * STRIPS)) - 1, ROWS - 1)
    inside = (x[:start] >= 0) & (x[:start] <= 1)
    reach = np.cumprod(inside[::-1])[::-1].astype(bool)  # unbroken down from the start
    x[:start][~reach] = -2
    x[max(end + 1, 0) :] = -2
    return np.stack([x, y], 1)[x >= 0]


def lanes(raw, confidence=CONFIDENCE, threshold=50, most=5):
    """Lanes of one picture from raw [P, 78] (numpy): a list of (score, points)."""
    gap = raw[:, 0].astype(np.float64) - raw[:, 1]
    score = 1 / (1 + np.exp(np.clip(gap, -60, 60)))
    chosen = np.flatnonzero((score >= confidence) & np.isfinite(raw).all(1))
    if not len(chosen):
        return []
    raw, score = raw[chosen], score[chosen]
    found = [(float(score[i]), points(raw[i])) for i in suppress(raw, score, threshold, most)]
    return [(s, p) for s, p in found if len(p) > 1]
