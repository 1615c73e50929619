"""What a student learns from a teacher: where it puts a face, and how faces lie to each other.

Labels play no part: any picture that a teacher can embed is an example.
"""

from torch import Tensor, nn
from torch.nn import functional

from vultus.networks.embedders.embedder import Embedder
from vultus.networks.heads import Head


def towards(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean of 1 − cosine between both embeddings of each face. Args: float32 [N, D] each."""
    return (1 - functional.cosine_similarity(student, teacher)).mean()


def relation(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference of the cosines between any two faces of the batch.

    Args: float32 [N, D] and [N, T]; the two lengths may differ.
    Returns: scalar, 0 for fewer than two faces.
    Source: after Tung and Mori, "Similarity-Preserving Knowledge Distillation", ICCV 2019; cosines
        instead of rows scaled to unit length, so that the same pair weighs the same in any batch.
    """
    count = len(student)
    mine, wanted = (functional.normalize(part) for part in (student, teacher))
    difference = (mine @ mine.T - wanted @ wanted.T).square()
    return difference.sum() / max(1, count * (count - 1))  # the diagonal is 0 in both


class EmbedderTraining(nn.Module):
    """An embedder with what it is trained by; only the embedder is kept.

    The loss is (1 − distil) · head + distil · (towards + relation · its weight).
    """

    def __init__(
        self, embedder: Embedder, head: Head | None, *, distil: float = 0.0, relation: float = 0.0
    ) -> None:
        """`head`: may be missing where `distil` is 1."""
        super().__init__()
        self.embedder, self.head = embedder, head
        self.distil, self.relation = distil, relation

    def forward(self, pixels: Tensor, labels: Tensor, teacher: Tensor | None = None) -> Tensor:
        """Scalar. Args: float32 [N, 3, S, S]; int64 [N]; the teacher's embeddings float32 [N, T]."""
        embeddings: Tensor = self.embedder(pixels)
        loss = embeddings.new_zeros(())
        if self.head is not None and self.distil < 1:
            loss = loss + (1 - self.distil) * self.head(embeddings, labels)
        if teacher is not None and self.distil > 0:
            taught = towards(embeddings, teacher)
            taught = taught + self.relation * relation(embeddings, teacher)
            loss = loss + self.distil * taught
        return loss
