"""Lists every meter with its usage and its gaps, the highest usage first: report.py USAGE GAPS OUTPUT."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import coalesce, col, lit

usage, gaps, target = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
meters = spark.read.parquet(usage).join(spark.read.parquet(gaps), "meter", "left")
report = meters.select("meter", "used_kwh", coalesce("count", lit(0)).alias("gaps"))
report.orderBy(col("used_kwh").desc(), "meter").coalesce(1).write.mode("overwrite").csv(target, header=True)
