"""What is asked for, and what is given: a query, and the price that answers it."""

from dataclasses import dataclass, replace
from decimal import Decimal

from pricing import tables
from pricing.errors import CurrencyMismatch
from pricing.places import region_code
from pricing.tables import PriceRow


@dataclass(frozen=True, slots=True)
class Price:
    """One unit price, and where and when it was read.

    Attributes
    ----------
    instance_type, region : str. As asked for.
    provider : str. ``aws``, ``gcp`` or ``azure``.
    service : str. ``ec2``, ``sagemaker``, ``compute_engine`` or ``virtual_machines``: whose billing
        rules apply.
    purchase : str. ``on-demand`` or ``spot``.
    per_hour : Decimal. Linux, shared tenancy, in `currency`. [currency/h]
    currency : str. ``USD``, in the regions of China ``CNY``.
    as_of : str. Date of the reading, as exact as its source is: a day, month, quarter or year.
    source : str. The public file it was read from.
    confidence : str. ``quoted``, ``sampled`` or ``derived``.
    note : str. Anything an analyst should know before relying on it.
    """

    instance_type: str
    region: str
    provider: str
    service: str
    purchase: str
    per_hour: Decimal
    currency: str
    as_of: str
    source: str
    confidence: str
    note: str = ""

    @property
    def usd_per_hour(self) -> Decimal:
        """The price in dollars. [USD/h]

        Raises
        ------
        CurrencyMismatch
            It is in another currency: amounts of two are never summed.
        """
        if self.currency != "USD":
            raise CurrencyMismatch(self.instance_type, self.region, self.per_hour, self.currency)
        return self.per_hour


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked for; every step below takes it whole."""

    instance_type: str
    region: str
    purchase: str
    as_of: str | None
    zone: str | None

    @property
    def by_code(self) -> "Query":
        """The same with the region by its code."""
        return replace(self, region=region_code(self.region, self.provider))

    @property
    def provider(self) -> str:
        """Types of AWS have a dot, sizes of Azure begin with Standard_, the others are Google's."""
        if "." in self.instance_type:
            return "aws"
        return "azure" if self.instance_type.lower().startswith("standard_") else "gcp"

    @property
    def service(self) -> str:
        if self.provider != "aws":
            return {"gcp": "compute_engine", "azure": "virtual_machines"}[self.provider]
        return "sagemaker" if self.instance_type.startswith("ml.") else "ec2"

    @property
    def ec2_key(self) -> tuple[str, str]:
        return self.region, self.instance_type.removeprefix("ml.")

    @property
    def key(self) -> tuple[str, str]:
        return self.region, self.instance_type

    def priced(self, row: PriceRow, confidence: str) -> Price:
        return Price(
            instance_type=self.instance_type,
            region=self.region,
            provider=self.provider,
            service=self.service,
            purchase=self.purchase,
            per_hour=tables.positive(row.per_hour),
            currency=row.currency,
            as_of=row.as_of,
            source=row.source,
            confidence=confidence,
            note=row.note,
        )

    @property
    def named(self) -> tuple[str, str, str]:
        """What errors name."""
        return self.instance_type, self.region, self.purchase


def in_time(read: str, as_of: str | None) -> bool:
    """Whether a reading is no later than the day asked for."""
    return as_of is None or tables.last_day(read) <= as_of


def cite(row: PriceRow) -> str:
    """A reading with its day and source, for a message."""
    return f"{row.per_hour} {row.currency}/h as of {row.as_of} ({row.source})"
