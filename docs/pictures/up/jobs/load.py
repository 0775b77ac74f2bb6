"""Fails at the price that is no number."""

from pyspark.sql import SparkSession
from pyspark.sql.functions import udf

spark = SparkSession.builder.getOrCreate()


@udf("double")
def price(text):
    return float(text.replace(",", "."))


orders = spark.read.csv("obs://demo/orders").toDF("name", "price")
orders.select("name", price("price")).show()
