output "redis" {
  description = "Address and user of Redis."
  value = {
    host      = aws_elasticache_replication_group.this.primary_endpoint_address
    user_id   = aws_elasticache_user.adloop.user_id
    user_name = aws_elasticache_user.adloop.user_name
  }
}

output "postgres_address" {
  value = aws_db_instance.mlflow.address
}

output "kafka" {
  description = "Brokers, and the secret with user and password; null without Kafka."
  value = one([for number, cluster in aws_msk_cluster.this : {
    brokers    = cluster.bootstrap_brokers_sasl_scram
    secret_arn = aws_secretsmanager_secret.kafka[number].arn
  }])
}

output "key_arn" {
  value = module.key.arn
}
