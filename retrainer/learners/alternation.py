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
from retrainer.learners.training_set import TrainingSet
from serving.index.corpus import Corpus

PASSES = 2
_FINAL_STEPS = 150


@dataclass(frozen=True, slots=True)
class Learned:
    """A candidate before it is written down.

    Attributes:
        documents: Ids of the documents by their number in `adaptation`.
        choices: What the memory keeps.
    """

    adaptation: Adaptation
    documents: list[str]
    choices: Relevance
    weights: dict[str, float]
    curve: ClickCurve
    labels: list[Label] = field(repr=False)


def learn(
    training_set: TrainingSet,
    corpus: Corpus,
    labeller: Labeller,
    seed: int,
    passes: int = PASSES,
    progress: Callable[[str], None] = lambda _: None,
    *,
    cautious: bool = True,
) -> Learned:
    """Return what the evidence of `training_set` teaches over the documents of `corpus`.

    Args:
        passes: Alternations of labelling and learning, at least 1.
        cautious: Whether the fusion stays production's until clicks speak for another; see
            `retrainer.learners.caution`.
    """
    fitter = CrossFitter(training_set, corpus, seed)
    prior, weights = fitter.believe_untaught(), PRIOR_WEIGHTS
    for number in range(passes):
        progress(f"pass {number + 1} of {passes}")
        labels, curve = labeller(training_set.evidence, prior, None)
        lists = fitter.predict(labels)
        weights = fitter.weigh(lists, labels, PRIOR_WEIGHTS)
        prior = fitter.believe(lists, weights)
    if cautious:
        weights = choose_weights(fitter, lists, labels, training_set.evidence, curve)
    progress("final labels and adapter")
    labels, curve = labeller(training_set.evidence, prior, None)
    adaptation = learn_adapter(fitter.judge(labels), fitter.document_vectors.vectors, _FINAL_STEPS, seed)
    return Learned(adaptation, fitter.document_vectors.ids, remember(labels), weights, curve, labels)
