# MSK with a user and password (SCRAM): librdkafka, which adloop reads outcomes with, has no signing by IAM.
locals {
  kafka = var.kafka_instance_type == null ? [] : [var.kafka_instance_type]
}

resource "aws_msk_cluster" "this" {
  count                  = length(local.kafka)
  cluster_name           = var.name
  kafka_version          = "3.8.x"
  number_of_broker_nodes = 3 # one a zone
  enhanced_monitoring    = "PER_TOPIC_PER_BROKER"

  broker_node_group_info {
    instance_type   = local.kafka[count.index]
    client_subnets  = var.subnet_ids
    security_groups = [aws_security_group.this["kafka"].id]
    storage_info {
      ebs_storage_info {
        volume_size = 100
      }
    }
  }

  client_authentication {
    unauthenticated = false
    sasl {
      scram = true
    }
  }

  encryption_info {
    encryption_at_rest_kms_key_arn = module.key.arn
    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this[count.index].arn
    revision = aws_msk_configuration.this[count.index].latest_revision
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.kafka[count.index].name
      }
    }
  }
}

# An event that one broker alone has may be lost with it; topics are made on purpose, not by a typing error.
resource "aws_msk_configuration" "this" {
  count             = length(local.kafka)
  name              = var.name
  kafka_versions    = ["3.8.x"]
  server_properties = <<-EOT
    auto.create.topics.enable=false
    default.replication.factor=3
    min.insync.replicas=2
    unclean.leader.election.enable=false
  EOT
}

resource "aws_cloudwatch_log_group" "kafka" {
  count             = length(local.kafka)
  name              = "/${var.name}/kafka"
  retention_in_days = 365
  kms_key_id        = module.key.arn
}

# MSK takes only secrets whose name begins like this.
resource "aws_secretsmanager_secret" "kafka" {
  #checkov:skip=CKV2_AWS_57:Its servers are restarted with it: docs/operations.md rotates it
  count                   = length(local.kafka)
  name                    = "AmazonMSK_${var.name}"
  description             = "User and password of Kafka, as MSK wants them."
  kms_key_id              = module.key.arn
  recovery_window_in_days = 30
}

resource "aws_secretsmanager_secret_version" "kafka" {
  count                    = length(local.kafka)
  secret_id                = aws_secretsmanager_secret.kafka[count.index].id
  secret_string_wo         = jsonencode({ username = "adloop", password = var.kafka_password })
  secret_string_wo_version = var.password_version
}

resource "aws_msk_single_scram_secret_association" "this" {
  count       = length(local.kafka)
  cluster_arn = aws_msk_cluster.this[count.index].arn
  secret_arn  = aws_secretsmanager_secret_version.kafka[count.index].arn
}
