"""What things cost: dated price tables, hardware specifications and billing rules.

Useful alone: nothing of the simulator is imported, and neither are pandas, NumPy or boto3, so a
look-up answers at once. Tables are CSV files beside this page; each row has its date and its
source, and ``columns.csv`` declares every column.

Reading guide, four files in order:

1. ``pricing/lookup.py``: a name, a region and a date become one `Price`, or an error that names
   the nearest;
2. ``pricing/specs.py``: the hardware behind an instance type, in SI units;
3. ``pricing/serverless.py``: what is metered per request instead;
4. ``pricing/billing.py``: how a life in seconds becomes billed seconds and dollars.

>>> from pricing import price
>>> found = price("ml.g5.2xlarge", "us-east-1")
>>> found.usd_per_hour, found.as_of, found.confidence
(Decimal('1.515'), '2026-06-19', 'quoted')
"""

from pricing.billing import SECONDS_PER_HOUR, billed_seconds, cost_usd
from pricing.cloud_run import cloud_run_instance, cloud_run_price, cloud_run_regions
from pricing.errors import (
    AmbiguousPrice,
    CurrencyMismatch,
    InvalidArgument,
    PriceNotFound,
    PricingError,
    SpecNotFound,
    TableError,
    UnknownInstance,
    UnknownRegion,
)
from pricing.fargate import Task, fargate_fault, fargate_instance, fargate_price, least_task
from pricing.lookup import PURCHASES, price
from pricing.names import instance_types, regions
from pricing.places import region_code
from pricing.plans import PlanRate, plan_rates
from pricing.query import Price
from pricing.serverless import (
    EPHEMERAL_FREE_MB,
    MB_PER_GB,
    MEMORY_MB,
    SNAPSTART_LEAST_S,
    ServerlessPrice,
    billed_provisioned_seconds,
    metered_items,
    metered_services,
    own_serverless_price,
    serverless_instance,
    serverless_price,
)
from pricing.specs import Accelerator, InstanceSpec, accelerator, instance
from pricing.token_apis import TokenPrice, token_models, token_price

__all__ = [
    "EPHEMERAL_FREE_MB",
    "MB_PER_GB",
    "MEMORY_MB",
    "PURCHASES",
    "SECONDS_PER_HOUR",
    "SNAPSTART_LEAST_S",
    "Accelerator",
    "AmbiguousPrice",
    "CurrencyMismatch",
    "InstanceSpec",
    "InvalidArgument",
    "PlanRate",
    "Price",
    "PriceNotFound",
    "PricingError",
    "ServerlessPrice",
    "SpecNotFound",
    "TableError",
    "Task",
    "TokenPrice",
    "UnknownInstance",
    "UnknownRegion",
    "accelerator",
    "billed_provisioned_seconds",
    "billed_seconds",
    "cloud_run_instance",
    "cloud_run_price",
    "cloud_run_regions",
    "cost_usd",
    "fargate_fault",
    "fargate_instance",
    "fargate_price",
    "instance",
    "instance_types",
    "least_task",
    "metered_items",
    "metered_services",
    "own_serverless_price",
    "plan_rates",
    "price",
    "region_code",
    "regions",
    "serverless_instance",
    "serverless_price",
    "token_models",
    "token_price",
]
