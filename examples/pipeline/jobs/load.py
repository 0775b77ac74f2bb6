"""Writes the best customer and the best product: load.py BY_CUSTOMER BY_PRODUCT OUTPUT."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col

by_customer, by_product, target = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
best = [
    spark.read.parquet(source)
    .orderBy(col("total").desc())
    .limit(1)
    .selectExpr(f"'{kind}' kind", f"{kind} name", "total")
    for kind, source in (("customer", by_customer), ("product", by_product))
]
best[0].union(best[1]).coalesce(1).write.mode("overwrite").csv(target, header=True)
