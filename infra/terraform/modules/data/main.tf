# Redis holds money (budgets, holds, counters) and online features; PostgreSQL holds MLflow; Kafka brings outcomes, where
# it is wanted. All are in subnets without a way out, and only the cluster's nodes reach them.
module "key" {
  source   = "../key"
  name     = var.name
  purpose  = "data"
  services = ["logs.${var.region}.amazonaws.com"]
}

resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:Each is attached to its store, by name
  for_each    = local.ports
  name        = "${var.name}-${each.key}"
  description = "Nodes of the cluster to ${each.key}, and nothing else."
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "nodes" {
  for_each                     = local.ports
  security_group_id            = aws_security_group.this[each.key].id
  description                  = "from the nodes"
  referenced_security_group_id = var.node_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

locals {
  ports = merge({ redis = 6379, postgres = 5432 }, var.kafka_instance_type == null ? {} : { kafka = 9096 })
}
