mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name         = "adloop-test"
  region       = "eu-central-1"
  zones        = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  nat_gateways = 3
  key_arn      = "arn:aws:kms:eu-central-1:111122223333:key/1"
}

run "three_zones_none_needs_another_and_nothing_is_public" {
  module {
    source = "./modules/network"
  }
  assert {
    condition     = length(output.private_subnet_ids) == 3 && length(output.data_subnet_ids) == 3
    error_message = "there must be a private subnet and one for data in each zone"
  }
  assert {
    condition = alltrue([for zone, route in aws_route.nat :
      route.nat_gateway_id == aws_nat_gateway.this[zone].id && aws_nat_gateway.this[zone].subnet_id == aws_subnet.public[zone].id
    ])
    error_message = "with three NAT gateways each zone's nodes must go out through their own"
  }
  assert {
    condition = length(distinct(concat(
      [for subnet in aws_subnet.public : subnet.cidr_block],
      [for subnet in aws_subnet.private : subnet.cidr_block],
      [for subnet in aws_subnet.data : subnet.cidr_block],
    ))) == 9
    error_message = "nine subnets need nine blocks"
  }
  assert {
    condition = alltrue([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private), values(aws_subnet.data)) :
      subnet.map_public_ip_on_launch != true
    ])
    error_message = "no subnet may give out public addresses"
  }
  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "the default security group must allow nothing"
  }
  assert {
    condition     = !contains(concat([aws_route.internet.route_table_id], [for route in aws_route.nat : route.route_table_id]), aws_route_table.data.id)
    error_message = "subnets of data must have no way to the internet"
  }
  assert {
    condition     = alltrue([for service in ["s3", "sts"] : aws_vpc_endpoint.inside[service].private_dns_enabled && length(aws_vpc_endpoint.inside[service].subnet_ids) == 3]) && !aws_vpc_endpoint.inside["s3"].dns_options[0].private_dns_only_for_inbound_resolver_endpoint
    error_message = "pods must reach S3 and their rights without leaving the network"
  }
  assert {
    condition     = aws_flow_log.refused.traffic_type == "REJECT"
    error_message = "refused connections must be logged"
  }
}


run "one_gateway_serves_all_zones" {
  variables {
    nat_gateways = 1
  }
  module {
    source = "./modules/network"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(distinct([for route in aws_route.nat : route.nat_gateway_id])) == 1
    error_message = "one NAT gateway must carry all zones"
  }
}

run "two_zones_are_refused" {
  command = plan
  variables {
    zones = ["eu-central-1a", "eu-central-1b", "eu-central-1b"]
  }
  module {
    source = "./modules/network"
  }
  expect_failures = [var.zones]
}
