"""Reads what the electricity meters have sent, and keeps what can be read: ingest.py CSV OUTPUT."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col

source, target = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
readings = spark.read.csv(source, header=True, schema="meter string, at timestamp, kwh double")
readings.where(col("at").isNotNull() & (col("kwh") >= 0)).write.mode("overwrite").parquet(target)
