"""The examination: every look at the data, in one order."""

from dataclasses import replace

from gradatim.core.samples import Dataset, Samples
from gradatim.data.doctor.balance import balance
from gradatim.data.doctor.channels import channel_findings
from gradatim.data.doctor.columns import column_findings
from gradatim.data.doctor.contradictions import contradictions
from gradatim.data.doctor.copies import copies
from gradatim.data.doctor.leaks import leaks
from gradatim.data.doctor.twins import coarse, equal_sets

__all__ = ["examine"]


def examine(dataset: Dataset) -> Dataset:
    """Return the data with findings, and with groups that keep copies of a row together.

    Rows and values stay as they are. Groups stay None when there are neither given groups nor
    copies; otherwise every row has one, most often its own. What counts as a copy, and when
    copies are not grouped: `gradatim.data.doctor.twins`, `.neighbours` and `.grouping`.

    Args:
        dataset: as a source read it. Targets may be absent; then nothing is said about them.

    Returns:
        The same samples with more findings: leaks first, for they can stop a climb.

    >>> import torch
    >>> from gradatim.core.samples import Samples
    >>> from gradatim.core.signature import Column, Quantity, Signature, Table
    >>> table = Table(columns=(Column(name="x", kind="numeric"),))
    >>> rows = torch.tensor([[1.5], [2.5], [1.5], [9.0], [4.0]], dtype=torch.float64)
    >>> data = Dataset("five", Samples(rows, torch.rand(5, 1)),
    ...     Signature(input=table, output=Quantity(names=("y",))), list("abcde"), "", "")
    >>> [finding.code for finding in examine(data).findings]
    ['small-data', 'duplicates', 'contradictory-labels']
    >>> examine(data).samples.groups.tolist()
    [0, 1, 0, 2, 3]
    """
    if not len(dataset):
        return dataset
    sets = equal_sets(dataset)
    room = coarse(dataset, sets)
    grouping, copied = copies(dataset, sets, room)
    torn = contradictions(dataset, sets, usual=room > 0)
    found = [*leaks(dataset), *balance(dataset), *copied, *torn]
    found += [*column_findings(dataset), *channel_findings(dataset)]
    samples = replace(dataset.samples, groups=grouping.groups)
    return replace(dataset, samples=samples, group_names=_names(dataset, samples)).noting(*found)


def _names(dataset: Dataset, grouped: Samples) -> tuple[str, ...]:
    """Return the names of the new groups; one that several were joined into has all their names."""
    before, after = dataset.samples.groups, grouped.groups
    if not dataset.group_names or before is None or after is None:
        return ()
    joined: dict[int, set[str]] = {}
    for old, new in set(zip(before.tolist(), after.tolist(), strict=True)):
        joined.setdefault(new, set()).add(dataset.group_names[old])
    return tuple(" + ".join(sorted(joined.get(code, ()))) for code in range(max(joined) + 1))
