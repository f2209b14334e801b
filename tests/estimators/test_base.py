"""Training: weights, early stopping, continued training, callbacks and skorch."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.metrics import recall_score
from sklearn.utils.class_weight import compute_sample_weight
from skorch.callbacks import Callback, Checkpoint, EarlyStopping, EpochScoring, LRScheduler
from skorch.dataset import ValidSplit
from torch import nn

from skeeg import EEGData, EEGNetClassifier, ModuleClassifier
from skeeg.estimators import _callbacks
from skeeg.networks import EEGNet

from .support import make, oscillations


class Linear(nn.Sequential):
    """A network without dropout or normalisation, whose training numpy can follow."""

    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__(nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs))


def gradient_descent(X, y, weight, start, *, lr, steps):
    """Full-batch descent on weighted cross-entropy, in numpy."""
    flat = X.reshape(len(X), -1)
    W, b = (np.array(part, dtype=np.float64) for part in start)
    weight = weight / weight.mean()
    for _ in range(steps):
        logits = flat @ W.T + b
        proba = np.exp(logits - logits.max(axis=1, keepdims=True))
        proba /= proba.sum(axis=1, keepdims=True)
        error = (proba - np.eye(proba.shape[1])[y]) * weight[:, None] / len(X)
        W -= lr * error.T @ flat
        b -= lr * error.sum(axis=0)
    return W, b


def start_of(estimator, X, y):
    """The weights that a fit with the estimator's seed begins with."""
    zero = make(ModuleClassifier, module=Linear, optimizer="sgd", lr=1e-30, max_epochs=1)
    zero.set_params(random_state=estimator.random_state, batch_size=-1)
    module = zero.fit(X, y).module_
    return module[1].weight.detach().numpy(), module[1].bias.detach().numpy()


# ---------------------------------------------------------------------- weights


@pytest.mark.parametrize("kind", ["none", "sample_weight", "balanced", "dict", "both"])
def test_weighted_training_is_weighted_gradient_descent(kind):
    X, y = oscillations(n_trials=30, n_chans=2, n_times=10, n_classes=3)
    y = np.where(np.arange(30) < 20, 0, y)
    sample_weight = np.random.default_rng(0).uniform(0.2, 3, 30)
    class_weight = {"balanced": "balanced", "dict": {0: 1, 1: 5, 2: 0.5}, "both": "balanced"}
    estimator = ModuleClassifier(
        module=Linear,
        optimizer="sgd",
        lr=0.1,
        max_epochs=7,
        batch_size=-1,
        random_state=0,
        class_weight=class_weight.get(kind),
    )
    given = sample_weight if kind in ("sample_weight", "both") else None
    weight = np.ones(30) if given is None else given
    weight = weight * compute_sample_weight(class_weight.get(kind), y)
    start = start_of(estimator, X, y)
    estimator.fit(X, y, sample_weight=given)
    W, b = gradient_descent(X / estimator.scale_, y, weight, start, lr=0.1, steps=7)
    np.testing.assert_allclose(estimator.module_[1].weight.detach(), W, atol=1e-5)
    np.testing.assert_allclose(estimator.module_[1].bias.detach(), b, atol=1e-5)


def test_training_without_weights_has_the_loss_that_history_records():
    X, y = oscillations(n_trials=30, n_chans=2, n_times=10)
    estimator = make(ModuleClassifier, module=Linear, optimizer="sgd", lr=1e-30).fit(X, y)
    proba = estimator.predict_proba(X)
    loss = -np.log(proba[np.arange(30), y]).mean()
    assert estimator.history[-1]["train_loss"] == pytest.approx(loss, rel=1e-5)
    assert estimator.history[-1]["train_acc"] == pytest.approx(estimator.score(X, y))


def test_zero_weight_equals_absence_in_a_full_batch():
    X, y = oscillations(n_trials=30)
    X[::3] *= 100  # weight zero also removes a trial from the scale and the batch statistics
    weight = np.where(np.arange(30) % 3 == 0, 0.0, 1.0)
    present = weight > 0
    a = make(EEGNetClassifier, batch_size=-1).fit(X, y, sample_weight=weight)
    b = make(EEGNetClassifier, batch_size=-1).fit(X[present], y[present], np.ones(20))
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))
    assert a.scale_ == b.scale_


def test_scaling_all_weights_changes_nothing():
    X, y = oscillations()
    weight = np.random.default_rng(0).uniform(0.5, 2, len(X))
    a = make(EEGNetClassifier).fit(X, y, sample_weight=weight)
    b = make(EEGNetClassifier).fit(X, y, sample_weight=1000 * weight)
    np.testing.assert_allclose(a.predict_proba(X), b.predict_proba(X), atol=1e-5)


def test_balanced_weights_find_the_rare_class_of_five_to_one():
    # Two Gaussians one deviation apart: the best rule finds 13 % of the rare class as it comes,
    # and 69 % where both classes weigh the same.
    y = np.where(np.arange(600) % 6 == 0, "rare", "frequent")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 1, 8)) + (y == "rare")[:, None, None] / np.sqrt(8)
    found = {}
    for class_weight in (None, "balanced", {"rare": 5, "frequent": 1}):
        estimator = make(
            ModuleClassifier,
            module=Linear,
            max_epochs=100,
            batch_size=60,
            class_weight=class_weight,
        )
        recall = recall_score(y, estimator.fit(X, y).predict(X), pos_label="rare")
        found[str(class_weight)] = recall
    balanced, as_it_comes, by_hand = found["balanced"], found["None"], found.popitem()[1]
    assert as_it_comes < 0.35
    assert 0.55 < balanced < 0.85
    assert by_hand == pytest.approx(balanced, abs=0.02)


@pytest.mark.parametrize(
    ("weight", "message"),
    [(np.zeros(24), "zero"), (-np.ones(24), "[Nn]egative"), (np.ones(23), "23|24")],
)
def test_invalid_sample_weight_raises(weight, message):
    X, y = oscillations()
    with pytest.raises(ValueError, match=message):
        make(EEGNetClassifier).fit(X, y, sample_weight=weight)


def test_weights_need_a_loss_for_each_trial():
    X, y = oscillations()
    estimator = make(EEGNetClassifier, criterion=nn.CrossEntropyLoss(), class_weight="balanced")
    with pytest.raises(ValueError, match="one loss per trial"):
        estimator.fit(X, y)


# ---------------------------------------------------------------------- batches


@pytest.mark.parametrize(
    ("n_trials", "size", "steps"),
    [(2, 2, 12), (4, 4, 12), (24, 4, 12), (30, 4, 15), (48, 4, 12), (768, 64, 12), (1080, 64, 17)],
)
def test_auto_batches_keep_an_epoch_at_a_dozen_steps_of_four_trials(n_trials, size, steps):
    X, y = oscillations(n_trials=n_trials, n_chans=1, n_times=8)
    estimator = make(ModuleClassifier, module=Linear, batch_size="auto", max_epochs=1).fit(X, y)
    sizes = [batch["train_batch_size"] for batch in estimator.history[0, "batches"]]
    assert (sizes[0], len(sizes)) == (size, steps)
    assert sum(sizes) % n_trials == 0  # all trials equally often


def test_batch_larger_than_the_data_is_one_step_with_a_warning():
    X, y = oscillations()
    estimator = make(EEGNetClassifier, batch_size=100, max_epochs=1)
    with pytest.warns(UserWarning, match="larger than the 24"):
        estimator.fit(X, y)
    assert estimator.history[0]["train_batch_count"] == 1


# ---------------------------------------------------------------------- early stopping


def test_early_stopping_restores_the_weights_of_the_lowest_validation_loss():
    X, y = oscillations(n_trials=40)
    y = np.random.default_rng(0).permutation(y)  # nothing to learn: the loss must rise again
    estimator = make(
        EEGNetClassifier, early_stopping=True, max_epochs=200, n_iter_no_change=5, lr=1e-2
    )
    held_out = {}

    class KeepValidation(EarlyStopping):
        def on_train_begin(self, net, X=None, y=None, **kwargs):
            super().on_train_begin(net, **kwargs)

        def on_epoch_begin(self, net, dataset_valid=None, **kwargs):
            held_out["valid"] = dataset_valid

    estimator.set_params(callbacks=[("keep", KeepValidation(patience=1000))])
    estimator.fit(X, y)
    losses = np.array(estimator.history[:, "valid_loss"])
    assert len(losses) < 200
    assert len(losses) - 1 - losses.argmin() == 5
    valid = held_out["valid"]
    assert len(valid) == 8
    assert np.bincount(valid.y).tolist() == [4, 4]
    with torch.no_grad():
        logits = estimator.module_.eval()(valid.trials)
    restored = nn.functional.cross_entropy(logits, valid.y).item()
    assert restored == pytest.approx(losses.min(), rel=1e-4)


@pytest.mark.parametrize("how", ["groups", "EEGData"])
def test_validation_never_divides_a_group(how):
    X, y = oscillations(n_trials=48)
    trial = np.arange(48) // 6
    y = trial % 2
    splits = []

    class Watch(EarlyStopping):
        def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
            splits.append((set(dataset_train.groups), set(dataset_valid.groups)))

    estimator = make(EEGNetClassifier, early_stopping=True, max_epochs=1)
    estimator.set_params(callbacks=[("watch", Watch())])
    if how == "groups":
        estimator.fit(X, y, groups=trial)
    else:
        estimator.fit(EEGData.from_arrays(X, y, 96, trial=trial), y)
    (train, valid) = splits[0]
    assert train
    assert valid
    assert not train & valid


def test_early_stopping_without_enough_trials_or_groups_says_what_to_do():
    X, y = oscillations(n_trials=4)
    with pytest.raises(ValueError, match="early_stopping"):
        make(EEGNetClassifier, early_stopping=True).fit(X[:3], y[:3])
    X, y = oscillations()
    with pytest.raises(ValueError, match="cannot split 1 groups"):
        make(EEGNetClassifier, early_stopping=True).fit(X, y, groups=np.zeros(24))
    with pytest.raises(ValueError, match="cannot split 2 groups"):
        make(EEGNetClassifier, early_stopping=True).fit(X, y, groups=y)


# ---------------------------------------------------------------------- continued training


def test_warm_start_continues_from_the_weights_and_history_of_the_last_fit():
    X, y = oscillations()
    cold = make(EEGNetClassifier).fit(X, y)
    warm = make(EEGNetClassifier, warm_start=True).fit(X, y)
    np.testing.assert_array_equal(cold.predict_proba(X), warm.predict_proba(X))
    before, scale = warm.predict_proba(X), warm.scale_
    warm.set_params(lr=1e-30).fit(10 * X, y)
    assert len(warm.history) == 6
    assert warm.scale_ == scale
    assert warm.optimizer_.param_groups[0]["lr"] == 1e-30
    assert np.abs(warm.predict_proba(X) - before).max() < 0.2  # running statistics changed
    cold.fit(X, y)
    assert len(cold.history) == 3


def test_warm_start_draws_other_batches_than_the_first_fit():
    X, y = oscillations()
    estimator = make(EEGNetClassifier, warm_start=True)
    seeds = []
    for _ in range(3):
        seeds.append(estimator._seed())
        estimator.fit(X, y)
    assert len(set(seeds)) == 3


def test_warm_start_refuses_another_shape_and_unseen_labels():
    X, y = oscillations()
    estimator = make(EEGNetClassifier, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="2 channels"):
        estimator.fit(X[:, :2], y)
    with pytest.raises(ValueError, match=r"labels \[5\]"):
        estimator.fit(X, np.where(y == 1, 5, 0))
    estimator.predict(X)


def test_partial_fit_continues_and_takes_its_classes_from_the_first_call():
    X, y = oscillations(n_trials=30, n_classes=3)
    estimator = make(EEGNetClassifier, max_epochs=2)
    estimator.partial_fit(X[y < 2], y[y < 2], classes=[0, 1, 2])
    assert estimator.classes_.tolist() == [0, 1, 2]
    estimator.partial_fit(X[y == 2], y[y == 2])
    assert len(estimator.history) == 4
    assert estimator.predict_proba(X).shape == (30, 3)
    with pytest.raises(ValueError, match=r"labels \[9\]"):
        estimator.partial_fit(X, np.full(30, 9))
    fresh = make(EEGNetClassifier, max_epochs=2).partial_fit(X, y)
    same = make(EEGNetClassifier, max_epochs=2).fit(X, y)
    np.testing.assert_array_equal(fresh.predict_proba(X), same.predict_proba(X))


def test_parameter_of_the_network_builds_an_unfitted_network_again():
    shape = {"module__n_chans": 3, "module__n_times": 96, "module__n_outputs": 2}
    estimator = EEGNetClassifier(depth_multiplier=2, **shape).initialize()
    estimator.set_params(depth_multiplier=3)
    assert estimator.module_.depth_multiplier == 3
    held = {id(weight) for group in estimator.optimizer_.param_groups for weight in group["params"]}
    assert held == {id(weight) for weight in estimator.module_.parameters()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator.set_params(max_epochs=1, module__n_chans=4).set_params(module__n_chans=3)
        estimator.partial_fit(*oscillations())


def test_parameter_of_the_network_waits_for_the_next_fit_of_a_fitted_one():
    X, y = oscillations()
    estimator = make(EEGNetClassifier, depth_multiplier=2).fit(X, y)
    proba = estimator.predict_proba(X)
    estimator.set_params(depth_multiplier=3)
    np.testing.assert_array_equal(estimator.predict_proba(X), proba)
    with pytest.warns(UserWarning, match="depth_multiplier of EEGNetClassifier changed after"):
        estimator.partial_fit(X, y)
    assert estimator.module_.depth_multiplier == 2
    expected = make(EEGNetClassifier, depth_multiplier=3).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(estimator.fit(X, y).predict_proba(X), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator.set_params(depth_multiplier=3).partial_fit(X, y)


def test_parameters_of_a_running_optimiser_follow_set_params():
    X, y = oscillations()
    estimator = make(EEGNetClassifier).fit(X, y)
    estimator.set_params(lr=0.5, weight_decay=0.25, optimizer__eps=1e-5)
    group = estimator.optimizer_.param_groups[0]
    assert (group["lr"], group["weight_decay"], group["eps"]) == (0.5, 0.25, 1e-5)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "nadam", "radam", "rmsprop", "sgd"])
def test_every_named_optimiser_trains(optimizer):
    X, y = oscillations()
    estimator = make(EEGNetClassifier, optimizer=optimizer, weight_decay=0.01).fit(X, y)
    assert type(estimator.optimizer_).__name__.lower() == optimizer
    assert estimator.optimizer_.param_groups[0]["weight_decay"] == 0.01
    assert isinstance(
        make(EEGNetClassifier, optimizer=torch.optim.Adagrad).fit(X, y).optimizer_,
        torch.optim.Adagrad,
    )


def test_max_norm_holds_after_every_step():
    X, y = oscillations()
    estimator = make(EEGNetClassifier, lr=0.5).fit(X, y)
    norms = estimator.module_.filters.spatial.weight.detach().flatten(1).norm(dim=1)
    assert norms.max() <= 1 + 1e-5
    assert estimator.module_.dense.weight.detach().norm(dim=1).max() <= 0.25 + 1e-5


# ---------------------------------------------------------------------- skorch


def test_history_has_loss_and_accuracy_of_each_epoch():
    X, y = oscillations()
    estimator = make(EEGNetClassifier, early_stopping=True).fit(X, y)
    for name in ("epoch", "train_loss", "train_acc", "valid_loss", "valid_acc", "dur"):
        assert len(estimator.history[:, name]) == 3
    assert "valid_loss" not in make(EEGNetClassifier).fit(X, y).history[-1]


def test_checkpoint_saves_weights_that_load_into_another_fit(tmp_path):
    X, y = oscillations()
    checkpoint = Checkpoint(monitor="train_loss_best", dirname=str(tmp_path))
    estimator = make(EEGNetClassifier, callbacks=[checkpoint]).fit(X, y)
    assert (tmp_path / "params.pt").exists()
    assert (tmp_path / "history.json").exists()
    estimator.save_params(f_params=tmp_path / "last.pt")
    other = make(EEGNetClassifier, random_state=5).fit(X, y)
    other.load_params(f_params=tmp_path / "last.pt")
    np.testing.assert_array_equal(other.predict_proba(X), estimator.predict_proba(X))
    assert other.device == "auto"


def test_a_network_of_known_shape_can_be_initialised_and_loaded_before_fit(tmp_path):
    X, y = oscillations()
    estimator = make(ModuleClassifier).fit(X, y)
    estimator.save_params(f_params=tmp_path / "params.pt")
    shape = {"module__n_chans": 3, "module__n_times": 96, "module__n_outputs": 2}
    other = make(ModuleClassifier, **shape).initialize()
    other.load_params(f_params=tmp_path / "params.pt")
    for a, b in zip(estimator.module_.parameters(), other.module_.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(ValueError, match="shape of the trials is not known"):
        make(ModuleClassifier).initialize()


def test_learning_rate_scheduler_moves_the_rate():
    X, y = oscillations()
    schedule = LRScheduler(policy="StepLR", step_size=1, gamma=0.1)
    estimator = make(EEGNetClassifier, callbacks=[("schedule", schedule)], lr=0.01).fit(X, y)
    rates = estimator.history[:, "event_lr"]
    np.testing.assert_allclose(rates, [1e-2, 1e-3, 1e-4])
    assert estimator.lr == 0.01


@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc", "neg_log_loss"])
@pytest.mark.parametrize("use_caching", [True, False])
def test_epoch_scoring_works_with_labels_that_are_text(scoring, use_caching):
    X, y = oscillations()
    labels = np.array(["left", "right"])[y]
    callback = EpochScoring(scoring, on_train=False, use_caching=use_caching, name="mine")
    estimator = make(EEGNetClassifier, early_stopping=True, callbacks=[callback])
    estimator.fit(X, labels)
    scores = estimator.history[:, "mine"]
    assert np.isfinite(scores).all()
    if scoring == "accuracy":
        np.testing.assert_allclose(scores, estimator.history[:, "valid_acc"])


def test_early_stopping_callback_of_skorch_ends_the_training_silently(capsys):
    X, y = oscillations()
    stop = EarlyStopping(monitor="train_loss", patience=2, threshold=1e6, threshold_mode="abs")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator = make(
            EEGNetClassifier, callbacks=[stop], max_epochs=50, callbacks__EarlyStopping__sink=str
        ).fit(X, y)
    assert len(estimator.history) == 3
    assert capsys.readouterr().out == ""


def test_users_interrupt_keeps_the_network_and_warns():
    X, y = oscillations()

    class Impatient(nn.Sequential):
        def __init__(self, n_chans, n_times, n_outputs):
            super().__init__(nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs))
            self.steps = 0

        def forward(self, x):
            self.steps += 1
            if self.steps == 5:
                raise KeyboardInterrupt
            return super().forward(x)

    estimator = make(ModuleClassifier, module=Impatient, max_epochs=50)
    with pytest.warns(UserWarning, match="interrupted by the user after 2 epochs"):
        estimator.fit(X, y)
    assert estimator.predict(X).shape == (24,)


def test_validation_of_skorch_can_be_given_instead():
    X, y = oscillations()
    estimator = make(EEGNetClassifier, train_split=ValidSplit(4, stratified=True)).fit(X, y)
    assert len(estimator.history[:, "valid_loss"]) == 3


def test_ordinary_data_loader_gives_the_same_loss_as_ours():
    X, y = oscillations()
    # In one epoch, since only our loader's batches go with sums that are computed once.
    ours = make(EEGNetClassifier, max_epochs=1, iterator_train__shuffle=False).fit(X, y)
    theirs = make(
        EEGNetClassifier,
        max_epochs=1,
        iterator_train=torch.utils.data.DataLoader,
        iterator_train__shuffle=False,
    ).fit(X, y)
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))


def test_workers_of_the_data_loader_fit_repeatably():
    X, y = oscillations()
    a, b = (
        make(EEGNetClassifier, max_epochs=1, iterator_train__num_workers=1).fit(X, y)
        for _ in range(2)
    )
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_verbosity_goes_from_silence_over_a_bar_to_a_line_an_epoch(verbose, capsys):
    X, y = oscillations()
    for _ in range(2):
        make(EEGNetClassifier, verbose=verbose).fit(X, y).fit(X, y)
    out, err = capsys.readouterr()
    assert ("EEGNetClassifier" in err) == (verbose >= 1)
    assert ("train_loss" in out) == (verbose >= 2)
    assert "Re-initializing" not in out


def test_progress_bar_does_not_stay_on_the_estimator():
    X, y = oscillations()
    estimator = make(EEGNetClassifier, verbose=1).fit(X, y)
    (bar,) = (cb for _, cb in estimator.callbacks_ if isinstance(cb, _callbacks.EpochProgress))
    assert bar.bar_ is None


# ---------------------------------------------------------------------- any module


def test_module_instance_is_copied_and_never_trained():
    X, y = oscillations()
    module = EEGNet(3, 96, 2)
    before = [p.detach().clone() for p in module.parameters()]
    estimator = make(ModuleClassifier, module=module).fit(X, y)
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))
    assert estimator.module_ is not module
    with pytest.raises(RuntimeError):
        make(ModuleClassifier, module=EEGNet(4, 96, 2)).fit(X, y)


def test_module_gets_what_its_constructor_names():
    class Curious(nn.Module):
        def __init__(self, n_outputs, sfreq, n_times, width=3):
            super().__init__()
            self.found = (n_outputs, sfreq, n_times, width)
            self.dense = nn.Linear(n_times, n_outputs)

        def forward(self, x):
            return self.dense(x.mean(dim=1))

    X, y = oscillations()
    data = EEGData.from_arrays(X, y, sfreq=96)
    estimator = make(ModuleClassifier, module=Curious, module__width=5).fit(data, y)
    assert estimator.module_.found == (2, 96.0, 96, 5)


def test_a_module_from_a_function_with_any_arguments():
    X, y = oscillations()
    estimator = make(ModuleClassifier, module=lambda **shape: Linear(**shape)).fit(X, y)
    assert estimator.predict(X).shape == (24,)


def test_activation_of_a_foreign_module_arrives_as_what_it_calls():
    class Foreign(nn.Module):
        def __init__(self, n_chans, n_times, n_outputs, activation=nn.ReLU):
            super().__init__()
            self.layers = nn.Sequential(
                nn.Flatten(), activation(), nn.Linear(n_chans * n_times, n_outputs)
            )

        def forward(self, x):
            return self.layers(x)

    X, y = oscillations()
    fitted = make(ModuleClassifier, module=Foreign, activation="elu", alpha=0.3).fit(X, y)
    assert fitted.module_.layers[1].alpha == 0.3
    assert isinstance(make(ModuleClassifier, module=Foreign).fit(X, y).module_.layers[1], nn.ReLU)
    with pytest.raises(ValueError, match="no parameter activation"):
        make(ModuleClassifier, module=Linear, activation="elu").fit(X, y)
    with pytest.raises(ValueError, match="alpha needs an activation"):
        make(ModuleClassifier, alpha=0.3).fit(X, y)


class Parametrized(nn.Module):
    """As braindecode writes its EEGNet, whose max-norm is a parametrisation."""

    def __init__(self, n_chans, n_times, n_outputs):
        super().__init__()
        self.flatten = nn.Flatten()
        self.dense = nn.utils.parametrizations.weight_norm(nn.Linear(n_chans * n_times, n_outputs))

    def forward(self, x):
        return self.dense(self.flatten(x))


def test_a_network_that_torch_cannot_pickle_is_pickled_with_its_weights():
    X, y = oscillations()
    estimator = make(ModuleClassifier, module=Parametrized).fit(X, y)
    with pytest.raises(RuntimeError):
        pickle.dumps(estimator.module_)
    torch.manual_seed(4)
    state = torch.get_rng_state()
    loaded, copied = pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)
    assert torch.equal(torch.get_rng_state(), state)
    for other in (loaded, copied):
        np.testing.assert_array_equal(other.predict_proba(X), estimator.predict_proba(X))
    expected = estimator.partial_fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(loaded.partial_fit(X, y).predict_proba(X), expected)
    np.testing.assert_array_equal(loaded.fit(X, y).predict_proba(X), copied.predict_proba(X))


class OtherNames(ModuleClassifier):
    """A classifier that calls its components otherwise than skorch, and has one more."""

    def initialize_module(self):
        self.network_ = self.initialized_instance(self.module, self.get_params_for("module"))
        self.head_ = nn.Linear(2, 2)
        return self

    def initialize_criterion(self):
        self.loss_ = nn.CrossEntropyLoss()
        return self


def test_components_of_a_subclass_are_registered_as_those_of_skorch_are():
    net = OtherNames(module=Linear, module__n_chans=2, module__n_times=3, module__n_outputs=2)
    net.initialize()
    assert net._modules == ["network", "head"]
    assert net._criteria == ["loss"]
    assert net._optimizers == ["optimizer"]
    net.check_is_fitted()  # skorch's: it is initialised
    trained = {id(p) for group in net.optimizer_.param_groups for p in group["params"]}
    assert trained == {id(p) for p in (*net.network_.parameters(), *net.head_.parameters())}


def test_a_module_is_a_parameter_before_and_after_initialisation():
    network = Linear(n_chans=2, n_times=3, n_outputs=2)
    net = ModuleClassifier(module=network).initialize()
    other = Linear(n_chans=2, n_times=4, n_outputs=2)
    net.set_params(module=other, criterion=nn.NLLLoss())
    assert net.module is other
    assert isinstance(net.criterion, nn.NLLLoss)
    assert net._modules == ["module"]


@pytest.mark.parametrize("name", ["foo", "alhpa"])
def test_an_unknown_parameter_is_refused_in_the_words_of_scikit_learn(name):
    with pytest.raises(ValueError, match=f"^Invalid parameter '{name}' for estimator .*criterion"):
        ModuleClassifier(module=Linear).set_params(**{name: 1})


@pytest.mark.parametrize("method", ["partial_fit", "fit"])
@pytest.mark.parametrize("random_state", [0, None])
def test_a_continued_training_validates_on_the_same_trials(method, random_state):
    class Validated(Callback):
        def on_epoch_begin(self, net, dataset_valid=None, **kwargs):
            seen.append(dataset_valid.trials.numpy().copy())

    seen = []
    X, y = oscillations()
    net = ModuleClassifier(
        module=Linear,
        early_stopping=True,
        max_epochs=1,
        warm_start=True,
        random_state=random_state,
        callbacks=[Validated()],
    )
    net.fit(X, y)
    getattr(net, method)(X, y)
    assert len(seen) == 2
    np.testing.assert_array_equal(seen[0], seen[1])
    net.set_params(warm_start=False, random_state=1).fit(X, y)  # a new fit draws a new split
    assert not np.array_equal(seen[2], seen[0])
