"""A stacked network: one network that computes, and trains, several of the same architecture."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..layers._random import random_stream
from ..layers._stacking import StackedActivation, StackedDropout, stacking
from ..layers.dropout import Dropout, draw_mask
from ._batches import TrialDataset
from ._loss import checked_output, losses_of_trials
from ._stackable import is_activation
from ._stacked_optimizer import StackedOptimizer, limit_norms

#: Steps after which losses and outputs are moved from the device to the host.
_STEPS_ON_DEVICE = 256


class _Bank:
    """The training trials of all members on the device, those of the same fold only once."""

    def __init__(self, members: Sequence[Any], device: str) -> None:
        parts: dict[int, TrialDataset] = {id(each.training): each.training for each in members}
        starts, n_before = {}, 0
        for key, part in parts.items():
            starts[key] = n_before
            n_before += len(part)
        self.starts = [starts[id(each.training)] for each in members]
        of_all = list(parts.values())
        self.trials = torch.cat([part.trials for part in of_all]).to(device)
        self.targets = torch.cat([part.y for part in of_all]).to(device)
        self.precomputed = {
            name: torch.cat([part.precomputed[name] for part in of_all]).to(device)
            for name in set.intersection(*(set(part.precomputed) for part in of_all))
        }
        self.device = device

    def take(
        self, present: Sequence[int], batches: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Return trials, targets and precomputed rows of a batch for each member present."""
        starts = torch.tensor([self.starts[i] for i in present], device="cpu")
        index = (torch.stack(list(batches)) + starts[:, None]).to(self.device, non_blocking=True)
        rows = {name: values[index] for name, values in self.precomputed.items()}
        return self.trials[index], self.targets[index], rows


class StackedNetwork:
    """The networks of several members, trained as one.

    Parameters
    ----------
    members : sequence of Member
        After `Member.begin`, with networks of the same architecture. Those with the same
        activation should follow each other, since it is called once for each run of them.
    """

    def __init__(self, members: Sequence[Any]) -> None:
        self.members = members
        net = members[0].net
        self.net, self.device = net, net.device_
        modules = [each.net.module_ for each in members]
        self.bank = _Bank(members, self.device)
        self.shapes = {name: weight.shape for name, weight in modules[0].named_parameters()}
        self.weights = torch.stack(
            [torch.cat([w.detach().flatten() for w in module.parameters()]) for module in modules]
        )
        buffers = [dict(module.named_buffers()) for module in modules]
        self.buffers = {name: torch.stack([each[name] for each in buffers]) for name in buffers[0]}
        of_classes = [each.net._class_weights for each in members]
        self.class_weights = (
            None if of_classes[0] is None else torch.stack(of_classes).to(self.device)
        )
        optimizers = [each.net.optimizer_ for each in members]
        self.optimizer = StackedOptimizer(optimizers, modules, self.device)
        self.dropouts = {
            name: [module.get_submodule(name).p for module in modules]
            for name in _names_of(modules[0], Dropout)
        }
        self.template, self.activations = _template(modules)
        self._formats: dict[int, dict[str, Tensor]] = {}

    # ------------------------------------------------------------------ training

    def train(self, progress: Callable[[], Any] | None = None) -> None:
        """Train all members to the end, and give each network its weights.

        Parameters
        ----------
        progress : callable, optional
            Called after each step.
        """
        waiting = {i: each.batches for i, each in enumerate(self.members)}
        pending: list[tuple[list[int], Tensor, Tensor, Tensor]] = []
        while waiting:
            by_length: dict[int, list[tuple[int, Tensor]]] = defaultdict(list)
            for i, batches in list(waiting.items()):
                batch = next(batches, None)
                if batch is None:
                    del waiting[i]
                else:
                    by_length[len(batch)].append((i, batch))
            for together in by_length.values():
                present, batches_of = [i for i, _ in together], [batch for _, batch in together]
                pending.append((present, *self._step(present, batches_of)))
            if len(pending) >= _STEPS_ON_DEVICE:
                self._record(pending)
            if progress is not None and by_length:
                progress()
        self._record(pending)
        self._give_back()

    def _step(self, present: list[int], batches: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Train the members that are present on a batch of each; return losses and outputs."""
        is_all = len(present) == len(self.members)
        rows = None if is_all else torch.tensor(present, device=self.device)
        trials, targets, precomputed = self.bank.take(present, batches)
        weights = (self.weights if rows is None else self.weights[rows]).requires_grad_()
        buffers = self.buffers
        if rows is not None:
            buffers = {name: values[rows] for name, values in buffers.items()}
        of_classes = self.class_weights
        of_classes = of_classes[rows] if rows is not None and of_classes is not None else of_classes
        for activation in self.activations:
            activation.present = present
        masks = self._masks(present, trials)
        with stacking(), torch.enable_grad():
            losses, outputs = torch.vmap(
                self._loss, in_dims=(0, 0, 0, 0, 0, 0, None if of_classes is None else 0)
            )(self._named(weights), buffers, masks, trials, targets, precomputed, of_classes)
            (gradient,) = torch.autograd.grad(losses.sum(), weights)
        with torch.no_grad():
            weights = weights.detach()
            self.optimizer.step(weights, gradient, rows)
            limit_norms(self.template, self._named(weights))
            if rows is None:
                self.weights = weights
            else:
                self.weights[rows] = weights
                for name, values in buffers.items():
                    self.buffers[name][rows] = values
        return losses.detach(), outputs.detach(), targets

    def _named(self, weights: Tensor) -> dict[str, Tensor]:
        """Return the weights of all members by name, each with a row for each member."""
        parts = weights.split([shape.numel() for shape in self.shapes.values()], dim=1)
        return {
            name: part.unflatten(1, shape) if len(shape) else part[:, 0]
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }

    def _loss(
        self,
        weights: dict[str, Tensor],
        buffers: dict[str, Tensor],
        masks: dict[str, Tensor],
        trials: Tensor,
        targets: Tensor,
        precomputed: dict[str, Tensor],
        of_classes: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Return the loss and the output of a member; called under `torch.vmap`."""
        state = {**weights, **buffers, **masks}
        output = checked_output(
            self.net, functional_call(self.template, state, (trials,), precomputed)
        )
        losses = losses_of_trials(self.net, output, targets)
        if of_classes is not None:
            losses = losses * of_classes[targets]
        return losses.mean(), output

    # ------------------------------------------------------------------ dropout

    def _masks(self, present: Sequence[int], trials: Tensor) -> dict[str, Tensor]:
        """Draw the masks of all dropout layers, as the fit of each member alone would."""
        if not any(any(p > 0 for p in of_members) for of_members in self.dropouts.values()):
            return {f"{name}.mask": trials.new_ones(len(present)) for name in self.dropouts}
        formats = self._formats.get(trials.shape[1])
        if formats is None:
            formats = self._formats[trials.shape[1]] = self._inputs_of_dropouts(trials[0])
        masks = {}
        for name, like in formats.items():
            shape, strides = (len(present), *like.shape), (like.numel(), *like.stride())
            of_all = torch.empty_strided(shape, strides, dtype=like.dtype, device=self.device)
            for mask, i in zip(of_all, present, strict=True):
                p = self.dropouts[name][i]
                if p > 0:
                    generator = self.members[i].stream[mask.device]
                    draw_mask(mask, p, generator)
                else:
                    mask.fill_(1)
            masks[f"{name}.mask"] = of_all
        return masks

    def _inputs_of_dropouts(self, trials: Tensor) -> dict[str, Tensor]:
        """Return an input of each dropout layer, in the order in which they are called."""
        found: dict[str, Tensor] = {}
        module = copy.deepcopy(self.members[0].net.module_).train()
        for name in self.dropouts:
            module.get_submodule(name).register_forward_pre_hook(
                lambda _, inputs, name=name: found.update({name: inputs[0].detach()})
            )
        with random_stream(0, self.device):
            module(trials)
        return found

    # ------------------------------------------------------------------ results

    def _record(self, pending: list[tuple[list[int], Tensor, Tensor, Tensor]]) -> None:
        for present, *values in pending:
            losses, outputs, targets = (each.cpu() for each in values)
            for row, i in enumerate(present):
                step = (losses[row].item(), outputs[row], targets[row])
                self.members[i].recorded.append(step)
        pending.clear()

    @torch.no_grad()
    def _give_back(self) -> None:
        named = self._named(self.weights)
        for i, member in enumerate(self.members):
            for name, weight in member.net.module_.named_parameters():
                weight.copy_(named[name][i])
            for name, buffer in member.net.module_.named_buffers():
                buffer.copy_(self.buffers[name][i])


def _names_of(module: nn.Module, kind: type[nn.Module]) -> list[str]:
    return [name for name, layer in module.named_modules() if isinstance(layer, kind)]


def _template(modules: Sequence[nn.Module]) -> tuple[nn.Module, list[StackedActivation]]:
    """Return a network that computes a member under `torch.vmap`, and its activations."""
    template = copy.deepcopy(modules[0]).train()
    for name in _names_of(template, Dropout):
        template.set_submodule(name, StackedDropout())
    activations = []
    for name, layer in modules[0].named_modules(remove_duplicate=False):
        of_members = [module.get_submodule(name) for module in modules]
        if is_activation(layer) and len(set(map(repr, of_members))) > 1:
            activations.append(StackedActivation(of_members))
            template.set_submodule(name, activations[-1])
    return template, activations
