"""Everything that changes while a run trains, and the one step that changes it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim.lr_scheduler import ReduceLROnPlateau

from fercourse.augment import augment, augment_with_masks, foggy, mixup, mixup_share
from fercourse.config import RunConfig
from fercourse.errors import FercourseError
from fercourse.losses import JointLoss, map_loss
from fercourse.models.build import build
from fercourse.models.fernet import FERNet
from fercourse.models.imagenet import load_imagenet
from fercourse.models.recogniser import Recogniser
from fercourse.preprocess import to_input
from fercourse.training.graph import RecordedStep
from fercourse.training.optim import make_average, make_optimizer, make_schedule, update_average
from fercourse.weights import find_weights
from fercourse.weights.trained import load_weights

if TYPE_CHECKING:
    from lightning_fabric import Fabric


class Learner:
    """Model, loss with its centres, weight average, optimizer and learning-rate schedule.

    Args:
        config: The run. Weights and centres are drawn from torch's global generator.
        steps: Optimizer steps of the whole run, which a cosine schedule needs to know.
    """

    def __init__(self, config: RunConfig, steps: int) -> None:
        self.config = config
        self.model = build(config.model)
        if config.model.imagenet:
            load_imagenet(cast(FERNet, self.model).backbone)
        self.loss: Any = JointLoss(
            config.model.num_classes, config.model.embedding, config.loss, config.model.joint_loss
        )
        self.average = make_average(config.train, self.model)
        self.optimizer: Any = make_optimizer(config.train, self.model, self.loss)
        self.schedule = make_schedule(config.train, self.optimizer, steps)
        self.teacher = _teacher(config) if config.train.teacher else None
        # The step from which "swa" holds the rate and averages.
        self.steady_from = round(steps * (1 - config.train.swa))
        self.forward: Any = self.model
        self.recorded: RecordedStep | None = None

    def place(self, fabric: Fabric) -> None:
        """Move everything to the device, and wrap what several processes must agree on."""
        self.fabric = fabric
        layout = torch.preserve_format if fabric.device.type == "mps" else torch.channels_last
        self.model.to(memory_format=layout)
        forward: Any = self.model
        if self.config.train.compile:
            mode = "reduce-overhead" if self.config.train.cuda_graphs else "default"
            forward = torch.compile(self.model, mode=mode)
        self.forward, self.optimizer = fabric.setup(forward, self.optimizer)
        learned = any(p.requires_grad for p in self.loss.parameters())
        self.loss = fabric.setup_module(self.loss) if learned else self.loss.to(fabric.device)
        if self.teacher:
            teacher: Any = self.teacher
            teacher.to(fabric.device, memory_format=layout)
        if self.average:
            # Not its counter, which torch reads at every step (older releases for every tensor):
            # on a GPU each look would wait for it.
            network: Any = self.average.module
            network.to(fabric.device, memory_format=layout)

    @property
    def records(self) -> bool:
        """Whether steps are recorded as a CUDA graph, where torch.compile does not do it itself.

        Several processes average gradients while they are computed, which is not recorded.
        """
        alone = self.fabric.world_size == 1
        return self.fabric.device.type == "cuda" and alone and not self.config.train.cuda_graphs

    def train(self) -> None:
        """Put model and loss into training mode."""
        self.model.train()
        self.loss.train()

    def step(
        self,
        images: Tensor,
        labels: Tensor,
        generator: torch.Generator,
        masks: Tensor | None = None,
    ) -> Tensor:
        """One optimizer step on one batch.

        Args:
            images: uint8 (B, H, W), on the device.
            labels: int64 (B,), on the device.
            generator: For augmentation and mixup.
            masks: uint8 (B, H, W), on the device, where maps are supervised; see
                :func:`fercourse.losses.map_loss`.

        Returns:
            float32 (5,), on the device: total loss, its three terms, share of right answers.

        Raises:
            FercourseError: ``train.compile`` is on, and this machine cannot compile.
        """
        config = self.config.train
        if self.records:
            if self.recorded is None or self.recorded.images.shape != images.shape:
                self.optimizer.zero_grad()
                self.recorded = RecordedStep(
                    partial(self.gradients, generator),
                    (self.model, self.loss),
                    generator,
                    images,
                    labels,
                    masks,
                )
            share = mixup_share(config.mixup, generator) if config.mixup else 1.0
            report = self.recorded(images, labels, masks, share)
        else:
            self.optimizer.zero_grad()
            report = self.gradients(generator, images, labels, masks)
        if config.clip:
            # An error here would wait for the device at every step; fit looks at the loss instead.
            self.fabric.clip_gradients(
                self.forward, self.optimizer, max_norm=config.clip, error_if_nonfinite=False
            )
        self.optimizer.step()
        averaging = self.schedule.last_epoch >= self.steady_from
        if not isinstance(self.schedule, ReduceLROnPlateau) and not averaging:
            self.schedule.step()
        if self.average and (averaging or not config.swa):
            decay = None if config.swa else config.ema
            update_average(self.average, self.model, decay, config.ema_corrected)
        return report

    def gradients(
        self,
        generator: torch.Generator,
        images: Tensor,
        labels: Tensor,
        masks: Tensor | None = None,
        share: Tensor | None = None,
    ) -> Tensor:
        """Augment a batch, and leave the loss's gradients in the parameters.

        Args:
            generator: For augmentation and mixup.
            images: uint8 (B, H, W), on the device.
            labels: int64 (B,), on the device.
            masks: As for :meth:`step`.
            share: Of mixup, where it is on; None draws it.

        Returns:
            As :meth:`step`.
        """
        config = self.config.train
        y = labels  # (B,)
        mirror = config.flip == "random"
        if masks is None:
            x = augment(images, config.augment, generator, mirror)  # (B, 1, H, W)
        else:
            x, masks = augment_with_masks(images, masks, config.augment, generator, mirror)
        if config.fog:
            x = foggy(x, config.fog, generator)
        if config.mixup:
            drawn = mixup_share(config.mixup, generator) if share is None else share
            x, y = mixup(x, y, drawn, generator, self.config.model.num_classes)  # y (B, K)
        if self.teacher:
            y = self.taught(x, y)
        if config.hardest < 1:
            x, y = self.hardest(x, y)
        from torch._dynamo.exc import BackendCompilerFailed

        try:
            output = self.forward(to_input(x, self.model))
        except BackendCompilerFailed as error:  # as without a C++ compiler
            reason = str(error.inner_exception).splitlines()[0].rstrip(".")
            raise FercourseError(
                f"The model cannot be compiled here ({reason}): "
                "install what is missing, or leave train.compile off."
            ) from error
        terms = self.loss(output.logits, output.embedding, y)
        if masks is not None:
            weight = self.config.loss.map_weight
            terms = terms._replace(total=terms.total + weight * map_loss(output.maps, masks))
        self.fabric.backward(terms.total)
        truth = y if y.ndim == 1 else y.argmax(1)
        right = (output.logits.argmax(1) == truth).float().mean()
        return torch.stack((*(term.detach() for term in terms), right))

    @torch.no_grad()
    def taught(self, x: Tensor, y: Tensor) -> Tensor:
        """Halfway between the targets of a batch and what the teacher says of the very same faces.

        Args:
            x: float (B, 1, H, W), distorted already: a teacher knows its own training faces too
                well, and says of distorted ones what it learned.
            y: int64 (B,), or float32 (B, K) of targets.

        Returns:
            float32 (B, K), rows that sum to 1.
        """
        assert self.teacher is not None
        with self.fabric.autocast():
            answers = self.teacher(to_input(x, self.teacher)).logits.float().softmax(1)  # (B, K)
        targets = y if y.is_floating_point() else F.one_hot(y, answers.shape[1]).float()
        return (targets + answers) / 2

    @torch.no_grad()
    def hardest(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Those faces of a batch that are answered worst, as ``train.hardest`` says.

        They are judged in evaluation mode: batch norm's running statistics stay.

        Args:
            x: float (B, 1, H, W).
            y: int64 (B,), or float32 (B, K) of targets.
        """
        self.model.eval()
        with self.fabric.autocast():
            logits = self.model(to_input(x, self.model)).logits  # (B, K)
        self.model.train()
        losses = F.cross_entropy(logits.float(), y, reduction="none")  # (B,)
        chosen = losses.topk(max(2, round(self.config.train.hardest * len(x)))).indices
        return x[chosen], y[chosen]

    def end_epoch(self, val_loss: float) -> None:
        """Let a plateau schedule see the validation loss."""
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(val_loss)

    @property
    def lr(self) -> float:
        """The present learning rate."""
        return self.optimizer.param_groups[0]["lr"]

    @property
    def eval_model(self) -> Recogniser:
        """The model to validate and keep: the weight average where there is one yet."""
        if self.average is not None and self.average.n_averaged > 0:
            return cast(Recogniser, self.average.module)
        return self.model

    @property
    def plain_loss(self) -> JointLoss:
        """The loss without its wrapper."""
        return getattr(self.loss, "module", self.loss)

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on."""
        return {
            "model": state_copy(self.model),
            "loss": state_copy(self.plain_loss),
            "average": self.average.state_dict() if self.average else None,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of :meth:`state_dict`, to be called after :meth:`place`.

        An optimizer loads its momentum to where the parameters are, and never moves it again.
        """
        self.model.load_state_dict(state["model"])
        self.plain_loss.load_state_dict(state["loss"])
        if self.average:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])


def _teacher(config: RunConfig) -> Recogniser:
    network = load_weights(find_weights(config.train.teacher)).network
    classes = network.config.num_classes
    if classes != config.model.num_classes:
        raise FercourseError(
            f"The teacher {config.train.teacher} knows {classes} classes, and this run has "
            f"{config.model.num_classes}: name another teacher."
        )
    return network


def state_copy(module: torch.nn.Module) -> dict[str, Tensor]:
    """A copy of a module's state on the CPU, which further training leaves alone."""
    return {name: value.detach().cpu().clone() for name, value in module.state_dict().items()}
