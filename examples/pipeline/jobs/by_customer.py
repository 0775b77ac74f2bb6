"""Adds up sales by customer: by_customer.py SALES OUTPUT."""

import sys

from pyspark.sql import SparkSession

source, target = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
totals = spark.read.parquet(source).groupBy("customer").sum("amount").withColumnRenamed("sum(amount)", "total")
totals.coalesce(1).write.mode("overwrite").parquet(target)
