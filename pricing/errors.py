"""What may go wrong with a look-up, as exceptions whose attributes a caller can use.

Each passes all its arguments to ``Exception``, so that it survives the trip back from a worker
process.
"""

from collections.abc import Sequence
from decimal import Decimal


class PricingError(Exception):
    """Whatever `pricing` refuses."""


class InvalidArgument(PricingError):
    """An argument that is no name at all: a purchase option, a date, a duration.

    Attributes
    ----------
    argument : str. Its name.
    value : object. What was given.
    expected : str. What would do.
    """

    exit_code = 2

    def __init__(self, argument: str, value: object, expected: str) -> None:
        super().__init__(argument, value, expected)
        self.argument, self.value, self.expected = argument, value, expected

    def __str__(self) -> str:
        return f"{self.argument} = {self.value!r}: expected {self.expected}"


class TableError(PricingError):
    """A table, shipped or of your own, that does not read as its columns declare.

    Attributes
    ----------
    table : str. File name; of an own table with its folder.
    line : int. Line in the file, the header being 1.
    problem : str. What is wrong there.
    """

    def __init__(self, table: str, line: int, problem: str) -> None:
        super().__init__(table, line, problem)
        self.table, self.line, self.problem = table, line, problem

    def __str__(self) -> str:
        return f"{self.table}, line {self.line}: {self.problem}"


class OwnTableError(TableError):
    """A table of your own that does not read; yours to mend."""

    exit_code = 2


class OfferError(PricingError):
    """A price list that cannot be read.

    Attributes
    ----------
    file : str. What was read.
    problem : str. What is wrong with it.
    """

    exit_code = 2

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(file, problem)
        self.file, self.problem = file, problem

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}"


class StoreError(PricingError):
    """Own tables that cannot be written: another refresh at work, no space, nothing to restore.

    Attributes
    ----------
    folder : str. Where they lie.
    problem : str. What is in the way.
    """

    exit_code = 2

    def __init__(self, folder: str, problem: str) -> None:
        super().__init__(folder, problem)
        self.folder, self.problem = folder, problem

    def __str__(self) -> str:
        return f"{self.folder}: {self.problem}"


class UnknownInstance(PricingError):
    """No table knows this instance type.

    Attributes
    ----------
    instance_type : str. What was asked for.
    nearest : tuple of str. Known names like it, best first.
    """

    exit_code = 2

    def __init__(self, instance_type: str, nearest: Sequence[str] = ()) -> None:
        super().__init__(instance_type, tuple(nearest))
        self.instance_type, self.nearest = instance_type, tuple(nearest)

    def __str__(self) -> str:
        return f'unknown instance type "{self.instance_type}"{_did_you_mean(self.nearest)}'


class UnknownRegion(PricingError):
    """No table knows this region.

    Attributes
    ----------
    region : str. What was asked for.
    nearest : tuple of str. Known regions like it, best first.
    """

    exit_code = 2

    def __init__(self, region: str, nearest: Sequence[str] = ()) -> None:
        super().__init__(region, tuple(nearest))
        self.region, self.nearest = region, tuple(nearest)

    def __str__(self) -> str:
        return f'unknown region "{self.region}"{_did_you_mean(self.nearest)}'


class PriceNotFound(PricingError):
    """Type and region are known, and yet no price is held.

    Attributes
    ----------
    instance_type, region, purchase : str. What was asked for.
    nearest : tuple of str. Types most like it that do have a price in that region, best first.
    regions : tuple of str. Regions that hold a price for this type.
    derivable : bool. An estimate could be had with ``allow_derived=True``.
    reason : str. Anything more to say: the currency, the earliest date held.
    remedy : str. How an estimate is asked for, where one can be had; whoever asks in other words
        says so.
    """

    exit_code = 5
    remedy = "--allow-derived, or allow_derived=True"

    def __init__(
        self,
        instance_type: str,
        region: str,
        purchase: str,
        nearest: Sequence[str] = (),
        regions: Sequence[str] = (),
        derivable: bool = False,
        reason: str = "",
    ) -> None:
        super().__init__(
            instance_type, region, purchase, tuple(nearest), tuple(regions), derivable, reason
        )
        self.instance_type, self.region, self.purchase = instance_type, region, purchase
        self.nearest, self.regions = tuple(nearest), tuple(regions)
        self.derivable, self.reason = derivable, reason

    def __str__(self) -> str:
        said = [f"no {self.purchase} price for {self.instance_type} in {self.region}"]
        if self.reason:
            said.append(self.reason)
        if self.derivable:
            said.append(f"for an estimate: {self.remedy}")
        if self.regions:
            said.append(f"{self.instance_type} is priced in {_some(self.regions)}")
        if self.nearest:
            said.append(f"nearest types priced in {self.region}: {', '.join(self.nearest)}")
        return "; ".join(said)


class AmbiguousPrice(PricingError):
    """More than one price answers, and nothing tells them apart.

    Attributes
    ----------
    instance_type, region, purchase : str. What was asked for.
    candidates : tuple of str. Each price with its date and source.
    reason : str. Why they cannot be told apart.
    """

    exit_code = 5

    def __init__(
        self,
        instance_type: str,
        region: str,
        purchase: str,
        candidates: Sequence[str],
        reason: str = "",
    ) -> None:
        super().__init__(instance_type, region, purchase, tuple(candidates), reason)
        self.instance_type, self.region, self.purchase = instance_type, region, purchase
        self.candidates, self.reason = tuple(candidates), reason

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        return (
            f"more than one {self.purchase} price for {self.instance_type} in {self.region}{why}: "
            + "; ".join(self.candidates)
        )


class CurrencyMismatch(PricingError):
    """A price in one currency where another was asked for; amounts of two are never summed.

    Attributes
    ----------
    instance_type, region : str. What was asked for.
    per_hour : Decimal. What is held.
    currency : str. Its currency.
    """

    exit_code = 5

    def __init__(self, instance_type: str, region: str, per_hour: Decimal, currency: str) -> None:
        super().__init__(instance_type, region, per_hour, currency)
        self.instance_type, self.region = instance_type, region
        self.per_hour, self.currency = per_hour, currency

    def __str__(self) -> str:
        return (
            f"{self.instance_type} in {self.region} costs {self.per_hour} {self.currency} an hour, "
            "and bills here are in USD: give the price in dollars, hosting.usd_per_hour in a "
            "scenario, at the rate and of the day you choose"
        )


class SpecNotFound(PricingError):
    """A known name whose hardware no table describes.

    Attributes
    ----------
    name : str. Instance type or accelerator asked for.
    nearest : tuple of str. Names like it that are described, best first.
    reason : str. Anything more to say.
    """

    exit_code = 2

    def __init__(self, name: str, nearest: Sequence[str] = (), reason: str = "") -> None:
        super().__init__(name, tuple(nearest), reason)
        self.name, self.nearest, self.reason = name, tuple(nearest), reason

    def __str__(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        return f"no specification for {self.name}{why}{_did_you_mean(self.nearest)}"


def _did_you_mean(names: Sequence[str]) -> str:
    return f"; nearest: {', '.join(names)}" if names else ""


def _some(names: Sequence[str], most: int = 6) -> str:
    """The first few, and how many more: a message stays one readable line."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
