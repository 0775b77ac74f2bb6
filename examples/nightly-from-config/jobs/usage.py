"""Adds up what each meter has counted: usage.py READINGS OUTPUT."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import expr

source, target = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
usage = spark.read.parquet(source).groupBy("meter").agg(expr("max(kwh) - min(kwh) AS used_kwh"))
usage.write.mode("overwrite").parquet(target)
