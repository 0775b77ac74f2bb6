"""Reads a CSV file of sales, and keeps what can be read: extract.py SALES.csv OUTPUT."""

import sys

from pyspark.sql import SparkSession

source, target = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
sales = spark.read.csv(source, header=True, schema="customer string, product string, amount double")
sales.where("amount IS NOT NULL").coalesce(1).write.mode("overwrite").parquet(target)
