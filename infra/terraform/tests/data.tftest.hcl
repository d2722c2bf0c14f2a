mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name                    = "adloop-test"
  region                  = "eu-central-1"
  vpc_id                  = "vpc-1"
  subnet_ids              = ["subnet-a", "subnet-b", "subnet-c"]
  node_security_group_id  = "sg-nodes"
  backup_days             = 35
  redis_node_type         = "cache.r7g.large"
  postgres_instance_class = "db.t4g.medium"
  postgres_multi_az       = true
  postgres_password       = "not-in-the-state"
  kafka_instance_type     = "kafka.m7g.large"
  kafka_password          = "not-in-the-state"
  password_version        = 1
}

run "stores_are_encrypted_ask_for_a_password_and_survive_a_zone" {
  command = plan
  module {
    source = "./modules/data"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true" && aws_elasticache_replication_group.this.kms_key_id == output.key_arn
    error_message = "Redis must be encrypted, on the way and at rest"
  }
  assert {
    condition     = startswith(aws_elasticache_user.default.access_string, "off ") && aws_elasticache_user.adloop.authentication_mode[0].type == "iam"
    error_message = "nobody may get in before a password is set, and never without one"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.num_cache_clusters == 3
    error_message = "Redis must survive the loss of a zone"
  }
  assert {
    condition     = { for parameter in aws_elasticache_parameter_group.this.parameter : parameter.name => parameter.value } == { maxmemory-policy = "noeviction" }
    error_message = "no budget may be evicted"
  }
  assert {
    condition     = aws_db_instance.mlflow.storage_encrypted && aws_db_instance.mlflow.kms_key_id == output.key_arn && !aws_db_instance.mlflow.publicly_accessible
    error_message = "PostgreSQL must be encrypted and private"
  }
  assert {
    condition     = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value } == { "rds.force_ssl" = "1" }
    error_message = "PostgreSQL must refuse connections without TLS"
  }
  assert {
    condition     = aws_db_instance.mlflow.backup_retention_period == 35 && aws_db_instance.mlflow.deletion_protection && aws_db_instance.mlflow.skip_final_snapshot != true
    error_message = "the registry must be recoverable"
  }
  assert {
    condition     = aws_msk_cluster.this[0].encryption_info[0].encryption_in_transit[0].client_broker == "TLS" && aws_msk_cluster.this[0].client_authentication[0].sasl[0].scram && !aws_msk_cluster.this[0].client_authentication[0].unauthenticated
    error_message = "Kafka must be reached by TLS with a password only"
  }
  assert {
    condition     = strcontains(aws_msk_configuration.this[0].server_properties, "min.insync.replicas=2")
    error_message = "an event must be in two zones before it is taken"
  }
  assert {
    condition     = { for store, rule in aws_vpc_security_group_ingress_rule.nodes : store => "${rule.referenced_security_group_id} ${rule.from_port}-${rule.to_port}" } == { redis = "sg-nodes 6379-6379", postgres = "sg-nodes 5432-5432", kafka = "sg-nodes 9096-9096" }
    error_message = "each store must be open to the nodes, at its port only"
  }
}


run "without_kafka_there_is_none" {
  command = plan
  variables {
    kafka_instance_type = null
  }
  module {
    source = "./modules/data"
  }
  assert {
    condition     = output.kafka == null && length(aws_secretsmanager_secret.kafka) == 0 && !contains(keys(aws_security_group.this), "kafka")
    error_message = "no brokers, no secret and no open port without Kafka"
  }
}
