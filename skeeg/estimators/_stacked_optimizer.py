"""Steps of Adam, AdamW and SGD on the weights of all members of a stacked network at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

#: Options that have another value in each group of weights, and so in each member.
_NUMBERS = {
    torch.optim.Adam: ("lr", "weight_decay", "beta1", "beta2", "eps"),
    torch.optim.AdamW: ("lr", "weight_decay", "beta1", "beta2", "eps"),
    torch.optim.SGD: ("lr", "weight_decay", "momentum", "dampening"),
}

#: Options with which the steps are others than those computed here.
_REFUSED = ("amsgrad", "maximize", "differentiable", "nesterov")


def obstacle_of_optimizer(optimizer: torch.optim.Optimizer) -> str | None:
    """Return why the members of a stacked network cannot have an optimiser, None if they can.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer

    Returns
    -------
    reason : str or None
    """
    if type(optimizer) not in _NUMBERS:
        return f"the optimizer {type(optimizer).__name__} is not adam, adamw or sgd"
    for group in optimizer.param_groups:
        # AdamW of torch is Adam with this option.
        for option in _REFUSED:
            if group.get(option):
                return f"the optimizer has {option}={group[option]!r}"
    return None


class StackedOptimizer:
    """An optimiser of the weights of all members, each with its own options.

    Parameters
    ----------
    optimizers : sequence of torch.optim.Optimizer
        The optimiser of each member, before its first step; all of the same class.
    modules : sequence of torch.nn.Module
        The networks of the members, whose weights are the rows of what `step` changes.
    device : str
    """

    def __init__(
        self,
        optimizers: Sequence[torch.optim.Optimizer],
        modules: Sequence[nn.Module],
        device: str,
    ) -> None:
        self.kind: Any = type(optimizers[0])
        rows = [
            _options_of_weights(optimizer, module, self.kind)
            for optimizer, module in zip(optimizers, modules, strict=True)
        ]
        self.options = {name: _narrow([row[name] for row in rows], device) for name in rows[0]}
        n_weights = len(rows[0]["lr"])
        n_averages = 1 if self.kind is torch.optim.SGD else 2
        self.averages = [
            torch.zeros(len(rows), n_weights, dtype=torch.float32, device=device)
            for _ in range(n_averages)
        ]
        self.n_steps = torch.zeros(len(rows), 1, dtype=torch.float64, device=device)

    def step(self, weights: Tensor, gradient: Tensor, rows: Tensor | None) -> None:
        """Change the weights in place.

        Parameters
        ----------
        weights, gradient : Tensor, shape (n_present, n_weights)
        rows : Tensor or None
            The members that these are; None if they are all.
        """
        of = {name: _rows_of(values, rows) for name, values in self.options.items()}
        averages = [_rows_of(values, rows) for values in self.averages]
        n_steps = _rows_of(self.n_steps, rows).add_(1)
        if self.kind is torch.optim.SGD:
            _sgd(weights, gradient, of, averages[0], n_steps)
        else:
            _adam(weights, gradient, of, averages, n_steps, self.kind is torch.optim.AdamW)
        if rows is not None:
            self.n_steps[rows] = n_steps
            for all_members, changed in zip(self.averages, averages, strict=True):
                all_members[rows] = changed


def _adam(
    weights: Tensor,
    gradient: Tensor,
    of: dict[str, Tensor],
    averages: list[Tensor],
    n_steps: Tensor,
    is_decoupled: bool,
) -> None:
    mean, square = averages
    if is_decoupled:
        weights.mul_((1 - of["lr"] * of["weight_decay"]).float())
    else:
        gradient = torch.addcmul(gradient, weights, of["weight_decay"].float())
    mean.lerp_(gradient, (1 - of["beta1"]).float())
    square.mul_(of["beta2"].float()).addcmul_(gradient * (1 - of["beta2"]).float(), gradient)
    size = of["lr"] / (1 - of["beta1"] ** n_steps)
    correction = (1 - of["beta2"] ** n_steps).sqrt()
    root = (square.sqrt() / correction.float()).add_(of["eps"].float())
    weights.sub_(size.float() * mean / root)


def _sgd(
    weights: Tensor,
    gradient: Tensor,
    of: dict[str, Tensor],
    average: Tensor,
    n_steps: Tensor,
) -> None:
    gradient = torch.addcmul(gradient, weights, of["weight_decay"].float())
    # torch begins with the gradient itself, without dampening.
    share = torch.where(n_steps == 1, 1.0, 1 - of["dampening"]).float()
    average.mul_(of["momentum"].float()).add_(share * gradient)
    moving = torch.where(of["momentum"] == 0, gradient, average)
    weights.sub_(of["lr"].float() * moving)


def _options_of_weights(
    optimizer: torch.optim.Optimizer, module: nn.Module, kind: Any
) -> dict[str, Tensor]:
    """Return the value of each option for each weight, as one row."""
    group_of = {id(weight): group for group in optimizer.param_groups for weight in group["params"]}
    parts: dict[str, list[Tensor]] = {name: [] for name in _NUMBERS[kind]}
    for weight in module.parameters():
        group = dict(group_of[id(weight)])
        group["beta1"], group["beta2"] = group.get("betas", (0.0, 0.0))
        for name, part in parts.items():
            of_weight = weight.new_full((weight.numel(),), float(group[name]), dtype=torch.float64)
            part.append(of_weight)
    return {name: torch.cat(part) for name, part in parts.items()}


def _narrow(rows: list[Tensor], device: str) -> Tensor:
    """Return options as (n_members, n_weights), or (n_members, 1) if all weights have the same."""
    table = torch.stack(rows)
    if bool((table == table[:, :1]).all()):
        table = table[:, :1]
    return table.to(device)


def _rows_of(values: Tensor, rows: Tensor | None) -> Tensor:
    return values if rows is None else values[rows]


@torch.no_grad()
def limit_norms(module: nn.Module, weights: dict[str, Tensor]) -> None:
    """Shrink, in place, what exceeds the limits of the layers, as `apply_max_norm` does.

    Parameters
    ----------
    module : torch.nn.Module
        The network of a member, whose layers have the limits.
    weights : dict of str to Tensor
        Views of the weights of all members, with a row for each, by name.
    """
    for name, layer in module.named_modules():
        limit = getattr(layer, "max_norm", None)
        weight = weights.get(f"{name}.weight" if name else "weight")
        if limit is None or weight is None or isinstance(layer, nn.Embedding | nn.EmbeddingBag):
            continue
        norm = weight.flatten(2).norm(dim=2)
        factor = torch.where(norm > limit, limit / (norm + 1e-7), 1.0)
        weight.mul_(factor.reshape(*factor.shape, *[1] * (weight.ndim - 2)))
