resource "aws_elasticache_replication_group" "this" {
  replication_group_id       = var.name
  description                = "Budgets, counters, feedback and online features"
  engine                     = "redis"
  engine_version             = "7.1"
  node_type                  = var.redis_node_type
  num_cache_clusters         = 3 # one a zone
  automatic_failover_enabled = true
  multi_az_enabled           = true
  parameter_group_name       = aws_elasticache_parameter_group.this.name
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [aws_security_group.this["redis"].id]
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  kms_key_id                 = module.key.arn
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]
  snapshot_retention_limit   = var.backup_days
  snapshot_window            = "02:00-03:00"
  maintenance_window         = "sun:03:30-sun:04:30"
  final_snapshot_identifier  = "${var.name}-last"
}

# A key that is evicted is a budget forgotten: a full store refuses writes instead, and decisions turn conservative.
resource "aws_elasticache_parameter_group" "this" {
  name   = var.name
  family = "redis7"
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = var.name
  engine        = "redis"
  user_ids      = [aws_elasticache_user.default.user_id, aws_elasticache_user.adloop.user_id]
}

# A group must have a user of this name; it may do nothing.
resource "aws_elasticache_user" "default" {
  user_id       = "${var.name}-default"
  user_name     = "default"
  engine        = "redis"
  access_string = "off ~* -@all"
  authentication_mode {
    type = "no-password-required"
  }
}

# The provider would keep a password in the state. So the user begins without one that anybody could use (IAM only), and
# infra/deploy/rotate_redis.sh sets its passwords, the first one too.
resource "aws_elasticache_user" "adloop" {
  user_id       = "${var.name}-adloop"
  user_name     = "${var.name}-adloop"
  engine        = "redis"
  access_string = "on ~* +@all -@admin -@dangerous +info +role"
  authentication_mode {
    type = "iam"
  }
  lifecycle {
    ignore_changes = [authentication_mode]
  }
}
