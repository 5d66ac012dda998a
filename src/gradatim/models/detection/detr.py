"""DETR: queries look at the whole picture and at one another, and each names one object or none."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from jaxtyping import Float
from pydantic import Field, field_validator
from torch import Tensor, nn

from gradatim.core.recipe import Augmentation, OptimizerChoice, Recipe, Schedule
from gradatim.core.signature import Signature
from gradatim.layers.detection.pyramid import Backbone
from gradatim.layers.detection.query_blocks import DecoderLayer, EncoderLayer, plane_positions
from gradatim.layers.detection.query_boxes import QueryBoxes
from gradatim.models.detection._detector import Detector

__all__ = ["RUNG", "Detr", "QueryNetwork"]


class QueryNetwork(nn.Module):
    """Backbone, encoder over the places of its coarsest map, decoder over learnt queries.

    Args:
        backbone: of planes.
        dim: of a token, a multiple of 4 and of the heads.
        heads: attentions side by side.
        depth: layers of the encoder and of the decoder.
        queries: how many objects can be named.
        classes: names that boxes may have.
    """

    def __init__(
        self, backbone: Backbone, dim: int, heads: int, depth: int, queries: int, classes: int
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.project = nn.Conv2d(backbone.widths[-1], dim, 1)
        self.encoder = nn.ModuleList(EncoderLayer(dim, heads) for _ in range(depth))
        self.decoder = nn.ModuleList(DecoderLayer(dim, heads) for _ in range(depth))
        self.memory_norm, self.norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.queries = nn.Parameter(torch.randn(queries, dim))
        self.of_class = nn.Linear(dim, classes + 1)
        self.of_box = nn.Sequential(
            nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, 4)
        )

    def forward(
        self, x: Float[Tensor, "rows channels h w"]
    ) -> Float[Tensor, "rows layers queries fields"]:
        """Return what the queries answer after every layer of the decoder."""
        maps = self.project(self.backbone(x)[-1])
        places = plane_positions(*maps.shape[1:]).to(maps)
        memory = self._encoded(maps.flatten(2).mT, places)
        asked, answers = self.queries.expand(len(x), -1, -1), []
        found = asked
        for layer in self.decoder:
            found = layer(found, asked, memory, places)
            said = self.norm(found)
            answers.append(torch.cat([self.of_class(said), self.of_box(said)], -1))
        return torch.stack(answers, 1)

    def _encoded(self, tokens: Tensor, places: Tensor) -> Tensor:
        for layer in self.encoder:
            tokens = layer(tokens, places)
        return self.memory_norm(tokens)


class Detr(Detector):
    """A convolutional backbone, a transformer, and one loss for the whole set of boxes.

    Idea: queries agree among themselves who names which object, so nothing has to be thinned out.
    Cost: 3.0 million parameters at width 48 and dim 128; 1.3 billion multiply-adds for 240 x 320
        pixels, and many more epochs than the others.
    Fails when: pictures are few or there is no GPU: who names what takes long to be settled.
    """

    place: ClassVar[int] = 50
    idea: ClassVar[str] = "lets queries that see each other name the objects, each once"
    source: ClassVar[str] = (
        "Carion et al. 2020, 'End-to-end object detection with transformers'; Kuhn 1955"
    )
    deviations: ClassVar[tuple[str, ...]] = (
        "a small residual network at stride 16, from scratch, not ResNet-50 at stride 32",
        "three layers of 128 numbers a token, not six of 256; no dropout, normalisation first",
        "queries are what the decoder begins with, too, where the paper begins with zeros",
        "learning rate 5e-4 for all parameters, falling as a cosine, and 300 epochs",
        "losses are averaged over the boxes of each picture, not of a batch",
        "pictures are mirrored both ways, cropped and of one size",
    )
    sizes: ClassVar[Mapping[str, Mapping[str, object]]] = {
        "tiny": {"width": 4, "blocks": 1, "dim": 16, "heads": 2, "depth": 1, "queries": 6}
    }
    default: ClassVar[bool] = False

    overlap: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Of two boxes of a class that overlap more, only the more confident one is answered; 1 keeps
    both, as in the paper."""
    dim: Annotated[int, Field(ge=4, le=4096, multiple_of=4)] = 128
    """Numbers a token."""
    heads: Annotated[int, Field(ge=1, le=64, validate_default=True)] = 8
    depth: Annotated[int, Field(ge=1, le=24)] = 3
    """Layers of the encoder, and of the decoder."""
    queries: Annotated[int, Field(ge=1, le=1000)] = 100
    """How many objects a picture may have at most."""

    @field_validator("heads")
    @classmethod
    def _divide(cls, heads: int, others: Any) -> int:
        dim = others.data.get("dim", heads)  # absent when it is wrong itself
        if dim % heads:
            raise ValueError(f"dim = {dim} must be a multiple of the heads")
        return heads

    def recipe(self, rows: int, signature: Signature) -> Recipe:
        """Return 300 epochs, mirrored both ways and cropped."""
        return Recipe(
            optimizer=OptimizerChoice(lr=5e-4),
            schedule=Schedule(warmup=0.05),
            augmentation=Augmentation(flip=True, updown=True, crop=0.3),
            epochs=300,
            batch=8,
            clip=1.0,
            validation=0.0,
        )

    def network(self, channels: int, classes: int) -> nn.Module:
        """Return backbone, encoder and decoder."""
        sizes = (self.dim, self.heads, self.depth, self.queries)
        return QueryNetwork(self.backbone(channels), *sizes, classes)

    def output(self, classes: int, size: tuple[int, int]) -> QueryBoxes:
        """Return what the queries name as boxes."""
        return QueryBoxes(classes, self.most, self.overlap)


RUNG = Detr
