mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name           = "adloop-test"
  subnet_ids     = ["subnet-a", "subnet-b", "subnet-c"]
  administrators = ["arn:aws:iam::111122223333:role/platform"]
  log_key_arn    = "arn:aws:kms:eu-central-1:111122223333:key/1"
  pools = {
    serve     = { spot = false, min = 3, max = 12, instance_types = ["c5.4xlarge"] }
    train-cpu = { spot = true, min = 0, max = 8, instance_types = ["m5.2xlarge"] }
    train-gpu = { spot = true, gpu = true, min = 0, max = 4, instance_types = ["g5.2xlarge", "g6.2xlarge"] }
  }
}

run "spot_is_tainted_the_api_is_private_and_pods_have_no_rights_of_nodes" {
  command = plan
  module {
    source = "./modules/cluster"
  }
  assert {
    condition = alltrue([for name in ["train-cpu", "train-gpu"] : alltrue([
      aws_eks_node_group.this[name].capacity_type == "SPOT",
      aws_eks_node_group.this[name].labels["adloop/capacity"] == "spot",
      contains([for taint in aws_eks_node_group.this[name].taint : "${taint.key}=${taint.value}:${taint.effect}"], "adloop/capacity=spot:NO_SCHEDULE"),
    ])])
    error_message = "spot pools must carry the label and the taint that pipelines/compute.py asks for"
  }
  assert {
    condition     = [for taint in aws_eks_node_group.this["train-gpu"].taint : taint.effect if taint.key == "nvidia.com/gpu"] == ["NO_SCHEDULE"] && aws_eks_node_group.this["train-gpu"].ami_type == "AL2023_x86_64_NVIDIA"
    error_message = "GPU nodes must have the driver, and keep what needs no GPU off"
  }
  assert {
    condition     = aws_eks_node_group.this["serve"].capacity_type == "ON_DEMAND" && length(aws_eks_node_group.this["serve"].taint) == 0 && !contains(keys(aws_eks_node_group.this["serve"].labels), "adloop/capacity")
    error_message = "serving must run on nodes that nobody takes away"
  }
  assert {
    condition     = alltrue([for pool in aws_eks_node_group.this : length(pool.subnet_ids) == 3])
    error_message = "every pool must reach over the three zones"
  }
  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "the Kubernetes API must be reached from inside the network only"
  }
  assert {
    condition     = contains(aws_eks_cluster.this.encryption_config[0].resources, "secrets")
    error_message = "Kubernetes' secrets must be encrypted with our own key"
  }
  assert {
    condition     = contains(aws_eks_cluster.this.enabled_cluster_log_types, "audit")
    error_message = "the audit log must be on"
  }
  assert {
    condition     = !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions && keys(aws_eks_access_entry.administrator) == ["arn:aws:iam::111122223333:role/platform"]
    error_message = "only the named roles may administrate"
  }
  assert {
    condition     = jsondecode(aws_eks_addon.network.configuration_values).enableNetworkPolicy == "true"
    error_message = "network policies must be enforced"
  }
  assert {
    condition = alltrue([for template in aws_launch_template.node :
      template.metadata_options[0].http_tokens == "required" && template.metadata_options[0].http_put_response_hop_limit == 1
    ])
    error_message = "the metadata service must ask for a token and be one hop away at most"
  }
  assert {
    condition     = alltrue([for template in aws_launch_template.node : template.block_device_mappings[0].ebs[0].encrypted == "true"])
    error_message = "disks of nodes must be encrypted"
  }
}


run "the_api_is_never_open_to_everybody" {
  command = plan
  variables {
    api_cidrs = ["203.0.113.7/32", "0.0.0.0/0"]
  }
  module {
    source = "./modules/cluster"
  }
  expect_failures = [var.api_cidrs]
}

run "gpus_that_torch_does_not_run_on_are_refused" {
  command = plan
  variables {
    pools = {
      serve     = { spot = false, min = 3, max = 12, instance_types = ["c5.4xlarge"] }
      train-gpu = { spot = true, gpu = true, min = 0, max = 4, instance_types = ["p3.2xlarge"] }
    }
  }
  module {
    source = "./modules/cluster"
  }
  expect_failures = [var.pools]
}

run "serving_without_a_node_a_zone_is_refused" {
  command = plan
  variables {
    pools = {
      serve = { spot = false, min = 2, max = 12, instance_types = ["c5.4xlarge"] }
    }
  }
  module {
    source = "./modules/cluster"
  }
  expect_failures = [var.pools]
}
