"""skorch's own tests of its classifier, net and regressor, run on the estimators of skeeg.

    python benchmarks/skorch_suite.py
    python benchmarks/skorch_suite.py --task regressor

`skeeg.ModuleClassifier` takes the place of ``skorch.NeuralNetClassifier``, through the adapter in
``skorch_adapter.py``, which says what it translates. The tests are those of the installed skorch,
or of a checkout of its repository, ``--skorch-checkout``. Some expect what skeeg does otherwise on
purpose; `DIFFERS_ON_PURPOSE` gives the reason for each. Prints the totals and, as Markdown, each
test that did not pass. The exit status is 0 if no test failed but those.

Of skorch 1.4.0, 219 of 332 tests pass for the classifier and 12 of 15 for the regressor; 68 and 3
differ on purpose, and 45 are skipped: 17 need CUDA, and 28 are of a binary classifier.

Needs pytest and pytest-timeout. Tests of safetensors are skipped where it is not installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

TEST_FILES = {
    "classifier": ("test_net.py", "test_classifier.py"),
    "regressor": ("test_regressor.py",),
}

#: Tests that use ``skorch.NeuralNet`` itself, of which skeeg has no counterpart. They are not run.
TESTS_OF_SKORCH_ALONE = (
    "test_passes_y_to_train_split_when_not_none",
    "test_customize_net_with_custom_dataset_that_returns_3_values",
)

_ADAPTER = "The adapter gives `forward` and `get_loss` the logarithm of what the network returns."
_CLASSES = "The classes are those of `y`, or of `classes` in `partial_fit`; never other names."
_COPIED = "A module that is already built is copied: `fit` never changes a parameter."
_DATA_SET = "A data set is read and checked as an array is."
_DEVICE = "A device that torch does not know is refused."
_DICT = "X is an array of trials or a data set of them, not a dict."
_LABELS = "`y` has one class label for each trial."
_NEXT_FIT = "On a fitted estimator, `set_params` takes effect in the next `fit`."
_NO_DATASET = "The checks of the input make the data set: there is no parameter `dataset`."
_NO_PROBA = "Regressors have no `predict_proba`."
_NOT_FITTED = (
    "Prediction needs what `fit` learns beside the weights: the scale, the shape of a trial and "
    "the labels."
)
_ONE_BY_ONE = "Few trials are predicted one by one, so that a trial's output is always the same."
_REPR = "`repr` is scikit-learn's."
_UNKNOWN_NAME = (
    "An unknown name raises when it is given, not in `initialize`, and the message has the "
    "nearest valid name."
)

#: The reason for each test that is expected to fail, by its name: with or without its parameters,
#: and with its class where another class has a test of that name.
DIFFERS_ON_PURPOSE = {
    "TestNeuralNetRegressor::test_not_init_raises[predict_proba]": _NO_PROBA,
    "test_batch_count[40]": "Validation is computed in batches of 128 whatever the batch size.",
    "test_callback_keeps_order": "The accuracy on the training data is recorded as well.",
    "test_change_get_loss": _ADAPTER,
    "test_changing_model_reinitializes_optimizer": _NEXT_FIT,
    "test_compile_missing_dunder_in_prefix_arguments": _UNKNOWN_NAME,
    "test_custom_module_is_init_when_default_module_already_is": _COPIED,
    "test_custom_optimizer_performs_updates": (
        "The test replaces `infer`, where the adapter removes the axis of the single channel."
    ),
    "test_data_dict_and_fit_params": _DICT,
    "test_data_dict_and_fit_params_conflicting_names_raises": _DICT,
    "test_dimension_mismatch_warning": (
        "Targets without an axis are compared with the one output of each trial, as is meant."
    ),
    "test_error_when_classes_could_not_be_inferred": _DATA_SET,
    "test_fit_sparse_csr_learns": "Sparse input is refused.",
    "test_fit_with_dataset_one_item_error": _DATA_SET,
    "test_fit_with_dataset_stratified_without_explicit_y_raises": _DATA_SET,
    "test_fit_with_dataset_three_items_error": _DATA_SET,
    "test_forward": _ADAPTER,
    "test_get_params_works": "Only callbacks that were set are among the parameters.",
    "test_initializing_net_with_custom_history": "`fit` makes the history; it is not a parameter.",
    "test_load_cuda_params_to_cpu": _NOT_FITTED,
    "test_message_fit_with_initialized_net": (
        "`fit` always starts anew, as in scikit-learn, and does not report it."
    ),
    "test_modules_reinit_when_both_initialized_but_custom_module_changed": _COPIED,
    "test_moving_custom_modules_to_device": _DEVICE,
    "test_multiouput_predict_proba": _NOT_FITTED,
    "test_multioutput_forward": _NOT_FITTED,
    "test_multioutput_forward_iter": _NOT_FITTED,
    "test_multioutput_predict": _NOT_FITTED,
    "test_net_init_missing_dunder_and_unknown": _UNKNOWN_NAME,
    "test_net_init_missing_dunder_in_2_prefix_arguments": _UNKNOWN_NAME,
    "test_net_init_missing_dunder_in_prefix_argument": _UNKNOWN_NAME,
    "test_net_init_one_unknown_argument": _UNKNOWN_NAME,
    "test_net_init_two_unknown_arguments": _UNKNOWN_NAME,
    "test_net_init_with_iterator_valid_shuffle_true_warns": (
        "`iterator_valid__shuffle=True` is refused in `fit`: predictions would be in another order."
    ),
    "test_net_initialized_with_custom_dataset_args": _NO_DATASET,
    "test_net_initialized_with_initalized_dataset": _NO_DATASET,
    "test_net_initialized_with_initalized_dataset_and_kwargs_raises": _NO_DATASET,
    "test_net_initialized_with_partialed_dataset": _NO_DATASET,
    "test_net_variable_label_lengths": _LABELS,
    "test_net_variable_prediction_lengths": _LABELS,
    "test_pass_classes_explicitly_overrides": _CLASSES,
    "test_pass_empty_classes_raises": _CLASSES,
    "test_pickle_load": "The file that it loads has a pickle of a class of skorch.",
    "test_pickle_save_load_device_is_none": _DEVICE,
    "test_pipeline_with_dict_x_and_groups_routing": _DICT,
    "test_predefined_split": _DATA_SET,
    "test_predict_nonlinearity_called_with_predict": _ONE_BY_ONE,
    "test_predict_nonlinearity_called_with_predict_proba": _ONE_BY_ONE,
    "test_predict_nonlinearity_is_identity_with_multiple_criteria": (
        "`predict_proba` returns probabilities, whatever the criterion."
    ),
    "test_predict_nonlinearity_none": _NOT_FITTED,
    "test_predict_nonlinearity_type_error": _NOT_FITTED,
    "test_predict_predict_proba": _NO_PROBA,
    "test_predict_with_dataset": _NOT_FITTED,
    "test_predict_with_dataset_one_item_error": _NOT_FITTED,
    "test_predict_with_dataset_three_items_error": _NOT_FITTED,
    "test_repr_fitted_works": _REPR,
    "test_repr_initialized_works": _REPR,
    "test_repr_uninitialized_works": _REPR,
    "test_save_load_state_dict_file": _NOT_FITTED,
    "test_save_load_state_dict_str": _NOT_FITTED,
    "test_set_params_on_custom_module_preserves_its_device": _DEVICE,
    "test_setting_callback_to_none_and_more_params_later_raises": (
        "`initialize` checks the parameters of callbacks, in whatever order they were set."
    ),
    "test_torch_load_kwargs_forwarded_to_torch_load_unpickle": (
        "A pickle has the weights on the CPU; `torch.load` is not needed to read it there."
    ),
    "test_undeclared_param_rejected_by_routing": "Labels of one class only are refused first.",
}

#: A run takes a minute; a test that takes as long has come to a stop.
_TEST_TIMEOUT = 60


@dataclass(frozen=True)
class Result:
    """What became of a test.

    Parameters
    ----------
    name : str
        File, class and test, with parameters.
    outcome : {"passed", "failed", "error", "skipped", "differs"}
        "differs" is a failure for which `DIFFERS_ON_PURPOSE` has the reason.
    reason : str
        That reason, or the first line of the error or of the reason for skipping.
    """

    name: str
    outcome: str
    reason: str


def find_tests(checkout: Path | None) -> Path:
    """Return the folder of skorch's tests.

    Raises
    ------
    FileNotFoundError
        If there are none; the message says how to get them.
    """
    if checkout is not None:
        tests = checkout / "skorch" / "tests"
        if not (tests / "test_net.py").exists():
            raise FileNotFoundError(
                f"{checkout} is not a checkout of skorch: {tests} has no tests."
            )
        return tests.resolve()
    if (spec := importlib.util.find_spec("skorch")) is None or spec.origin is None:
        raise FileNotFoundError("skorch is not installed.")
    tests = Path(spec.origin).parent / "tests"
    if not (tests / "test_net.py").exists():
        installed = version("skorch")
        raise FileNotFoundError(
            f"skorch {installed} is installed without its tests. Fetch them with `git clone "
            f"--branch v{installed} https://github.com/skorch-dev/skorch` and pass "
            "`--skorch-checkout skorch`."
        )
    return tests


def run(tests: Path, task: str, checkout: Path | None) -> list[Result]:
    """Run the tests of a task in another process.

    Raises
    ------
    RuntimeError
        If pytest did not come to its end; the message has its output.
    """
    paths = [Path(__file__).parent, *([checkout.resolve()] if checkout else [])]
    path = os.pathsep.join([*map(str, paths), os.environ.get("PYTHONPATH", "")])
    with tempfile.TemporaryDirectory() as folder:
        outcomes = Path(folder) / "outcomes.json"
        process = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", tests),
                *("-p", "no:cacheprovider", "-p", "skorch_adapter", "--outcomes", outcomes),
                *("--timeout", str(_TEST_TIMEOUT)),
                *("-k", f"not ({' or '.join(TESTS_OF_SKORCH_ALONE)})"),
                *(tests / name for name in TEST_FILES[task]),
            ],
            cwd=checkout or folder,  # some tests read files of the checkout, some write
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
        )
        if not outcomes.exists() or not (found := json.loads(outcomes.read_text())):
            raise RuntimeError(f"pytest ran no test:\n{process.stdout}\n{process.stderr}")
    return [result(identifier, *outcome) for identifier, outcome in found.items()]


def result(identifier: str, outcome: str, message: str) -> Result:
    """Return what became of a test, given pytest's identifier, outcome and message."""
    file, _, name = identifier.partition("::")
    if outcome in ("failed", "error") and (expected := reason_to_differ(name)):
        outcome, message = "differs", expected
    first_line = message.strip().partition("\n")[0]
    return Result(f"{Path(file).name}::{name}", outcome, first_line)


def reason_to_differ(name: str) -> str | None:
    """Return why a test is expected to fail, None where it is expected to pass."""
    in_class = "::".join(name.split("::")[-2:])
    test = name.rpartition("::")[2]
    keys = (in_class, test, test.partition("[")[0])
    return next((DIFFERS_ON_PURPOSE[key] for key in keys if key in DIFFERS_ON_PURPOSE), None)


def report(results: list[Result]) -> str:
    """Return the totals and a table of the tests that did not pass, as Markdown."""
    count = Counter(result.outcome for result in results)
    lines = [
        f"{len(results)} tests: {count['passed']} passed, {count['failed']} failed, "
        f"{count['error']} errors, {count['differs']} differ on purpose, "
        f"{count['skipped']} skipped.",
        "",
        "| test | outcome | reason |",
        "|---|---|---|",
    ]
    order = ("failed", "error", "differs", "skipped")
    rest = [result for result in results if result.outcome != "passed"]
    for result in sorted(rest, key=lambda result: order.index(result.outcome)):
        reason = result.reason.replace("|", "\\|")
        lines.append(f"| `{result.name}` | {result.outcome} | {reason} |")
    passed = [result.name for result in results if result.outcome == "passed"]
    lines += [
        f"| `{name}` | passed | DIFFERS_ON_PURPOSE says that it fails |"
        for name in passed
        if reason_to_differ(name)
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", choices=list(TEST_FILES), default="classifier")
    parser.add_argument(
        "--skorch-checkout",
        type=Path,
        metavar="PATH",
        help="a checkout of skorch's repository; default: the tests of the installed package",
    )
    arguments = parser.parse_args()
    try:
        tests = find_tests(arguments.skorch_checkout)
    except FileNotFoundError as error:
        parser.error(str(error))
    results = run(tests, arguments.task, arguments.skorch_checkout)
    print(report(results))
    return int(any(result.outcome in ("failed", "error") for result in results))


if __name__ == "__main__":
    sys.exit(main())
