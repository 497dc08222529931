"""Price lists of our own making, in the shapes that the providers document."""

from __future__ import annotations

import json

ATTRIBUTES = {
    "servicecode": "AmazonEC2", "regionCode": "us-east-1", "locationType": "AWS Region",
    "instanceType": "g5.xlarge", "operatingSystem": "Linux", "tenancy": "Shared",
    "preInstalledSw": "NA", "capacitystatus": "Used", "licenseModel": "No License required",
    "usagetype": "BoxUsage:g5.xlarge",
}  # fmt: skip
HOSTING = {
    "servicecode": "AmazonSageMaker", "regionCode": "eu-west-1", "component": "Hosting",
    "instanceName": "ml.g5.2xlarge", "usagetype": "EUW1-Host:ml.g5.2xlarge",
}  # fmt: skip


def term(sku, usd, *, currency="USD", unit="Hrs", since="2026-11-01T00:00:00Z"):
    code = f"{sku}.JRTCKXETXF"
    dimension = {
        "rateCode": f"{code}.6YS6EN2CT7", "unit": unit, "beginRange": "0", "endRange": "Inf",
        "description": "", "appliesTo": [], "pricePerUnit": {currency: usd},
    }  # fmt: skip
    return {
        code: {
            "sku": sku, "offerTermCode": "JRTCKXETXF", "effectiveDate": since,
            "priceDimensions": {dimension["rateCode"]: dimension}, "termAttributes": {},
        }
    }  # fmt: skip


def product(sku, family="Compute Instance", base=ATTRIBUTES, **attributes):
    return {"sku": sku, "productFamily": family, "attributes": {**base, **attributes}}


def offer_file(*listed, service="AmazonEC2", published="2026-11-20T10:00:00Z"):
    """An AWS bulk offer file; each entry is a product and its price, or None for no term."""
    return {
        "formatVersion": "v1.0", "disclaimer": "", "offerCode": service, "version": "1",
        "publicationDate": published,
        "products": {one["sku"]: one for one, _ in listed},
        "terms": {"OnDemand": {
            one["sku"]: usd if isinstance(usd, dict) else term(one["sku"], usd)
            for one, usd in listed if usd is not None
        }},
    }  # fmt: skip


def get_products(*listed, service="AmazonEC2"):
    """A reply of GetProducts, whose items are JSON in a text."""
    items = [
        {
            "product": one, "serviceCode": service, "version": "1",
            "publicationDate": "2026-11-20T10:00:00Z",
            "terms": {"OnDemand": usd if isinstance(usd, dict) else term(one["sku"], usd)},
        }
        for one, usd in listed
    ]  # fmt: skip
    return {"FormatVersion": "aws_v1", "PriceList": [json.dumps(item) for item in items]}


def change(usd, *, zone="us-east-1a", zone_id="use1-az4", since="2026-11-20T10:00:00Z",
           product="Linux/UNIX", kind="g5.xlarge"):  # fmt: skip
    return {
        "AvailabilityZone": zone, "AvailabilityZoneId": zone_id, "InstanceType": kind,
        "ProductDescription": product, "SpotPrice": usd, "Timestamp": since,
    }  # fmt: skip


def meter(usd, *, sku="Standard_NC4as_T4_v3", region="eastus", meter="NC4as T4 v3",
          product="Virtual Machines NCasT4_v3 Series", **more):  # fmt: skip
    return {
        "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": usd, "unitPrice": usd,
        "armRegionName": region, "effectiveStartDate": "2026-01-01T00:00:00Z",
        "meterName": meter, "productName": product, "skuName": meter, "armSkuName": sku,
        "serviceName": "Virtual Machines", "unitOfMeasure": "1 Hour", "type": "Consumption", **more,
    }  # fmt: skip


def sku(description, nanos, *, units="0", unit="h", usage="OnDemand", regions=("us-central1",)):
    return {
        "skuId": description[:4], "description": description,
        "category": {"resourceFamily": "Compute", "usageType": usage},
        "serviceRegions": list(regions),
        "pricingInfo": [{"pricingExpression": {
            "usageUnit": unit,
            "tieredRates": [{"startUsageAmount": 0, "unitPrice": {
                "currencyCode": "USD", "units": units, "nanos": nanos}}],
        }}],
    }  # fmt: skip


def rate(usd, *, plan="Compute", payment="No Upfront", seconds=31_536_000, kind="g5.xlarge"):
    properties = {"region": "us-east-1", "instanceType": kind, "productDescription": "Linux/UNIX",
                  "tenancy": "shared"}  # fmt: skip
    return {
        "rate": usd, "unit": "Hrs", "usageType": f"Host:{kind}" if plan == "SageMaker" else "Box",
        "savingsPlanOffering": {"planType": plan, "paymentOption": payment, "currency": "USD",
                                "durationSeconds": seconds},
        "properties": [{"name": name, "value": value} for name, value in properties.items()],
    }  # fmt: skip
