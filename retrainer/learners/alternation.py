"""Learns one candidate from evidence: labels, adapter, memory and fusion, in alternation.

Every pass labels the evidence with the model's own out-of-fold predictions as the prior, learns on these labels, and
predicts again. What the model has understood of other queries helps to read the clicks of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from foundation.contracts import ClickCurve, Label, Labeller
from retrainer.learners.adapter import Adaptation, learn_adapter
from retrainer.learners.belief import Relevance
from retrainer.learners.caution import choose_weights
from retrainer.learners.cross_fitting import CrossFitter
from retrainer.learners.memory import remember
from retrainer.learners.priors import PRIOR_WEIGHTS
from retrainer.learners.tower.protocol import LearnsTower
from retrainer.learners.training_set import FOLDS, TrainingSet
from serving.index.corpus import Corpus
from serving.ranking.tower.static_tower import StaticTower

PASSES = 2
_FINAL_STEPS = 150


@dataclass(frozen=True, slots=True)
class Learned:
    """A candidate before it is written down.

    Attributes:
        documents: Ids of the documents by their number in `adaptation`.
        choices: What the memory keeps.
        tower: The static tower, None where none was asked for, or where it did not pay.
    """

    adaptation: Adaptation
    documents: list[str]
    choices: Relevance
    weights: dict[str, float]
    curve: ClickCurve
    labels: list[Label] = field(repr=False)
    tower: StaticTower | None = None


def learn(
    training_set: TrainingSet,
    corpus: Corpus,
    labeller: Labeller,
    seed: int,
    passes: int = PASSES,
    progress: Callable[[str], None] = lambda _: None,
    *,
    cautious: bool = True,
    tower: LearnsTower | None = None,
) -> Learned:
    """Return what the evidence of `training_set` teaches over the documents of `corpus`.

    Args:
        passes: Alternations of labelling and learning, at least 1.
        cautious: Whether the fusion stays production's until clicks speak for another; see
            `retrainer.learners.caution`.
        tower: Learns a static tower, to be kept if it makes clicks likelier on queries that it has not learned from;
            only where it is cautious.
    """
    fitter = CrossFitter(training_set, corpus, seed)
    prior, weights = fitter.believe_untaught(), PRIOR_WEIGHTS
    for number in range(passes):
        progress(f"pass {number + 1} of {passes}")
        labels, curve = labeller(training_set.evidence, prior, None)
        lists = fitter.predict(labels)
        weights = fitter.weigh(lists, labels, PRIOR_WEIGHTS)
        prior = fitter.believe(lists, weights)
    pays = False
    if cautious:
        chosen = choose_weights(fitter, lists, labels, training_set.evidence, curve)
        if tower is not None:
            progress("static tower")
            towers = [tower.learn(fitter.judge(fitter.leave_out(fold, labels)), seed) for fold in range(FOLDS)]
            higher = choose_weights(fitter, fitter.predict_with(towers), labels, training_set.evidence, curve)
            pays = higher.surely_exceeds(chosen)
            chosen = higher if pays else chosen
        weights = chosen.weights
    progress("final labels and adapter")
    labels, curve = labeller(training_set.evidence, prior, None)
    judged = fitter.judge(labels)
    return Learned(
        adaptation=learn_adapter(judged, fitter.document_vectors.vectors, _FINAL_STEPS, seed),
        documents=fitter.document_vectors.ids,
        choices=remember(labels),
        weights=weights,
        curve=curve,
        labels=labels,
        tower=tower.learn(judged, seed) if tower is not None and pays else None,
    )
